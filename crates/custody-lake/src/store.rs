//! The port to a table, and its Delta adapter.

pub(crate) mod commit;
mod delta;
mod durable_folder;
pub(crate) mod handle;
pub(crate) mod listing;
pub(crate) mod live_file;
pub(crate) mod parquet_file;
mod statistics;
pub(crate) mod storage;
mod transactions;
mod upkeep;
pub(crate) mod upload;

use std::collections::BTreeMap;

use async_trait::async_trait;
use uuid::Uuid;

pub use self::delta::DeltaStore;
use crate::{
    content::ContentRows,
    dead_letters::DeadLetterRows,
    decode::EventRows,
    error::{CommitError, StoreError},
};

/// What a table store really promises: snapshots, staging, and a commit that lands on exactly the snapshot it was made for or
/// not at all. One store is one table; one task uses it.
#[async_trait]
pub trait TableStore: Send + Sync {
    /// What the table takes.
    type Rows: Send;

    /// What the store keeps of staged rows; a clone refers to the same files, so that a commit can be tried again.
    type Staged: Send + Sync + Clone;

    /// The table as it is now, never as it was.
    async fn snapshot(&self) -> Result<TableState, StoreError>;

    /// Writes rows where no reader sees them yet.
    async fn stage(&self, rows: Self::Rows) -> Result<Self::Staged, StoreError>;

    /// Makes staged rows visible and records the transactions, atomically, as the version that follows `on`. The store does not
    /// compare transactions with those of `on`: that check is the caller's.
    async fn commit(
        &self,
        on: &TableState,
        staged: Self::Staged,
        transactions: &[(String, i64)],
        commit_id: Uuid,
    ) -> Result<u64, CommitError>;

    /// The version that carries this commit id, looked for after `since_version`.
    async fn find_commit(&self, commit_id: Uuid, since_version: u64) -> Result<Option<u64>, StoreError>;
}

/// A version of a table and the application transactions in force at it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableState {
    /// The version.
    pub version: u64,
    /// Application id to the last version recorded for it.
    pub transactions: BTreeMap<String, i64>,
}

/// Files that no reader sees yet.
#[derive(Debug, Clone, Default)]
pub struct Staged {
    files: Vec<StagedFile>,
}

/// One of them.
#[derive(Debug, Clone)]
pub struct StagedFile {
    /// Its path below the table.
    pub path: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its rows.
    pub rows: u64,
    partitioned_by: &'static str,
    event_date: String,
    statistics: String,
    modified_at_millis: i64,
}

impl Staged {
    /// The files.
    #[must_use]
    pub fn files(&self) -> &[StagedFile] {
        &self.files
    }

    /// Their rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// Their bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// The `events` table.
pub type EventStore = DeltaStore<EventRows>;

/// The `content` table.
pub type ContentStore = DeltaStore<ContentRows>;

/// The `dead_letters` table.
pub type DeadLetterStore = DeltaStore<DeadLetterRows>;

#[cfg(test)]
mod port_tests;
#[cfg(test)]
mod tests;
