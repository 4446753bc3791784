//! A log in memory.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use custody_log::{LogReader, ReadError};
use custody_types::{LogPosition, LogRecord};

#[derive(Clone, Default)]
pub struct ListLog {
    shared: Arc<Mutex<Vec<LogRecord>>>,
    truncated: Arc<AtomicU64>,
    pub clock: Arc<AtomicU64>,
    at: u64,
}

impl ListLog {
    pub fn push(&self, record: LogRecord) {
        self.shared.lock().expect("not poisoned").push(record);
    }

    pub fn truncate(&self, first: u64) {
        self.truncated.store(first, Ordering::Relaxed);
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

    fn position(&self) -> LogPosition {
        LogPosition::new(self.at)
    }

    fn seek(&mut self, to: LogPosition) {
        self.at = to.get();
    }

    fn partition(&self) -> String {
        "journal/test".into()
    }
}
