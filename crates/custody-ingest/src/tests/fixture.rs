//! A log in memory, a clock that moves only while something waits, and an ingest over fake tables.

use std::{
    collections::VecDeque,
    ops::RangeInclusive,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use custody_lake::{DeadLetter, DeadLetterReason, RowKey, StoreError};
use custody_log::LogReader;
use custody_testkit::store::{CommitFault, FakeTable, StoreChaos};
use custody_types::{Clock, EventId, IdSource, JournalId, LogPosition, LogRecord, RequestId, Seq, Source, Timestamp};
use tokio::sync::watch;
use uuid::Uuid;

use super::list_log::ListLog;
use crate::{
    Alarm, BatchCommitted, Decode, EventLookup, FoundLetters, Ingest, IngestConfig, IngestError, IngestMetrics, IngestObserver,
    IngestParts, KeyedRows, RetriedLetters, Turn, retry_letters,
};

pub fn config() -> IngestConfig {
    IngestConfig { flush_age: Duration::from_secs(2), read_wait: Duration::from_secs(1), ..IngestConfig::default() }
}

fn journal() -> JournalId {
    JournalId::from_uuid(Uuid::from_u128(7))
}

/// The same record under another journal.
pub fn of_journal(number: u128, record: LogRecord) -> LogRecord {
    let journal = JournalId::from_uuid(Uuid::from_u128(number));
    LogRecord { source: Source { journal, ..record.source }, ..record }
}

/// An event with this id; one byte of the id counts as one byte of the record.
pub fn record(position: u64, epoch: u32, seq: u64, event_id: &str) -> LogRecord {
    let source = Source { journal: journal(), epoch };
    let payload = Bytes::from(event_id.to_owned());
    LogRecord { position: LogPosition::new(position), source, seq: Seq::new(seq), payload, damaged: false }
}

/// Bytes that no decoder reads.
pub fn poison(position: u64, epoch: u32, seq: u64) -> LogRecord {
    LogRecord { damaged: true, ..record(position, epoch, seq, "\u{0}") }
}

/// Polls a future that needs no runtime to its end.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}

impl Clock for ListLog {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.clock.load(Ordering::Relaxed) as i64)
    }

    fn monotonic_micros(&self) -> u64 {
        self.clock.load(Ordering::Relaxed)
    }
}

#[derive(Default)]
pub struct Counted(AtomicU64);

impl IdSource for Counted {
    fn request_id(&self) -> RequestId {
        RequestId::from_uuid(Uuid::from_u128(self.0.fetch_add(1, Ordering::Relaxed).into()))
    }

    fn event_id(&self) -> EventId {
        EventId::from_uuid(Uuid::from_u128(self.0.fetch_add(1, Ordering::Relaxed).into()))
    }
}

/// Commit faults in the order they were asked for, in both tables.
#[derive(Default)]
pub struct Scripted(Mutex<VecDeque<CommitFault>>);

impl Scripted {
    pub fn fail_next(&self, fault: CommitFault) {
        self.0.lock().expect("not poisoned").push_back(fault);
    }
}

impl Scripted {
    /// Takes back what did not happen.
    pub fn forget(&self) {
        self.0.lock().expect("not poisoned").clear();
    }
}

impl StoreChaos for Scripted {
    fn commit(&self) -> CommitFault {
        self.0.lock().expect("not poisoned").pop_front().unwrap_or(CommitFault::None)
    }
}

struct PlainDecode;

impl Decode for PlainDecode {
    type Rows = Vec<RowKey>;

    fn decode(&mut self, _partition: &str, records: &[LogRecord]) -> (Vec<RowKey>, Vec<DeadLetter>) {
        let (bad, good): (Vec<_>, Vec<_>) = records.iter().partition(|record| record.damaged);
        let key = |record: &LogRecord| RowKey {
            position: record.position,
            source: record.source,
            seq: record.seq,
            event_id: String::from_utf8_lossy(&record.payload).into_owned(),
        };
        let letter = |record: &LogRecord| DeadLetter::new(record, DeadLetterReason::Damaged);
        (good.into_iter().map(key).collect(), bad.into_iter().map(letter).collect())
    }
}

impl KeyedRows for Vec<RowKey> {
    fn count(&self) -> usize {
        self.len()
    }

    fn keys(&self) -> Vec<RowKey> {
        self.clone()
    }

    fn retain(&mut self, keep: &dyn Fn(&RowKey) -> bool) {
        Vec::retain(self, |key| keep(key));
    }

    fn append(&mut self, more: Self) {
        self.extend(more);
    }
}

impl From<FoundLetters> for Vec<DeadLetter> {
    fn from(found: FoundLetters) -> Self {
        found.letters
    }
}

struct Asks(FakeTable<Vec<RowKey>>);

#[async_trait]
impl EventLookup for Asks {
    async fn event_ids_at(&self, source: Source, seqs: RangeInclusive<u64>) -> Result<Vec<(Seq, String)>, StoreError> {
        let here = |key: &RowKey| key.source == source && seqs.contains(&key.seq.get());
        Ok(self.0.rows().into_iter().flatten().filter(here).map(|key| (key.seq, key.event_id)).collect())
    }
}

#[derive(Default)]
struct Watched {
    metrics: Arc<IngestMetrics>,
    alarms: Arc<Mutex<Vec<&'static str>>>,
}

impl IngestObserver for Watched {
    fn resumed(&self, stored: &[(String, LogPosition)]) {
        self.metrics.resumed(stored);
    }

    fn committed(&self, batch: &BatchCommitted) {
        self.metrics.committed(batch);
    }

    fn alarm(&self, alarm: &Alarm) {
        self.alarms.lock().expect("not poisoned").push(alarm.name());
        self.metrics.alarm(alarm);
    }

    fn failed(&self, error: &IngestError) {
        self.metrics.failed(error);
    }
}

type TestIngest = Ingest<ListLog, PlainDecode, FakeTable<Vec<RowKey>>, FakeTable<Vec<DeadLetter>>>;

/// One ingest over one log and its tables.
pub struct Scene {
    pub log: ListLog,
    /// A second partition, where there is one.
    pub second: Option<ListLog>,
    pub events: FakeTable<Vec<RowKey>>,
    pub chaos: Arc<Scripted>,
    pub metrics: Arc<IngestMetrics>,
    dead_letters: FakeTable<Vec<DeadLetter>>,
    alarms: Arc<Mutex<Vec<&'static str>>>,
    floor: Arc<AtomicU64>,
    config: IngestConfig,
    ids: Arc<Counted>,
    ingest: Mutex<Option<TestIngest>>,
    stop: watch::Sender<bool>,
}

impl Scene {
    pub fn with(records: impl IntoIterator<Item = LogRecord>) -> Self {
        Self::configured(config(), records)
    }

    pub fn configured(config: IngestConfig, records: impl IntoIterator<Item = LogRecord>) -> Self {
        let log = ListLog::default();
        log.replace(records);
        let chaos = Arc::new(Scripted::default());
        let (events, dead_letters) = (FakeTable::new(chaos.clone()), FakeTable::new(chaos.clone()));
        Self::over(config, (log, None), chaos, events, dead_letters, Arc::default())
    }

    /// An ingest of two partitions.
    pub fn of_two(records: impl IntoIterator<Item = LogRecord>, second: impl IntoIterator<Item = LogRecord>) -> Self {
        let one = Self::with(records);
        let other = one.log.beside();
        other.replace(second);
        Self::over(one.config, (one.log, Some(other)), one.chaos, one.events, one.dead_letters, one.ids)
    }

    /// A second ingest over the same log and tables.
    pub fn another(&self) -> Self {
        let (events, dead_letters) = (self.events.clone(), self.dead_letters.clone());
        Self::over(self.config, (self.log.clone(), None), self.chaos.clone(), events, dead_letters, self.ids.clone())
    }

    fn over(
        config: IngestConfig,
        (log, second): (ListLog, Option<ListLog>),
        chaos: Arc<Scripted>,
        events: FakeTable<Vec<RowKey>>,
        dead_letters: FakeTable<Vec<DeadLetter>>,
        ids: Arc<Counted>,
    ) -> Self {
        let watched = Watched::default();
        let (metrics, alarms) = (watched.metrics, watched.alarms);
        let (floor, stop) = (Arc::default(), watch::Sender::new(false));
        let scene = Self { log, second, events, chaos, metrics, dead_letters, alarms, floor, config, ids, ingest: Mutex::new(None), stop };
        scene.restart();
        scene
    }

    /// Forgets everything but log and tables.
    pub fn restart(&self) {
        let floor = Arc::clone(&self.floor);
        let mut logs: Vec<ListLog> = std::iter::once(&self.log).chain(&self.second).cloned().collect();
        logs.iter_mut().for_each(|log| log.seek(LogPosition::START));
        let parts = IngestParts {
            clock: Arc::new(self.log.clone()),
            logs,
            decoder: PlainDecode,
            events: self.events.clone(),
            dead_letters: self.dead_letters.clone(),
            lookup: Arc::new(Asks(self.events.clone())),
            acknowledge: Box::new(move |_: &str, place: LogPosition| floor.store(place.get(), Ordering::Relaxed)),
            ids: self.ids.clone(),
            observer: Arc::new(Watched { metrics: self.metrics.clone(), alarms: self.alarms.clone() }),
        };
        *self.ingest.lock().expect("not poisoned") = Some(Ingest::new(self.config, parts));
    }

    pub fn try_turn(&self) -> Result<Turn, IngestError> {
        let mut ingest = self.ingest.lock().expect("not poisoned");
        block_on(ingest.as_mut().expect("not stopped").turn(&self.stop.subscribe()))
    }

    /// Turns until nothing is left to read.
    pub fn settle(&self) {
        while self.try_turn().expect("no fault is scripted") != Turn::Idle {}
    }

    /// Runs the ingest with the stop given already.
    pub fn run_stopped(&self) -> Result<(), IngestError> {
        self.stop.send_replace(true);
        let ingest = self.ingest.lock().expect("not poisoned").take().expect("not stopped");
        block_on(ingest.run(self.stop.subscribe()))
    }

    /// Tries letters again.
    pub fn retry(&self, letters: &[LogRecord]) -> Result<RetriedLetters, IngestError> {
        let lookup = Asks(self.events.clone());
        block_on(retry_letters("journal/test", letters, &mut PlainDecode, &self.events, &lookup, self.ids.as_ref()))
    }

    pub fn stored(&self) -> Vec<String> {
        self.events.rows().into_iter().flatten().map(|key| key.event_id).collect()
    }

    pub fn letters(&self) -> Vec<u64> {
        self.dead_letters.rows().into_iter().flatten().map(|letter| letter.position.get()).collect()
    }

    pub fn alarms(&self) -> Vec<&'static str> {
        self.alarms.lock().expect("not poisoned").clone()
    }

    pub fn floor(&self) -> LogPosition {
        LogPosition::new(self.floor.load(Ordering::Relaxed))
    }

    pub fn clock(&self) -> u64 {
        self.log.monotonic_micros()
    }
}
