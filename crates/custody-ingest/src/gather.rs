//! Records from all partitions of the log until there are enough bytes, or the oldest has waited long enough.

use std::time::Duration;

use custody_log::{LogReader, ReadError};
use custody_types::{Clock, LogRecord};
use tokio::sync::watch;

use crate::{IngestConfig, IngestError};

/// Most bytes taken from one partition before the next has its turn.
const HELPING_BYTES: usize = 4 << 20;

/// How long to wait at one of several silent partitions before looking at the others again. The lake's freshness is counted in
/// seconds, so a few looks in each are enough.
const GLANCE: Duration = Duration::from_millis(20);

/// What one commit will carry.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Records in log order, for each partition.
    pub records: Vec<Vec<LogRecord>>,
    /// How many there are.
    pub count: usize,
    /// Their payload bytes.
    pub bytes: usize,
    /// When the first arrived, by the monotonic clock.
    pub since: u64,
    /// Whether a log no longer has the record that comes next: the table knows whether it is stored.
    pub lost_place: bool,
}

impl Batch {
    fn of(partitions: usize) -> Self {
        Self { records: vec![Vec::new(); partitions], ..Self::default() }
    }

    /// Whether nothing came.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn add(&mut self, partition: usize, records: Vec<LogRecord>, now: u64) {
        if self.is_empty() {
            self.since = now;
        }
        self.count += records.len();
        self.bytes += records.iter().map(|record| record.payload.len()).sum::<usize>();
        if let Some(of_partition) = self.records.get_mut(partition) {
            of_partition.extend(records);
        }
    }
}

/// Gathers batches, and remembers at which partition it waited last.
#[derive(Debug, Default)]
pub(crate) struct Gatherer {
    next_to_wait_at: usize,
}

impl Gatherer {
    /// Gathers one batch; an empty one after `read_wait` without records. While stopping, takes what is there and waits for nothing.
    pub async fn gather<L: LogReader>(
        &mut self,
        logs: &mut [L],
        clock: &dyn Clock,
        config: &IngestConfig,
        stop: &watch::Receiver<bool>,
    ) -> Result<Batch, IngestError> {
        let mut batch = Batch::of(logs.len());
        while let Some(wait) = patience(&batch, clock.monotonic_micros(), config) {
            let stopping = *stop.borrow();
            let wait = if stopping { Duration::ZERO } else { wait };
            let before = batch.count;
            match self.sweep(logs, &mut batch, clock, config, wait).await {
                Ok(()) if batch.count == before && (stopping || batch.is_empty()) => break,
                Ok(()) => {}
                Err(ReadError::Truncated { .. }) => {
                    batch.lost_place = true;
                    break;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(batch)
    }

    /// Takes what every partition has; where none has anything, waits at one of them.
    async fn sweep<L: LogReader>(
        &mut self,
        logs: &mut [L],
        batch: &mut Batch,
        clock: &dyn Clock,
        config: &IngestConfig,
        wait: Duration,
    ) -> Result<(), ReadError> {
        let before = batch.count;
        let is_only_one = logs.len() == 1;
        let first_wait = if is_only_one { wait } else { Duration::ZERO };
        for (partition, log) in logs.iter_mut().enumerate() {
            let room = config.flush_bytes.saturating_sub(batch.bytes);
            if room == 0 {
                return Ok(());
            }
            let records = log.read(room.min(HELPING_BYTES), first_wait).await?;
            batch.add(partition, records, clock.monotonic_micros());
        }
        if batch.count > before || is_only_one || wait.is_zero() {
            return Ok(());
        }
        let partition = self.next_to_wait_at % logs.len().max(1);
        self.next_to_wait_at = partition.saturating_add(1);
        let Some(log) = logs.get_mut(partition) else { return Ok(()) };
        let records = log.read(HELPING_BYTES.min(config.flush_bytes), wait.min(GLANCE)).await?;
        batch.add(partition, records, clock.monotonic_micros());
        Ok(())
    }
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
