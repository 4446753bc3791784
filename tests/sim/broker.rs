//! A broker with a few partitions that outlives every process. Positions are each partition's own.
//!
//! Batches that a shipper thinks lost may still be on their way: they arrive later, in the order in which they were sent, after
//! copies that a later session sent again. That is all the disorder which an idempotent producer leaves.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
};

use custody_types::{LogPosition, LogRecord};

#[derive(Debug, Clone)]
pub struct Broker(Arc<Mutex<Vec<Partition>>>);

#[derive(Debug, Default, Clone)]
struct Partition {
    records: Vec<LogRecord>,
    on_the_way: VecDeque<Vec<LogRecord>>,
}

impl Partition {
    fn append(&mut self, record: LogRecord) {
        let position = LogPosition::new(self.records.len() as u64);
        self.records.push(LogRecord { position, ..record });
    }
}

impl Broker {
    pub fn of(partitions: usize) -> Self {
        Self(Arc::new(Mutex::new(vec![Partition::default(); partitions])))
    }

    pub fn partition_name(partition: usize) -> String {
        format!("custody.events.v1/{partition}")
    }

    pub fn partitions(&self) -> usize {
        self.lock().len()
    }

    /// Partitions are added; no source moves to them.
    pub fn grow(&self) {
        self.lock().push(Partition::default());
    }

    pub fn append(&self, partition: usize, record: LogRecord) {
        self.lock()[partition].append(record);
    }

    pub fn send_late(&self, partition: usize, records: Vec<LogRecord>) {
        self.lock()[partition].on_the_way.push_back(records);
    }

    /// One late batch arrives; says whether there was one.
    pub fn arrive(&self, partition: usize) -> bool {
        let mut partitions = self.lock();
        let late = partitions[partition].on_the_way.pop_front();
        let came = late.as_ref().is_some_and(|records| !records.is_empty());
        late.into_iter().flatten().for_each(|record| partitions[partition].append(record));
        came
    }

    pub fn end(&self, partition: usize) -> LogPosition {
        LogPosition::new(self.lock()[partition].records.len() as u64)
    }

    pub fn read(&self, partition: usize, from: LogPosition, max_bytes: usize) -> Vec<LogRecord> {
        let mut left = max_bytes.max(1);
        let fits = |record: &&LogRecord| {
            let had = left;
            left = left.saturating_sub(record.payload.len());
            had > 0
        };
        self.lock()[partition].records.iter().skip(from.get() as usize).take_while(fits).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Partition>> {
        self.0.lock().expect("not poisoned")
    }
}
