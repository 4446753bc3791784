//! The port over a Delta table in a folder.
//!
//! What is taken from the library and what is not: a commit is made for exactly one version (no retries of its own, which would move
//! it past commits that the caller has not seen), application transactions are recorded and not compared, and its light append path is
//! not used, because it drops transactions and statistics.

use std::{collections::HashMap, marker::PhantomData, path::Path, sync::Arc};

use async_trait::async_trait;
use custody_types::{Clock, IdSource};
use deltalake::{
    DeltaTableError,
    kernel::{
        Action, Add, Transaction,
        transaction::{CommitBuilder, CommitProperties, PostCommit, PreparedCommit, TransactionError},
    },
    logstore::{LogStoreRef, object_store::ObjectStoreExt},
    protocol::{DeltaOperation, SaveMode},
};
use serde_json::Value;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::{
    Staged, StagedFile, TableState, TableStore,
    handle::{Access, TableHandle, log_store},
    parquet_file::{EncodedFile, PARTITION_COLUMN, encode},
    transactions::actions,
    upkeep::open_or_create,
};
use crate::{
    error::{CommitError, StoreError},
    table::LakeRows,
};

/// Under this name the commit id stands in the commit's information.
const COMMIT_ID: &str = "custodyCommitId";

const MICROS_PER_MILLI: i64 = 1000;

/// A Delta table in a folder that takes rows of one kind.
pub struct DeltaStore<R> {
    log_store: LogStoreRef,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    /// Nothing when the last commit left it behind the table: it is opened anew.
    handle: Mutex<Option<TableHandle>>,
    rows: PhantomData<fn(R)>,
}

impl<R: LakeRows> DeltaStore<R> {
    /// Opens the table below the lake's root. It is made if it is not there, and gets columns that it lacks.
    ///
    /// # Errors
    /// When the folder cannot be used or holds another table.
    pub async fn open(lake: &Path, clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>) -> Result<Self, StoreError> {
        let table = R::definition();
        let log_store = log_store(lake, table.name, Access::Write)?;
        let handle = open_or_create(&log_store, &table).await?;
        Ok(Self { log_store, clock, ids, handle: Mutex::new(Some(handle)), rows: PhantomData })
    }

    async fn upload(&self, file: EncodedFile) -> Result<StagedFile, StoreError> {
        let path = format!("{PARTITION_COLUMN}={}/{}.parquet", file.event_date, self.ids.event_id());
        let bytes = file.bytes.len() as u64;
        let store = self.log_store.object_store(None);
        store.put(&path.as_str().into(), file.bytes.into()).await.map_err(StoreError::storage("writing rows"))?;
        let modified_at_millis = self.clock.now().micros() / MICROS_PER_MILLI;
        let EncodedFile { event_date, rows, statistics, .. } = file;
        Ok(StagedFile { path, bytes, rows, event_date, statistics, modified_at_millis })
    }

    async fn prepare<'h>(
        &self,
        handle: &'h TableHandle,
        staged: Staged,
        transactions: &[(String, i64)],
        commit_id: Uuid,
    ) -> Result<PreparedCommit<'h>, StoreError> {
        let transactions = transactions.iter().map(|(id, version)| Transaction::new(id, *version)).collect();
        let properties = CommitProperties::default()
            .with_max_retries(0)
            .with_metadata([(COMMIT_ID.to_owned(), Value::String(commit_id.to_string()))])
            .with_application_transactions(transactions)
            .with_cleanup_expired_logs(Some(false));
        let operation =
            DeltaOperation::Write { mode: SaveMode::Append, partition_by: Some(vec![PARTITION_COLUMN.to_owned()]), predicate: None };
        CommitBuilder::from(properties)
            .with_actions(staged.files.into_iter().map(add).collect())
            .build(Some(handle.state()), Arc::clone(&self.log_store), operation)
            .into_prepared_commit_future()
            .await
            .map_err(StoreError::storage("preparing a commit"))
    }
}

/// Takes the handle along if what follows the commit (reading it back, a checkpoint) goes well. The commit itself stands either way.
async fn follow(mut handle: TableHandle, landed: PostCommit) -> Option<TableHandle> {
    let followed = match landed.await {
        Ok(finalized) => handle.moved_to(finalized.snapshot()).await,
        Err(error) => Err(StoreError::storage("following a commit")(error)),
    };
    match followed {
        Ok(()) => Some(handle),
        Err(error) => {
            tracing::warn!(%error, "lake table is opened anew after a commit");
            None
        }
    }
}

fn add(file: StagedFile) -> Action {
    Action::Add(Add {
        path: file.path,
        partition_values: HashMap::from([(PARTITION_COLUMN.to_owned(), Some(file.event_date))]),
        size: i64::try_from(file.bytes).unwrap_or(i64::MAX),
        modification_time: file.modified_at_millis,
        data_change: true,
        stats: Some(file.statistics),
        ..Add::default()
    })
}

fn commit_error(version: u64, error: DeltaTableError) -> CommitError {
    match error {
        DeltaTableError::VersionAlreadyExists(_)
        | DeltaTableError::Transaction {
            source: TransactionError::VersionAlreadyExists(_) | TransactionError::CommitConflict(_) | TransactionError::MaxCommitAttempts(_),
        } => CommitError::Conflict { version },
        error => CommitError::Ambiguous { version, source: Box::new(error) },
    }
}

#[async_trait]
impl<R: LakeRows> TableStore for DeltaStore<R> {
    type Rows = R;
    type Staged = Staged;

    async fn snapshot(&self) -> Result<TableState, StoreError> {
        let mut slot = self.handle.lock().await;
        let handle = match slot.take() {
            Some(mut handle) => {
                handle.refresh().await?;
                handle
            }
            None => TableHandle::open(Arc::clone(&self.log_store)).await?,
        };
        Ok(slot.insert(handle).table_state())
    }

    async fn stage(&self, rows: R) -> Result<Staged, StoreError> {
        let encoding = tokio::task::spawn_blocking(move || encode(&R::definition(), &rows.into_batches()?));
        let mut files = Vec::new();
        for file in encoding.await.map_err(StoreError::encoding)?? {
            files.push(self.upload(file).await?);
        }
        Ok(Staged { files })
    }

    async fn commit(&self, on: &TableState, staged: Staged, transactions: &[(String, i64)], commit_id: Uuid) -> Result<u64, CommitError> {
        let mut slot = self.handle.lock().await;
        let at_snapshot = slot.take().filter(|handle| handle.version() == on.version);
        let handle = at_snapshot.ok_or(CommitError::Conflict { version: on.version })?;
        let prepared = self.prepare(&handle, staged, transactions, commit_id).await.map_err(CommitError::Failed)?;
        let landed = prepared.await.map_err(|error| commit_error(on.version, error))?;
        let version = landed.version;
        *slot = follow(handle, landed).await;
        Ok(version)
    }

    async fn find_commit(&self, commit_id: Uuid, since_version: u64) -> Result<Option<u64>, StoreError> {
        const LOOKING: &str = "looking for a commit";
        let commit_id = commit_id.to_string();
        let latest = self.log_store.get_latest_version(since_version).await.map_err(StoreError::storage(LOOKING))?;
        for version in since_version.saturating_add(1)..=latest {
            let entry = self.log_store.read_commit_entry(version).await.map_err(StoreError::storage(LOOKING))?;
            let entry = entry.ok_or_else(|| StoreError::storage(LOOKING)(format!("commit {version} is missing")))?;
            if carries(&entry, &commit_id) {
                return Ok(Some(version));
            }
        }
        Ok(None)
    }
}

fn carries(entry: &[u8], commit_id: &str) -> bool {
    let mut infos = actions(entry).filter_map(Result::ok);
    infos.any(|action| action.pointer(&format!("/commitInfo/{COMMIT_ID}")).and_then(Value::as_str) == Some(commit_id))
}
