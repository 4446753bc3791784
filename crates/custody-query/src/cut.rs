//! The exact cut: one snapshot of the lake, and the log's rows after the very positions that this snapshot records.
//!
//! The snapshot is taken first and the log is read second, up to its durable end. So an event that was acknowledged before the
//! question was asked is in exactly one of both: in the snapshot if it stands below the snapshot's position, in the tail if not.
//! Dead letters are stored before the events of their batch, with a position of their own: theirs begin after both.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use custody_lake::{dead_letter_columns, event_columns};
use custody_types::LogPosition;
use datafusion::catalog::TableProvider;
use futures::future::{join_all, try_join_all};

use crate::{
    QueryError,
    live_table::LiveTable,
    tail::{Follower, Seen, Stored, Tail, TailError},
};

/// A snapshot that a follower can't join is replaced by a newer one this often before the lake counts as behind.
const SNAPSHOTS_TRIED: usize = 3;

/// One version of the lake.
#[derive(Debug, Clone)]
pub struct LakeSnapshot {
    /// Version of the events table.
    pub version: u64,
    /// Per log partition, how far it is stored in this version.
    pub positions: BTreeMap<String, LogPosition>,
    /// Per log partition, below which position the dead letters are stored; before or beyond the one of `positions`.
    pub dead_letter_positions: BTreeMap<String, LogPosition>,
    /// Its application transactions, which hold the highest place stored of each journal (D3).
    pub transactions: BTreeMap<String, i64>,
    /// The events table at this version.
    pub events: Arc<dyn TableProvider>,
    /// The dead letters, at their newest version.
    pub dead_letters: Arc<dyn TableProvider>,
}

/// Where snapshots come from: the lake, or a fake in tests.
#[async_trait]
pub trait SnapshotSource: fmt::Debug + Send + Sync {
    /// The newest version; cheap when there is none newer than the last.
    async fn latest(&self) -> Result<LakeSnapshot, QueryError>;
}

/// The lake and the followers of the log that continue it, one follower a log partition. Clones share them.
#[derive(Debug, Clone)]
pub struct LiveLake {
    source: Arc<dyn SnapshotSource>,
    followers: Arc<RwLock<Vec<Arc<Follower>>>>,
}

/// What one query reads.
#[derive(Debug, Clone)]
pub struct Cut {
    /// Version of the events table that is read.
    pub lake_version: u64,
    /// Rows that come from the log.
    pub tail_rows: usize,
    pub(crate) events: Arc<dyn TableProvider>,
    pub(crate) dead_letters: Arc<dyn TableProvider>,
}

impl LakeSnapshot {
    /// What of a log partition is in it. A dead letter below either position is: a batch with letters stores them first, and a
    /// batch without leaves their position where it was.
    fn stored_of(&self, partition: &str) -> Stored {
        let in_positions = |positions: &BTreeMap<String, LogPosition>| positions.get(partition).copied().unwrap_or(LogPosition::START);
        let below = in_positions(&self.positions);
        let letters_below = below.max(in_positions(&self.dead_letter_positions));
        Stored { below, letters_below, seen: Seen::of(&self.transactions) }
    }
}

impl LiveLake {
    /// A lake with its followers.
    #[must_use]
    pub fn new(source: Arc<dyn SnapshotSource>, followers: Vec<Arc<Follower>>) -> Self {
        Self { source, followers: Arc::new(RwLock::new(followers)) }
    }

    /// Follows one more partition of the log.
    pub fn follow(&self, follower: Arc<Follower>) {
        self.followers.write().unwrap_or_else(PoisonError::into_inner).push(follower);
    }

    /// The followers.
    #[must_use]
    pub fn followers(&self) -> Vec<Arc<Follower>> {
        self.followers.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes in what the log has by now, so that the next question finds it decoded.
    ///
    /// # Errors
    /// When the lake can't be read.
    pub async fn keep_up(&self) -> Result<(), QueryError> {
        let snapshot = self.source.latest().await?;
        let followers = self.followers();
        join_all(followers.iter().map(|follower| follower.keep_up(snapshot.stored_of(follower.partition()).below))).await;
        Ok(())
    }

    /// Everything that is durable now, each event once.
    ///
    /// # Errors
    /// When the lake or the log can't be read, or the lake lags behind the log by more than the followers may hold.
    pub async fn cut(&self) -> Result<Cut, QueryError> {
        let followers = self.followers();
        let rows = followers.iter().map(|follower| follower.config().rows).min().unwrap_or(0);
        let bytes = followers.iter().map(|follower| follower.config().budget.bytes()).min().unwrap_or(0);
        let mut unjoined = QueryError::LakeBehind { rows, bytes };
        for _ in 0..SNAPSHOTS_TRIED {
            let snapshot = self.source.latest().await?;
            match tails_after(&followers, &snapshot).await {
                Ok(tails) => return Ok(join(snapshot, tails)),
                Err(TailError::CutOff) => unjoined = QueryError::LakeBehind { rows, bytes },
                Err(TailError::Truncated(error)) => unjoined = error,
                Err(TailError::Failed(error)) => return Err(error),
            }
        }
        Err(unjoined)
    }
}

/// The tails that continue the snapshot.
async fn tails_after(followers: &[Arc<Follower>], snapshot: &LakeSnapshot) -> Result<Vec<Tail>, TailError> {
    try_join_all(followers.iter().map(|follower| follower.tail_after(snapshot.stored_of(follower.partition())))).await
}

fn join(snapshot: LakeSnapshot, tails: Vec<Tail>) -> Cut {
    let (mut events, mut dead_letters) = (Vec::new(), Vec::new());
    for tail in tails {
        events.extend(tail.events);
        dead_letters.extend(tail.dead_letters);
    }
    Cut {
        lake_version: snapshot.version,
        tail_rows: events.iter().map(RecordBatch::num_rows).sum(),
        events: Arc::new(LiveTable::new(snapshot.events, events, &event_columns())),
        dead_letters: Arc::new(LiveTable::new(snapshot.dead_letters, dead_letters, &dead_letter_columns())),
    }
}
