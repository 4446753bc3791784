//! The loop's ports with a stopwatch.

use std::{
    ops::RangeInclusive,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use custody_ingest::{Decode, EventLookup};
use custody_lake::{CommitError, DeadLetter, EventDecoder, EventRows, EventStore, Staged, StoreError, TableState, TableStore};
use custody_types::{LogRecord, Seq, Source};
use tokio::time::Instant;
use uuid::Uuid;

/// Seconds spent in each step of one run.
#[derive(Debug, Clone, Default)]
pub struct Steps {
    pub decode: f64,
    pub stage: f64,
    pub commits: Vec<f64>,
}

impl Steps {
    pub fn all_commits(&self) -> f64 {
        self.commits.iter().sum()
    }
}

type Shared = Arc<Mutex<Steps>>;

fn note(steps: &Shared, add: impl FnOnce(&mut Steps)) {
    add(&mut steps.lock().unwrap_or_else(PoisonError::into_inner));
}

/// The decoder, timed.
pub struct TimedDecoder(EventDecoder, Shared);

impl TimedDecoder {
    pub fn new(decoder: EventDecoder, steps: &Shared) -> Self {
        Self(decoder, Arc::clone(steps))
    }
}

impl Decode for TimedDecoder {
    type Rows = EventRows;

    fn decode(&mut self, partition: &str, records: &[LogRecord]) -> (EventRows, Vec<DeadLetter>) {
        let began = Instant::now();
        let decoded = Decode::decode(&mut self.0, partition, records);
        note(&self.1, |steps| steps.decode += began.elapsed().as_secs_f64());
        decoded
    }
}

/// The table, timed.
pub struct TimedStore(EventStore, Shared);

impl TimedStore {
    pub fn new(store: EventStore, steps: &Shared) -> Self {
        Self(store, Arc::clone(steps))
    }
}

#[async_trait]
impl TableStore for TimedStore {
    type Rows = EventRows;
    type Staged = Staged;

    async fn snapshot(&self) -> Result<TableState, StoreError> {
        self.0.snapshot().await
    }

    async fn stage(&self, rows: EventRows) -> Result<Staged, StoreError> {
        let began = Instant::now();
        let staged = self.0.stage(rows).await;
        note(&self.1, |steps| steps.stage += began.elapsed().as_secs_f64());
        staged
    }

    async fn commit(&self, on: &TableState, staged: Staged, transactions: &[(String, i64)], commit_id: Uuid) -> Result<u64, CommitError> {
        let began = Instant::now();
        let committed = self.0.commit(on, staged, transactions, commit_id).await;
        note(&self.1, |steps| steps.commits.push(began.elapsed().as_secs_f64()));
        committed
    }

    async fn find_commit(&self, commit_id: Uuid, since_version: u64) -> Result<Option<u64>, StoreError> {
        self.0.find_commit(commit_id, since_version).await
    }
}

/// A fresh table holds no event at any place.
pub struct NoLookup;

#[async_trait]
impl EventLookup for NoLookup {
    async fn event_ids_at(&self, _source: Source, _seqs: RangeInclusive<u64>) -> Result<Vec<(Seq, String)>, StoreError> {
        Ok(Vec::new())
    }
}
