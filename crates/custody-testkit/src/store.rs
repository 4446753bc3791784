//! A table that behaves as Delta does when storage misbehaves: the fake behind the lake's `TableStore` port.
//!
//! ```text
//!  what a caller does                          what the fake does, as measured with delta-rs
//!  ------------------------------------------  ------------------------------------------------------------------
//!  commits on the newest version               lands, whatever the transactions say: same, lower, anything
//!  commits on a stale version, same app id     conflict
//!  commits on a stale version, other app ids   conflict or rebased, as the chaos says
//!  gets no answer                              it landed; it did not; or it lands later, if its version is still free
//!  gets a conflict                             or it was its own commit, put twice by the client below
//!  stages and never commits                    an orphan file, which no reader sees
//! ```
//! Every call gives way once before and once after its effect, so that a scheduler can put other work, or a crash, in between.
//! What landed or is in flight survives the crash of its client: keep the [`FakeTable`], drop the future.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use async_trait::async_trait;
use custody_lake::{CommitError, StoreError, TableState, TableStore};
use uuid::Uuid;

/// What becomes of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadFault {
    /// It works.
    None,
    /// Nothing was written.
    Lost,
    /// The file was written, the answer was not heard: an orphan.
    Orphaned,
}

/// What becomes of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitFault {
    /// It is answered as it deserves.
    None,
    /// It is not made, and the caller knows.
    Failed,
    /// It is made, and the caller does not know.
    LandedUnheard,
    /// It is made, and the caller hears of a conflict.
    LandedAsConflict,
    /// It is not made, and the caller does not know.
    Lost,
    /// It is under way, and the caller does not know.
    InFlight,
}

/// Decides what goes wrong. The default: nothing.
pub trait StoreChaos: Send + Sync {
    /// Whether a read fails.
    fn read_fails(&self) -> bool {
        false
    }
    /// For an upload.
    fn upload(&self) -> UploadFault {
        UploadFault::None
    }
    /// For a commit.
    fn commit(&self) -> CommitFault {
        CommitFault::None
    }
    /// Whether a stale commit without a common app id is rebased.
    fn rebases(&self) -> bool {
        false
    }
}

/// Nothing goes wrong.
#[derive(Debug, Default)]
pub struct Calm;

impl StoreChaos for Calm {}

/// A table that survives its clients; clones are handles to the same table.
pub struct FakeTable<R> {
    inner: Arc<Mutex<Inner<R>>>,
    chaos: Arc<dyn StoreChaos>,
}

/// Rows in a file that no reader sees yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FakeFile(u64);

struct Inner<R> {
    files: BTreeMap<u64, R>,
    next_file: u64,
    versions: Vec<Version>,
    in_flight: Vec<(u64, Version)>,
}

#[derive(Debug, Clone, Default)]
struct Version {
    transactions: Vec<(String, i64)>,
    commit_id: Option<Uuid>,
    file: Option<u64>,
}

/// Gives way to the scheduler once.
pub async fn give_way() {
    let mut gave = false;
    poll_fn(move |context| {
        if gave {
            return Poll::Ready(());
        }
        gave = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl<R> Clone for FakeTable<R> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), chaos: Arc::clone(&self.chaos) }
    }
}

impl<R: Clone> FakeTable<R> {
    /// An empty table at version 0, made as a step of its own.
    #[must_use]
    pub fn new(chaos: Arc<dyn StoreChaos>) -> Self {
        let inner = Inner { files: BTreeMap::new(), next_file: 0, versions: vec![Version::default()], in_flight: Vec::new() };
        Self { inner: Arc::new(Mutex::new(inner)), chaos }
    }

    /// The visible rows, commit by commit.
    #[must_use]
    pub fn rows(&self) -> Vec<R> {
        let inner = self.lock();
        inner.versions.iter().filter_map(|version| version.file.and_then(|file| inner.files.get(&file).cloned())).collect()
    }

    /// Changes what the files hold, as a deletion does.
    pub fn change_rows(&self, change: impl FnMut(&mut R)) {
        self.lock().files.values_mut().for_each(change);
    }

    /// The newest version and the transactions in force.
    #[must_use]
    pub fn state(&self) -> TableState {
        self.lock().state()
    }

    /// Files that no version refers to.
    #[must_use]
    pub fn orphans(&self) -> usize {
        let inner = self.lock();
        inner.files.len() - inner.versions.iter().filter(|version| version.file.is_some()).count()
    }

    /// Lets the oldest commit in flight arrive: it lands if its version is still free, and is lost otherwise.
    pub fn arrive(&self) {
        let mut inner = self.lock();
        if inner.in_flight.is_empty() {
            return;
        }
        let (on, version) = inner.in_flight.remove(0);
        if on == inner.newest() {
            inner.versions.push(version);
        }
    }

    /// A commit by somebody else that adds no rows, as compaction does.
    pub fn maintain(&self) {
        self.lock().versions.push(Version::default());
    }

    fn lock(&self) -> MutexGuard<'_, Inner<R>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn readable(&self, doing: &'static str) -> Result<MutexGuard<'_, Inner<R>>, StoreError> {
        if self.chaos.read_fails() { Err(storage(doing)) } else { Ok(self.lock()) }
    }

    fn put(&self, on: u64, version: Version) -> Result<u64, CommitError> {
        let mut inner = self.lock();
        let fault = self.chaos.commit();
        let rebased = inner.newer_share_nothing(on, &version) && self.chaos.rebases();
        match fault {
            CommitFault::Failed => return Err(CommitError::Failed(storage("committing"))),
            CommitFault::Lost => return Err(unheard(on)),
            _ if on != inner.newest() && !rebased => return Err(CommitError::Conflict { version: on }),
            CommitFault::InFlight => {
                inner.in_flight.push((on, version));
                return Err(unheard(on));
            }
            CommitFault::None | CommitFault::LandedUnheard | CommitFault::LandedAsConflict => inner.versions.push(version),
        }
        match fault {
            CommitFault::LandedUnheard => Err(unheard(on)),
            CommitFault::LandedAsConflict => Err(CommitError::Conflict { version: on }),
            _ => Ok(inner.newest()),
        }
    }
}

impl<R> Inner<R> {
    fn newest(&self) -> u64 {
        self.versions.len() as u64 - 1
    }

    fn state(&self) -> TableState {
        let recorded = self.versions.iter().flat_map(|version| version.transactions.iter().cloned());
        TableState { version: self.newest(), transactions: recorded.collect() }
    }

    fn after(&self, since: u64) -> impl Iterator<Item = (u64, &Version)> {
        (0_u64..).zip(&self.versions).skip_while(move |(number, _)| *number <= since)
    }

    fn newer_share_nothing(&self, on: u64, version: &Version) -> bool {
        let ours = |id: &str| version.transactions.iter().any(|(own, _)| own == id);
        !self.after(on).any(|(_, newer)| newer.transactions.iter().any(|(id, _)| ours(id)))
    }
}

fn storage(doing: &'static str) -> StoreError {
    StoreError::Storage { doing, source: "the simulated storage failed".into() }
}

fn unheard(version: u64) -> CommitError {
    CommitError::Ambiguous { version, source: "the simulated storage did not answer".into() }
}

#[async_trait]
impl<R: Clone + Send + Sync> TableStore for FakeTable<R> {
    type Rows = R;
    type Staged = FakeFile;

    async fn snapshot(&self) -> Result<TableState, StoreError> {
        give_way().await;
        let state = self.readable("reading the table")?.state();
        give_way().await;
        Ok(state)
    }

    async fn stage(&self, rows: R) -> Result<FakeFile, StoreError> {
        give_way().await;
        let fault = self.chaos.upload();
        if fault == UploadFault::Lost {
            return Err(storage("uploading"));
        }
        let file = {
            let mut inner = self.lock();
            let file = inner.next_file;
            inner.next_file += 1;
            inner.files.insert(file, rows);
            file
        };
        give_way().await;
        if fault == UploadFault::Orphaned { Err(storage("uploading")) } else { Ok(FakeFile(file)) }
    }

    async fn commit(&self, on: &TableState, staged: FakeFile, transactions: &[(String, i64)], commit_id: Uuid) -> Result<u64, CommitError> {
        give_way().await;
        let version = Version { transactions: transactions.to_vec(), commit_id: Some(commit_id), file: Some(staged.0) };
        let answer = self.put(on.version, version);
        give_way().await;
        answer
    }

    async fn find_commit(&self, commit_id: Uuid, since_version: u64) -> Result<Option<u64>, StoreError> {
        give_way().await;
        let inner = self.readable("looking for a commit")?;
        let found = inner.after(since_version).find(|(_, version)| version.commit_id == Some(commit_id));
        Ok(found.map(|(number, _)| number))
    }
}
