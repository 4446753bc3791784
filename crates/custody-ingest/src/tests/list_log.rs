//! A log in memory.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use custody_log::{LogBounds, LogReader, ReadError};
use custody_types::{LogPosition, LogRecord};

#[derive(Clone, Default)]
pub struct ListLog {
    shared: Arc<Mutex<Vec<LogRecord>>>,
    truncated: Arc<AtomicU64>,
    withheld: Arc<AtomicBool>,
    pub clock: Arc<AtomicU64>,
    number: u32,
    at: u64,
}

impl ListLog {
    /// Another partition under the same clock.
    pub fn beside(&self) -> Self {
        Self { clock: Arc::clone(&self.clock), number: self.number + 1, ..Self::default() }
    }

    pub fn push(&self, record: LogRecord) {
        self.shared.lock().expect("not poisoned").push(record);
    }

    pub fn records(&self) -> Vec<LogRecord> {
        self.shared.lock().expect("not poisoned").clone()
    }

    pub fn len(&self) -> u64 {
        self.shared.lock().expect("not poisoned").len() as u64
    }

    pub fn truncate(&self, first: u64) {
        self.truncated.store(first, Ordering::Relaxed);
    }

    /// From now on gives nothing, though it has it.
    pub fn withhold(&self) {
        self.withheld.store(true, Ordering::Relaxed);
    }

    pub fn replace(&self, records: impl IntoIterator<Item = LogRecord>) {
        *self.shared.lock().expect("not poisoned") = records.into_iter().collect();
    }
}

#[async_trait]
impl LogReader for ListLog {
    async fn read(&mut self, max_bytes: usize, wait: Duration) -> Result<Vec<LogRecord>, ReadError> {
        let first = self.truncated.load(Ordering::Relaxed);
        if self.at < first {
            return Err(ReadError::Truncated { asked: LogPosition::new(self.at), first: LogPosition::new(first) });
        }
        if self.withheld.load(Ordering::Relaxed) {
            return Ok(Vec::new());
        }
        let mut bytes = 0;
        let records = self.shared.lock().expect("not poisoned").clone();
        let room = |record: &LogRecord| {
            let had = bytes;
            bytes += record.payload.len();
            had == 0 || bytes <= max_bytes
        };
        let read: Vec<_> = records.into_iter().skip(self.at as usize).take_while(room).collect();
        if read.is_empty() {
            self.clock.fetch_add(wait.as_micros() as u64, Ordering::Relaxed);
        }
        self.at += read.len() as u64;
        Ok(read)
    }

    async fn bounds(&mut self) -> Result<LogBounds, ReadError> {
        let end = self.shared.lock().expect("not poisoned").len() as u64;
        let first = self.truncated.load(Ordering::Relaxed).min(end);
        Ok(LogBounds { first: LogPosition::new(first), end: LogPosition::new(end) })
    }

    fn position(&self) -> LogPosition {
        LogPosition::new(self.at)
    }

    fn seek(&mut self, to: LogPosition) {
        self.at = to.get();
    }

    fn partition(&self) -> String {
        if self.number == 0 { "journal/test".into() } else { format!("journal/test{}", self.number) }
    }
}
