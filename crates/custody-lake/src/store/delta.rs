//! The port over a Delta table in a folder or on S3.

use std::{marker::PhantomData, sync::Arc};

use async_trait::async_trait;
use custody_types::{Clock, IdSource};
use deltalake::{
    kernel::{Action, Transaction, transaction::PostCommit},
    logstore::LogStoreRef,
    protocol::{DeltaOperation, SaveMode},
};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::{
    Staged, TableState, TableStore,
    commit::{NewVersion, add, find},
    handle::TableHandle,
    parquet_file::encode,
    storage::{Access, log_store},
    upkeep::open_or_create,
    upload::Uploader,
};
use crate::{
    error::{CommitError, StoreError},
    location::LakeRoot,
    table::LakeRows,
};

/// A Delta table that takes rows of one kind.
pub struct DeltaStore<R> {
    log_store: LogStoreRef,
    uploader: Uploader,
    /// Nothing when the last commit left it behind the table: it is opened anew.
    handle: Mutex<Option<TableHandle>>,
    rows: PhantomData<fn(R)>,
}

impl<R: LakeRows> DeltaStore<R> {
    /// Opens the table below the lake's root. It is made if it is not there, and gets columns that it lacks.
    ///
    /// # Errors
    /// When the root cannot be used or holds another table.
    pub async fn open(lake: impl Into<LakeRoot>, clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>) -> Result<Self, StoreError> {
        Self::over(log_store(&lake.into(), R::definition().name, Access::Write)?, clock, ids).await
    }

    /// Opens the table whose log this is.
    pub(crate) async fn over(log_store: LogStoreRef, clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>) -> Result<Self, StoreError> {
        let handle = open_or_create(&log_store, &R::definition()).await?;
        let uploader = Uploader::new(Arc::clone(&log_store), clock, ids);
        Ok(Self { log_store, uploader, handle: Mutex::new(Some(handle)), rows: PhantomData })
    }
}

/// An append. The id is found again in the version that it made.
fn append<R: LakeRows>(staged: Staged, transactions: &[(String, i64)], commit_id: Uuid) -> NewVersion {
    NewVersion {
        actions: staged.files.into_iter().map(|file| Action::Add(add(file))).collect(),
        transactions: transactions.iter().map(|(id, version)| Transaction::new(id, *version)).collect(),
        operation: DeltaOperation::Write {
            mode: SaveMode::Append,
            partition_by: Some(vec![R::definition().partitioned_by.to_owned()]),
            predicate: None,
        },
        commit_id,
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
            files.push(self.uploader.upload(file).await?);
        }
        Ok(Staged { files })
    }

    async fn commit(&self, on: &TableState, staged: Staged, transactions: &[(String, i64)], commit_id: Uuid) -> Result<u64, CommitError> {
        let mut slot = self.handle.lock().await;
        let at_snapshot = slot.take().filter(|handle| handle.version() == on.version);
        let handle = at_snapshot.ok_or(CommitError::Conflict { version: on.version })?;
        let landed = append::<R>(staged, transactions, commit_id).land(&handle).await?;
        let version = landed.version;
        *slot = follow(handle, landed).await;
        Ok(version)
    }

    async fn find_commit(&self, commit_id: Uuid, since_version: u64) -> Result<Option<u64>, StoreError> {
        find(&self.log_store, commit_id, since_version).await
    }
}
