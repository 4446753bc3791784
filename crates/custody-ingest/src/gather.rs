//! Records from the log until there are enough bytes, or the oldest has waited long enough.

use std::time::Duration;

use custody_log::{LogReader, ReadError};
use custody_types::{Clock, LogRecord};
use tokio::sync::watch;

use crate::{IngestConfig, IngestError};

/// What one commit will carry.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Records in log order.
    pub records: Vec<LogRecord>,
    /// Their payload bytes.
    pub bytes: usize,
    /// When the first arrived, by the monotonic clock.
    pub since: u64,
    /// Whether the log no longer has the record that comes next: the table knows whether it is stored.
    pub lost_place: bool,
}

impl Batch {
    /// Whether nothing came.
    pub const fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    fn add(&mut self, records: Vec<LogRecord>, now: u64) {
        if self.is_empty() {
            self.since = now;
        }
        self.bytes += records.iter().map(|record| record.payload.len()).sum::<usize>();
        self.records.extend(records);
    }
}

/// Gathers one batch; an empty one after `read_wait` without records. While stopping, takes what is there and waits for nothing.
pub(crate) async fn gather<L: LogReader>(
    log: &mut L,
    clock: &dyn Clock,
    config: &IngestConfig,
    stop: &watch::Receiver<bool>,
) -> Result<Batch, IngestError> {
    let mut batch = Batch::default();
    while let Some(wait) = patience(&batch, clock.monotonic_micros(), config) {
        let stopping = *stop.borrow();
        let wait = if stopping { Duration::ZERO } else { wait };
        match log.read(config.flush_bytes.saturating_sub(batch.bytes), wait).await {
            Ok(records) if records.is_empty() && (stopping || batch.is_empty()) => break,
            Ok(records) => batch.add(records, clock.monotonic_micros()),
            Err(ReadError::Truncated { .. }) => {
                batch.lost_place = true;
                break;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(batch)
}

/// How long the next read may wait, or nothing when the batch is full or old enough.
fn patience(batch: &Batch, now: u64, config: &IngestConfig) -> Option<Duration> {
    if batch.is_empty() {
        return Some(config.read_wait);
    }
    let age = Duration::from_micros(now.saturating_sub(batch.since));
    let left = config.flush_age.checked_sub(age).filter(|left| !left.is_zero())?;
    (batch.bytes < config.flush_bytes).then(|| left.min(config.read_wait))
}
