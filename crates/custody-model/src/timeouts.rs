//! How long an attempt may take to get where.

use std::time::Duration;

use serde::Deserialize;

/// Bounds in time, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimeoutConfig {
    /// For the connection.
    pub connect_ms: u64,
    /// From the start to the first content of a stream.
    pub first_token_ms: u64,
    /// For a pause inside the answer.
    pub idle_ms: u64,
    /// For the whole attempt.
    pub total_ms: u64,
}

/// The same, checked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    pub(crate) connect: Duration,
    pub(crate) first_token: Duration,
    pub(crate) idle: Duration,
    pub(crate) total: Duration,
}

impl Default for TimeoutConfig {
    /// A host that does not accept within 5 s is away. Long prompts take a minute to their first token at worst; then tokens come
    /// every few milliseconds. The total is what public traces show as the longest answer, with room.
    fn default() -> Self {
        Self { connect_ms: 5_000, first_token_ms: 60_000, idle_ms: 30_000, total_ms: 600_000 }
    }
}

impl TimeoutConfig {
    /// The defaults, none of them longer than the whole attempt.
    #[must_use]
    pub fn within(total: Duration) -> Self {
        let total_ms = u64::try_from(total.as_millis()).unwrap_or(u64::MAX);
        let usual = Self::default();
        Self {
            connect_ms: usual.connect_ms.min(total_ms),
            first_token_ms: usual.first_token_ms.min(total_ms),
            idle_ms: usual.idle_ms.min(total_ms),
            total_ms,
        }
    }

    pub(crate) fn check(&self, mistakes: &mut Vec<String>) -> Timeouts {
        let bounds = [
            ("timeouts.connect_ms", self.connect_ms),
            ("timeouts.first_token_ms", self.first_token_ms),
            ("timeouts.idle_ms", self.idle_ms),
            ("timeouts.total_ms", self.total_ms),
        ];
        for (name, _) in bounds.iter().filter(|(_, value)| !(1..=3_600_000).contains(value)) {
            mistakes.push(format!("{name}: must be between 1 and 3600000"));
        }
        Timeouts {
            connect: Duration::from_millis(self.connect_ms),
            first_token: Duration::from_millis(self.first_token_ms),
            idle: Duration::from_millis(self.idle_ms),
            total: Duration::from_millis(self.total_ms),
        }
    }
}
