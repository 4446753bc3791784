//! How much ingest gathers before it commits.

use std::time::Duration;

/// When a batch is committed: at `flush_bytes` or `flush_age`, whichever comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IngestConfig {
    /// Payload bytes of a batch. The default, 64 MiB, becomes one Parquet file of useful size and fits in memory twice.
    pub flush_bytes: usize,
    /// Age of the oldest gathered record. The default, 30 s, keeps commits few; SQL sees younger rows through the log itself.
    pub flush_age: Duration,
    /// Longest wait for records in one read; bounds how late a stop is noticed. The default is 250 ms.
    pub read_wait: Duration,
    /// Pause after a failure that may pass. The default, 1 s, is short beside `flush_age`.
    pub retry_pause: Duration,
}

impl Default for IngestConfig {
    fn default() -> Self {
        Self {
            flush_bytes: 64 << 20,
            flush_age: Duration::from_secs(30),
            read_wait: Duration::from_millis(250),
            retry_pause: Duration::from_secs(1),
        }
    }
}
