//! `custody.toml`: deployment stage, where to listen, limits, tags, switched-off stages.

use std::{collections::BTreeSet, time::Duration};

use custody_config::Reader;
use custody_model::protection::{BreakerConfig, RetryBudgetConfig};
use custody_types::{ControlLevel, Environment, Text};

use super::server::{self, ServerSettings};
use crate::{recorder::Ack, stage::Stage};

/// What holds for the whole deployment.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Deployment stage, such as production.
    pub environment: Environment,
    /// The HTTP server.
    pub server: ServerSettings,
    /// The flow.
    pub limits: FlowLimits,
    /// Which of the caller's tags become part of events.
    pub tags: TagRule,
    /// Where records must be before what they permit may happen.
    pub recording: Recording,
    /// Hosts off this machine that models may be called on.
    pub egress_hosts: Vec<String>,
    /// Which stages are switched off at start.
    pub switches: StageSwitches,
}

/// Bounds of the flow.
#[derive(Debug, Clone, Copy)]
pub struct FlowLimits {
    /// Most attempts for one request, over all its routes.
    pub max_attempts: u32,
    /// Most attempts on one route.
    pub attempts_per_route: u32,
    /// How long one attempt may take to its end.
    pub attempt_timeout: Duration,
    /// How long to wait before the same route is tried again.
    pub retry_pause: Duration,
    /// Largest answer that is kept in memory.
    pub max_answer_bytes: u64,
    /// When a route is left alone, and for how long.
    pub breaker: BreakerConfig,
    /// How many attempts there may be beside the requests' first ones.
    pub retries: RetryBudgetConfig,
}

/// Which of the caller's metadata keys become tags of events.
#[derive(Debug, Clone)]
pub struct TagRule {
    /// Keys that may.
    pub allowed: BTreeSet<Text>,
    /// What becomes of an allowed key's value that is not a plain label.
    pub unsafe_values: UnsafeTags,
}

/// What becomes of a tag value that is not a plain label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnsafeTags {
    /// It stands in events as a keyed hash.
    Hash,
    /// It does not stand in events.
    Drop,
}

/// Stages that refuse every request (PATH-16).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StageSwitches {
    /// The stages that are off.
    pub off: BTreeSet<Stage>,
}

/// Where a request's records must be, by the control level of its capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recording {
    from_level: Option<ControlLevel>,
}

impl Recording {
    /// What a control level asks for.
    #[must_use]
    pub fn ack(&self, level: ControlLevel) -> Ack {
        if self.from_level.is_some_and(|from| level >= from) { Ack::Log } else { Ack::Journal }
    }
}

pub(super) fn read(root: &Reader<'_>) -> Option<Settings> {
    let environment = root.parsed("environment", "a label such as production");
    let server = server::read(root.section("server"));
    let breaker = read_breaker(root.section("breaker"));
    let limits = read_limits(root.section("limits"), breaker);
    let tags = read_tags(root.section("tags"));
    let stages = root.section("stages");
    let switches = StageSwitches { off: stages.list("off", "stage names").into_iter().collect() };
    stages.finish();
    let recording = read_recording(root.section("recording"));
    let egress_hosts = root.list("egress_hosts", "host names");
    Some(Settings { environment: environment?, server, limits, tags, recording, egress_hosts, switches })
}

fn read_limits(reader: Reader<'_>, breaker: BreakerConfig) -> FlowLimits {
    let count = |key, most: u64, default| u32::try_from(reader.number(key, 1..=most, default)).unwrap_or(1);
    let limits = FlowLimits {
        // The caller waits through all of them.
        max_attempts: count("max_attempts", 16, 3),
        // One repetition catches a lost connection; more would only add load to a provider in trouble.
        attempts_per_route: count("attempts_per_route", 8, 2),
        // A long answer of a slow model.
        attempt_timeout: millis(&reader, "attempt_timeout_ms", 10, 120_000),
        retry_pause: millis(&reader, "retry_pause_ms", 0, 100),
        max_answer_bytes: reader.number("max_answer_bytes", 1024..=(256 << 20), 8 << 20),
        breaker,
        retries: RetryBudgetConfig {
            // One in five is what proxies and RPC libraries have settled on: enough for a bad minute, too little for a storm.
            percent: small(&reader, "retry_budget_percent", 0..=1000, 20),
            min_per_second: small(&reader, "retry_budget_min_per_second", 0..=10_000, 10),
        },
    };
    reader.finish();
    limits
}

fn read_breaker(reader: Reader<'_>) -> BreakerConfig {
    let config = BreakerConfig {
        window: millis(&reader, "window_ms", 100, 10_000),
        // Fewer say nothing about a share.
        min_attempts: small(&reader, "min_attempts", 1..=1_000_000, 20),
        failure_percent: small(&reader, "failure_percent", 1..=100, 50),
        open: millis(&reader, "open_ms", 10, 5_000),
        probes: small(&reader, "probes", 1..=1_000, 3),
    };
    reader.finish();
    config
}

fn small(reader: &Reader<'_>, key: &'static str, accepted: std::ops::RangeInclusive<u64>, default: u64) -> u32 {
    u32::try_from(reader.number(key, accepted, default)).unwrap_or(u32::MAX)
}

/// Regulated work outlives the machine that it ran on, unless somebody decides otherwise.
fn read_recording(reader: Reader<'_>) -> Recording {
    const KEY: &str = "ack_log_from";
    let from_level = if reader.is_text(KEY, "never") {
        None
    } else {
        Some(reader.optional_parsed(KEY, "a control level, or never").unwrap_or(ControlLevel::Regulated))
    };
    reader.finish();
    Recording { from_level }
}

fn read_tags(reader: Reader<'_>) -> TagRule {
    let names: Vec<custody_types::Feature> = reader.list("allowed", "metadata keys");
    let allowed = names.iter().map(custody_types::Feature::text).collect();
    let unsafe_values = match reader.optional_text("unsafe_values", "hash or drop") {
        Some("hash") => UnsafeTags::Hash,
        Some("drop") | None => UnsafeTags::Drop,
        Some(other) => {
            reader.mistake("unsafe_values", format!("is `{other}`"), "use hash or drop");
            UnsafeTags::Drop
        }
    };
    reader.finish();
    TagRule { allowed, unsafe_values }
}

pub(super) fn millis(reader: &Reader<'_>, key: &'static str, least: u64, default: u64) -> Duration {
    Duration::from_millis(reader.number(key, least..=3_600_000, default))
}
