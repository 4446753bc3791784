//! The handle that services hold. One thread owns the journal; everything waiting is made durable together.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use custody_types::{JournalId, LogPosition, LogRecord, Source};
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    config::JournalConfig,
    disk::Disk,
    error::{AppendError, OpenJournalError},
    journal_core::JournalCore,
    reader::JournalReader,
    report::{JournalStats, RecoveryReport},
    segment_reader::SegmentReader,
    unit::{Appended, RequestKey, Unit, UnitKind},
    view::Shared,
    writer_thread::{Command, Desk, WriterThread},
};

/// Appends that may wait for the writer before further callers wait for a place; twice the most clients we measure with.
const QUEUE: usize = 1024;

/// A journal that this process writes. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Journal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    source: Source,
    shared: Arc<Shared>,
    desk: Arc<Desk>,
    queue: mpsc::Sender<Command>,
    orphaned: AtomicU64,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

/// What opening found.
#[derive(Debug)]
pub struct OpenReport {
    /// This boot's epoch.
    pub epoch: u32,
    /// What recovery found and repaired. Its `open_requests` were moved out.
    pub recovery: RecoveryReport,
    /// Requests that an earlier boot left without an outcome; each must be closed, truncation waits for it.
    pub open_requests: Vec<OpenRequest>,
}

/// A request without an outcome.
#[derive(Debug)]
pub struct OpenRequest {
    /// The request.
    pub key: RequestKey,
    /// All its records, oldest first.
    pub records: Vec<LogRecord>,
    /// The right to write its outcome.
    pub admission: Admission,
}

/// The right to write one request's outcome, with room kept for it. Dropping it unclosed leaves the request open:
/// [`Journal::take_orphans`] gives it back.
#[derive(Debug)]
pub struct Admission {
    journal: Journal,
    key: RequestKey,
    written: Option<Appended>,
    owed: bool,
}

impl Journal {
    /// Opens the folder and starts the writer's thread.
    pub fn open(config: JournalConfig, disk: Arc<dyn Disk>) -> Result<(Self, OpenReport), OpenJournalError> {
        let (core, mut recovery) = JournalCore::open(config, disk)?;
        let (sender, receiver) = mpsc::channel(QUEUE);
        let desk = Arc::new(Desk::new(core.stats()));
        let (source, shared) = (core.source(), Arc::clone(&core.shared));
        let writer = WriterThread::new(core, receiver, Arc::clone(&desk));
        let thread = std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || writer.run())
            .map_err(|source| OpenJournalError::Disk { doing: "starting the journal's thread", source })?;
        let thread = Mutex::new(Some(thread));
        let journal = Self(Arc::new(Inner { source, shared, desk, queue: sender, orphaned: AtomicU64::new(0), thread }));
        let found = std::mem::take(&mut recovery.open_requests);
        let with_right = |request: crate::OpenRequestRecords| OpenRequest {
            key: request.key,
            records: request.records,
            admission: Admission { journal: journal.clone(), key: request.key, written: None, owed: true },
        };
        let open_requests = found.into_iter().map(with_right).collect();
        Ok((journal, OpenReport { epoch: source.epoch, recovery, open_requests }))
    }

    /// Appends records that belong to no open request: refusals, control events. Durable when it returns.
    pub async fn append(&self, records: Vec<Bytes>) -> Result<Appended, AppendError> {
        self.send(Unit { kind: UnitKind::Plain, records }).await
    }

    /// Appends an intent, and keeps room for its outcome. Durable when it returns.
    pub async fn admit(&self, key: RequestKey, records: Vec<Bytes>) -> Result<Admission, AppendError> {
        let intent = self.send(Unit { kind: UnitKind::Open(key), records }).await?;
        Ok(Admission { journal: self.clone(), key, written: Some(intent), owed: true })
    }

    async fn send(&self, unit: Unit) -> Result<Appended, AppendError> {
        let (reply, answer) = oneshot::channel();
        self.0.queue.send(Command::Append { unit, reply }).await.map_err(|_| AppendError::Closed)?;
        answer.await.unwrap_or(Err(AppendError::Closed))
    }

    /// The durable end, as it moves.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<LogPosition> {
        self.0.shared.durable.subscribe()
    }

    /// A reader of its own, from `from` on.
    #[must_use]
    pub fn reader(&self, from: LogPosition) -> JournalReader {
        JournalReader::new(SegmentReader::shared(Arc::clone(&self.0.shared), from), self.subscribe())
    }

    /// Tells how far a consumer has stored; what all have stored, and no open request needs, is removed.
    pub fn set_floor(&self, consumer: &str, floor: LogPosition) {
        self.0.desk.put_floor(consumer, floor);
        // A full queue means that the thread is awake and will look at the desk anyway.
        let _ = self.0.queue.try_send(Command::Look);
    }

    /// Has the writer look after its segments even when nothing is appended: a disk that was full may have room again.
    pub fn tend(&self) {
        let _ = self.0.queue.try_send(Command::Look);
    }

    /// How the journal does.
    #[must_use]
    pub fn stats(&self) -> JournalStats {
        JournalStats { orphaned: self.0.orphaned.load(Ordering::Relaxed), ..self.0.desk.stats() }
    }

    /// The journal.
    #[must_use]
    pub fn id(&self) -> JournalId {
        self.0.source.journal
    }

    /// This boot.
    #[must_use]
    pub fn source(&self) -> Source {
        self.0.source
    }

    /// Requests whose [`Admission`] was dropped without an outcome since the last call; their owner must close them.
    #[must_use]
    pub fn take_orphans(&self) -> Vec<Admission> {
        let keys = self.0.desk.take_orphans();
        keys.into_iter().map(|key| Admission { journal: self.clone(), key, written: None, owed: true }).collect()
    }

    fn orphan(&self, key: RequestKey) {
        self.0.orphaned.fetch_add(1, Ordering::Relaxed);
        self.0.desk.put_orphan(key);
    }

    /// Makes durable what is waiting, stops the thread and releases the folder. Other handles answer `Closed` from then on.
    pub async fn shutdown(self) {
        let _ = self.0.queue.send(Command::Stop).await;
        let thread = self.0.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

impl Admission {
    /// The request.
    #[must_use]
    pub const fn key(&self) -> RequestKey {
        self.key
    }

    /// Where its newest records stand; nothing for a request of an earlier boot.
    #[must_use]
    pub const fn written(&self) -> Option<Appended> {
        self.written
    }

    /// Appends further records of the request, such as another attempt's intent; the room for its outcome stays kept.
    pub async fn record(&mut self, records: Vec<Bytes>) -> Result<Appended, AppendError> {
        let appended = self.journal.send(Unit { kind: UnitKind::Within(self.key), records }).await?;
        self.written = Some(appended);
        Ok(appended)
    }

    /// Appends the outcome; its last record pays the debt. Takes the room kept for it, so a full disk does not refuse it
    /// while it is no larger than the configured reserve.
    pub async fn close(mut self, records: Vec<Bytes>) -> Result<Appended, AppendError> {
        let place = self.journal.0.queue.reserve().await.map_err(|_| AppendError::Closed)?;
        let (reply, answer) = oneshot::channel();
        place.send(Command::Append { unit: Unit { kind: UnitKind::Close(self.key), records }, reply });
        // From here on the outcome is written even if nobody waits for it any more.
        self.owed = false;
        let closed = answer.await.unwrap_or(Err(AppendError::Closed));
        // Refused outright: the request is still open, so it is given back when `self` is dropped.
        self.owed = matches!(closed, Err(AppendError::Full { .. } | AppendError::TooLarge { .. } | AppendError::Empty));
        closed
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if self.owed {
            self.journal.orphan(self.key);
        }
    }
}
