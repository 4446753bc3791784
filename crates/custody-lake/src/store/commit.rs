//! Makes a version of a table, on exactly one snapshot or not at all, and finds it again.
//!
//! What is taken from the library and what is not: a commit is made for exactly one version (no retries of its own, which would move
//! it past commits that the caller has not seen), application transactions are recorded and not compared, and its light append path is
//! not used, because it drops transactions and statistics.
//!
//! ```text
//! answer of the store                                    what the caller is told
//! the put was made                                       the version
//! exists (412), concurrent put (409), table moved on     conflict: it may be our own earlier try, so look for it
//! anything else, no answer in time, torn connection      ambiguous: look for it
//! refused before anything was sent                       failed: surely not made
//! ```
//! A put that is still under way when the wait is over may land later, but only as the version that it was made for: whoever tries
//! again meets it as a conflict and finds it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use deltalake::{
    DeltaTableError,
    kernel::{
        Action, Add, Transaction,
        transaction::{CommitBuilder, CommitProperties, PostCommit, PreparedCommit, TransactionError},
    },
    logstore::LogStoreRef,
    protocol::DeltaOperation,
};
use serde_json::Value;
use uuid::Uuid;

use super::{StagedFile, handle::TableHandle, transactions::actions};
use crate::error::{CommitError, StoreError};

/// Under this name the commit id stands in the commit's information.
const COMMIT_ID: &str = "custodyCommitId";

/// Longest wait for a commit: a listing and a put of some kilobytes, with the client's own repetitions.
const COMMIT_LIMIT: Duration = Duration::from_secs(90);

const LOOKING: &str = "looking for a commit";

/// What a version adds to the one before.
pub(crate) struct NewVersion {
    pub(crate) actions: Vec<Action>,
    pub(crate) transactions: Vec<Transaction>,
    pub(crate) operation: DeltaOperation,
    pub(crate) commit_id: Uuid,
}

impl NewVersion {
    /// Makes the version that follows the handle's.
    pub(crate) async fn land(self, on: &TableHandle) -> Result<PostCommit, CommitError> {
        let version = on.version();
        let prepared = self.prepare(on).await.map_err(CommitError::Failed)?;
        match tokio::time::timeout(COMMIT_LIMIT, prepared).await {
            Ok(landed) => landed.map_err(|error| commit_error(version, error)),
            Err(elapsed) => Err(CommitError::Ambiguous { version, source: Box::new(elapsed) }),
        }
    }

    async fn prepare(self, on: &TableHandle) -> Result<PreparedCommit<'_>, StoreError> {
        let properties = CommitProperties::default()
            .with_max_retries(0)
            .with_metadata([(COMMIT_ID.to_owned(), Value::String(self.commit_id.to_string()))])
            .with_application_transactions(self.transactions)
            .with_cleanup_expired_logs(Some(false));
        CommitBuilder::from(properties)
            .with_actions(self.actions)
            .build(Some(on.state()), Arc::clone(on.log_store()), self.operation)
            .into_prepared_commit_future()
            .await
            .map_err(StoreError::storage("preparing a commit"))
    }
}

/// A staged file as an addition to the table.
pub(crate) fn add(file: StagedFile) -> Add {
    Add {
        path: file.path,
        partition_values: HashMap::from([(file.partitioned_by.to_owned(), Some(file.event_date))]),
        size: i64::try_from(file.bytes).unwrap_or(i64::MAX),
        modification_time: file.modified_at_millis,
        data_change: true,
        stats: Some(file.statistics),
        ..Add::default()
    }
}

/// The version that carries the commit id, looked for after `since_version`.
pub(crate) async fn find(log_store: &LogStoreRef, commit_id: Uuid, since_version: u64) -> Result<Option<u64>, StoreError> {
    let commit_id = commit_id.to_string();
    let latest = log_store.get_latest_version(since_version).await.map_err(StoreError::storage(LOOKING))?;
    for version in since_version.saturating_add(1)..=latest {
        let entry = log_store.read_commit_entry(version).await.map_err(StoreError::storage(LOOKING))?;
        let entry = entry.ok_or_else(|| StoreError::storage(LOOKING)(format!("commit {version} is missing")))?;
        if carries(&entry, &commit_id) {
            return Ok(Some(version));
        }
    }
    Ok(None)
}

fn carries(entry: &[u8], commit_id: &str) -> bool {
    let mut infos = actions(entry).filter_map(Result::ok);
    infos.any(|action| action.pointer(&format!("/commitInfo/{COMMIT_ID}")).and_then(Value::as_str) == Some(commit_id))
}

/// The store's 409 and 412 arrive as `AlreadyExists`, which the library turns into one of the first three.
fn commit_error(version: u64, error: DeltaTableError) -> CommitError {
    match error {
        DeltaTableError::VersionAlreadyExists(_)
        | DeltaTableError::Transaction {
            source: TransactionError::VersionAlreadyExists(_) | TransactionError::CommitConflict(_) | TransactionError::MaxCommitAttempts(_),
        } => CommitError::Conflict { version },
        error => CommitError::Ambiguous { version, source: Box::new(error) },
    }
}

#[cfg(test)]
mod tests {
    use deltalake::logstore::object_store::Error;

    use super::*;

    fn told(source: Error) -> CommitError {
        commit_error(7, TransactionError::from(source).into())
    }

    /// What the S3 client reports for 403, 404, 5xx, a time-out or a torn connection never proves that nothing was written.
    #[test]
    fn an_answer_that_proves_nothing_is_ambiguous() {
        let cause = || Box::new(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
        let answers = [
            Error::Generic { store: "S3", source: cause() },
            Error::NotFound { path: String::new(), source: cause() },
            Error::PermissionDenied { path: String::new(), source: cause() },
            Error::Precondition { path: String::new(), source: cause() },
        ];
        for answer in answers {
            let told = told(answer);
            assert!(matches!(told, CommitError::Ambiguous { version: 7, .. }), "{told:?}");
        }
    }

    #[test]
    fn an_existing_version_is_a_conflict() {
        for error in [TransactionError::VersionAlreadyExists(8), TransactionError::MaxCommitAttempts(0)] {
            let told = commit_error(7, error.into());
            assert!(matches!(told, CommitError::Conflict { version: 7 }), "{told:?}");
        }
    }
}
