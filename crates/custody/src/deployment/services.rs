//! `[gateway]`, `[ingest]`, `[query]`: what each service is told.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use custody_config::Reader;
use custody_ingest::content::VaultStepConfig;

use crate::hash_key::HASH_KEY;

/// The gateway's own.
#[derive(Debug)]
pub struct GatewayService {
    /// Folder of the journal, and of the hash key where no file is named for it.
    pub data_dir: PathBuf,
    /// The key of keyed hashes, the same for every gateway.
    hash_key_file: Option<PathBuf>,
    /// Most that the journal may grow to while the log is away; beyond it requests are refused.
    pub journal_bytes: u64,
    /// The same for the journal of sealed texts.
    pub content_bytes: u64,
    /// How long a request waits for the log where its control level needs it.
    pub log_patience: Duration,
    /// How long a stop waits for the log to take the rest of the journal. What is left is shipped at the next start.
    pub drain: Duration,
}

/// An ingest instance's own.
#[derive(Debug)]
pub struct IngestService {
    /// Where health, readiness and metrics are served.
    pub listen: SocketAddr,
    /// The consumer group: its members share the partitions.
    pub group: String,
    pub flush_age: Duration,
    pub flush_bytes: usize,
    /// How long texts hold up those behind them while the vault is away, before they are parked.
    pub vault_patience: Duration,
    /// The lake's upkeep; nothing where it is run by hand.
    pub maintenance: Option<MaintenanceJob>,
}

/// Upkeep of the lake in the background. The instance that holds the first partition does it.
#[derive(Debug, Clone, Copy)]
pub struct MaintenanceJob {
    pub every: Duration,
    /// Files removed from the table are kept this long, for readers of older versions.
    pub keep_removed: Duration,
}

/// A query process's own.
#[derive(Debug)]
pub struct QueryService {
    /// Where questions, health, readiness and metrics are served.
    pub listen: SocketAddr,
    /// Most rows that the follower of one partition holds.
    pub tail_rows: usize,
    /// Most bytes of them, over all partitions together.
    pub tail_bytes: usize,
    pub memory_bytes: usize,
    pub spill_dir: PathBuf,
    /// Whether kept text is shown over HTTP to whom may see it; this process then needs the vault's keys.
    pub reveals: bool,
}

/// What commands that act on kept text are told.
#[derive(Debug)]
pub struct OfficeService {
    /// Folder of the journal in which they record what they do.
    pub folder: PathBuf,
    /// How long a command waits at its end until the log has its records. What is left goes with the next command.
    pub grace: Duration,
}

impl IngestService {
    /// How the vault step waits.
    pub fn vault_step(&self) -> VaultStepConfig {
        VaultStepConfig { patience: self.vault_patience, ..VaultStepConfig::default() }
    }
}

impl GatewayService {
    /// The file of the key of keyed hashes, for a gateway whose folder this is.
    pub fn hash_key_file(&self, data_dir: &Path) -> PathBuf {
        self.hash_key_file.clone().unwrap_or_else(|| data_dir.join(HASH_KEY))
    }
}

pub fn read_gateway(reader: Reader<'_>) -> Option<GatewayService> {
    let data_dir = reader.text("data_dir", "a folder on a disk that survives restarts").map(PathBuf::from);
    let hash_key_file = reader.optional_text("hash_key_file", "a file on a disk that survives restarts").map(PathBuf::from);
    // About an hour of heavy traffic while the log is away.
    let journal_bytes = reader.number("journal_bound_mib", 256..=(1 << 20), 4096) << 20;
    let content_bytes = reader.number("content_bound_mib", 256..=(1 << 20), 4096) << 20;
    // Longer than a broker's hand-over to another, shorter than callers' own time-outs.
    let log_patience = Duration::from_millis(reader.number("log_patience_ms", 100..=120_000, 5000));
    let drain = Duration::from_secs(reader.number("drain_seconds", 0..=3600, 20));
    reader.finish();
    Some(GatewayService { data_dir: data_dir?, hash_key_file, journal_bytes, content_bytes, log_patience, drain })
}

pub fn read_ingest(reader: Reader<'_>) -> Option<IngestService> {
    let listen = loopback(&reader, 8701);
    let group = reader.optional_text("group", "the name of a consumer group").unwrap_or("custody-ingest").to_owned();
    let flush_age = Duration::from_secs(reader.number("flush_seconds", 1..=3600, 30));
    // Longer than a restart or a burst of throttling takes, short beside the stream's retention.
    let vault_patience = Duration::from_secs(reader.number("vault_patience_seconds", 1..=3600, 60));
    let flush_mib = reader.number("flush_mib", 1..=1024, 64);
    let upkeep = reader.section("maintenance");
    let every = Duration::from_secs(60 * upkeep.number("every_minutes", 0..=10_080, 60));
    let keep_removed = Duration::from_secs(3600 * upkeep.number("keep_removed_hours", 1..=168, 168));
    upkeep.finish();
    reader.finish();
    let maintenance = (!every.is_zero()).then_some(MaintenanceJob { every, keep_removed });
    let flush_bytes = usize::try_from(flush_mib << 20).ok()?;
    Some(IngestService { listen: listen?, group, flush_age, flush_bytes, vault_patience, maintenance })
}

pub fn read_query(reader: Reader<'_>) -> Option<QueryService> {
    let listen = loopback(&reader, 8702);
    let size = |key, range, default| usize::try_from(reader.number(key, range, default)).unwrap_or(usize::MAX);
    // Half a million rows a partition: what thirty seconds of flush age leave unstored at 17,000 events a second in each.
    let tail_rows = size("tail_rows", 1000..=100_000_000, 500_000);
    let tail_bytes = size("tail_mib", 16..=(1 << 20), 1024) << 20;
    let memory_bytes = size("memory_mib", 64..=(1 << 20), 1024) << 20;
    let spill_dir = reader.optional_text("spill_dir", "a folder").map_or_else(std::env::temp_dir, PathBuf::from);
    let reveals = reader.flag("reveals", false);
    reader.finish();
    Some(QueryService { listen: listen?, tail_rows, tail_bytes, memory_bytes, spill_dir, reveals })
}

pub fn read_office(reader: Reader<'_>, gateway: Option<&GatewayService>) -> Option<OfficeService> {
    let folder = reader.optional_text("folder", "a folder on a disk that survives restarts").map(PathBuf::from);
    // A person waits; a log that is there takes a few records within a second.
    let grace = Duration::from_secs(reader.number("grace_seconds", 0..=600, 10));
    reader.finish();
    Some(OfficeService { folder: folder.or_else(|| gateway.map(|gateway| gateway.data_dir.join("office")))?, grace })
}

/// These pages show what is stored or how much; they leave the machine through a proxy with TLS and identities.
fn loopback(reader: &Reader<'_>, port: u16) -> Option<SocketAddr> {
    let default = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listen: SocketAddr = reader.optional_parsed("listen", "an address with a port, such as 127.0.0.1:8701").unwrap_or(default);
    if listen.ip().is_loopback() {
        return Some(listen);
    }
    reader.mistake("listen", format!("is `{listen}`, which is not loopback"), "use 127.0.0.1 and put a TLS proxy in front");
    None
}
