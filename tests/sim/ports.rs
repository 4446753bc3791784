//! The ports of the production loop, each with named points at which its process may die, or its answer may be lost.

use std::{
    ops::RangeInclusive,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use custody_ingest::{Acknowledge, Alarm, BatchCommitted, Decode, EventLookup, IngestError, IngestObserver, KeyedRows};
use custody_lake::{CommitError, DeadLetter, RowKey, StoreError, TableState, TableStore};
use custody_log::{LogBounds, LogReader, ReadError, SegmentReader};
use custody_testkit::store::{FakeTable, StoreChaos, give_way};
use custody_types::{Clock, EventId, IdSource, LogPosition, LogRecord, RequestId, Seq, Source, Timestamp};
use uuid::Uuid;

use crate::{
    broker::Broker,
    coverage::Coverage,
    weather::{Fuse, Weather},
};

/// Virtual time: it moves when a reader waits in vain.
#[derive(Debug, Clone, Default)]
pub struct SimClock(Arc<AtomicU64>);

impl SimClock {
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_micros() as u64, Ordering::Relaxed);
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed) as i64)
    }

    fn monotonic_micros(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Clone, Default)]
pub struct SimIds(Arc<AtomicU64>);

impl IdSource for SimIds {
    fn request_id(&self) -> RequestId {
        RequestId::from_uuid(Uuid::from_u128(self.0.fetch_add(1, Ordering::Relaxed).into()))
    }

    fn event_id(&self) -> EventId {
        EventId::from_uuid(Uuid::from_u128(self.0.fetch_add(1, Ordering::Relaxed).into()))
    }
}

/// What an ingest reads from.
pub enum Origin {
    Journal(SegmentReader),
    Broker(Broker, usize),
}

impl Origin {
    /// The broker's partition, if it is one.
    pub const fn partition(&self) -> Option<usize> {
        match self {
            Self::Journal(_) => None,
            Self::Broker(_, partition) => Some(*partition),
        }
    }
}

pub struct SimReader {
    pub origin: Origin,
    pub at: LogPosition,
    pub fuse: Fuse,
    pub weather: Weather,
    pub clock: SimClock,
}

#[async_trait]
impl LogReader for SimReader {
    async fn read(&mut self, max_bytes: usize, wait: Duration) -> Result<Vec<LogRecord>, ReadError> {
        self.fuse.pass("read").await;
        give_way().await;
        if self.weather.strikes("read") {
            return Err(ReadError::Disk(std::io::Error::other("the simulated log cannot be read")));
        }
        let records = match &mut self.origin {
            Origin::Broker(broker, partition) => broker.read(*partition, self.at, max_bytes),
            Origin::Journal(reader) => {
                reader.seek(self.at);
                reader.read(max_bytes)?.into_iter().map(|frame| frame.record).collect()
            }
        };
        match records.last() {
            Some(last) => self.at = last.position.next(),
            None => self.clock.advance(wait),
        }
        Ok(records)
    }

    async fn bounds(&mut self) -> Result<LogBounds, ReadError> {
        self.fuse.pass("read").await;
        give_way().await;
        if self.weather.strikes("bounds") {
            return Err(ReadError::Disk(std::io::Error::other("the simulated log cannot be asked")));
        }
        match &mut self.origin {
            Origin::Broker(broker, partition) => Ok(LogBounds { first: LogPosition::START, end: broker.end(*partition) }),
            Origin::Journal(reader) => Ok(LogBounds { first: reader.first()?, end: reader.durable()? }),
        }
    }

    fn position(&self) -> LogPosition {
        self.at
    }

    fn seek(&mut self, to: LogPosition) {
        self.at = to;
    }

    fn partition(&self) -> String {
        match &self.origin {
            Origin::Journal(reader) => format!("journal/{}", reader.journal()),
            Origin::Broker(_, partition) => Broker::partition_name(*partition),
        }
    }
}

/// A decoder in whose process death may strike.
pub struct SimDecoder<D> {
    pub inner: D,
    pub fuse: Fuse,
}

impl<D: Decode> Decode for SimDecoder<D> {
    type Rows = D::Rows;

    fn decode(&mut self, partition: &str, records: &[LogRecord]) -> (D::Rows, Vec<DeadLetter>) {
        self.fuse.burns("decode");
        self.inner.decode(partition, records)
    }
}

/// A table in whose client death may strike, before and after every effect.
pub struct SimStore<R> {
    pub table: FakeTable<R>,
    pub fuse: Fuse,
}

#[async_trait]
impl<R: Clone + Send + Sync> TableStore for SimStore<R> {
    type Rows = R;
    type Staged = <FakeTable<R> as TableStore>::Staged;

    async fn snapshot(&self) -> Result<TableState, StoreError> {
        self.fuse.pass("snapshot").await;
        self.table.snapshot().await
    }

    async fn stage(&self, rows: R) -> Result<Self::Staged, StoreError> {
        self.fuse.pass("before upload").await;
        let staged = self.table.stage(rows).await;
        self.fuse.pass("after upload").await;
        staged
    }

    async fn commit(
        &self,
        on: &TableState,
        staged: Self::Staged,
        transactions: &[(String, i64)],
        commit_id: Uuid,
    ) -> Result<u64, CommitError> {
        self.fuse.pass("before commit").await;
        let answer = self.table.commit(on, staged, transactions, commit_id).await;
        self.fuse.pass("after commit").await;
        answer
    }

    async fn find_commit(&self, commit_id: Uuid, since_version: u64) -> Result<Option<u64>, StoreError> {
        self.fuse.pass("commit look-up").await;
        self.table.find_commit(commit_id, since_version).await
    }
}

/// What the events table has at a place.
pub struct SimLookup<R> {
    pub table: FakeTable<R>,
    pub weather: Weather,
}

#[async_trait]
impl<R: KeyedRows + Clone + Send + Sync> EventLookup for SimLookup<R> {
    async fn event_ids_at(&self, source: Source, seqs: RangeInclusive<u64>) -> Result<Vec<(Seq, String)>, StoreError> {
        give_way().await;
        if self.weather.read_fails() {
            return Err(StoreError::Storage { doing: "looking up events", source: "the simulated storage failed".into() });
        }
        let here = |key: &RowKey| key.source == source && seqs.contains(&key.seq.get());
        let keys = self.table.rows().into_iter().flat_map(|rows| rows.keys());
        Ok(keys.filter(here).map(|key| (key.seq, key.event_id)).collect())
    }
}

/// Where an ingest leaves its acknowledgement for the log's owner; it may be lost on the way.
pub struct SimAcknowledge {
    pub floor: Arc<AtomicU64>,
    pub fuse: Fuse,
    pub weather: Weather,
}

impl Acknowledge for SimAcknowledge {
    fn acknowledge(&self, _partition: &str, floor: LogPosition) {
        if !self.fuse.burns("acknowledge") && !self.weather.strikes("acknowledge") {
            self.floor.store(floor.get(), Ordering::Relaxed);
        }
    }
}

#[derive(Clone, Default)]
pub struct SimObserver {
    pub alarms: Arc<Mutex<Vec<Alarm>>>,
    pub coverage: Coverage,
}

impl IngestObserver for SimObserver {
    fn resumed(&self, _stored: &[(String, LogPosition)]) {
        self.coverage.count("resumed");
    }

    fn committed(&self, batch: &BatchCommitted) {
        self.coverage.count("batches committed");
        self.coverage.note(|| format!("{batch:?}"));
        self.coverage.add("rows committed", batch.rows as u64);
        self.coverage.add("duplicates dropped", batch.duplicates as u64);
        self.coverage.add("dead letters written", batch.dead_letters as u64);
    }

    fn alarm(&self, alarm: &Alarm) {
        self.coverage.count(&format!("alarm: {}", alarm.name()));
        self.coverage.note(|| format!("{alarm:?}"));
        self.alarms.lock().expect("not poisoned").push(alarm.clone());
    }

    fn failed(&self, _error: &IngestError) {}
}
