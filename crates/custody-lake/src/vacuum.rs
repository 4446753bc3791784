//! Vacuum: deletes files that no version of a table needs any more, or never did.
//!
//! ```text
//! kept     part of the newest version
//! kept     removed by a version less than the retention ago: a query may still read the version before
//! kept     written less than the retention ago, whoever needs it: an upload that is about to be committed
//! deleted  the rest, in the table's partitions and nowhere else
//! ```
//! Deleting what is not in the log has eaten uncommitted files of others (delta-rs#3645). So the retention has a lower bound that no
//! upload and commit of this program reaches, and "now" is never later than the newest time that the store itself gave a file: a
//! machine whose clock is ahead deletes nothing early.
//!
//! After texts were forgotten, what a version removed goes at once ([`Retention::of_forgotten`]): then no older version can be read.

mod litter;
mod retention;

use std::sync::Arc;

use custody_types::Clock;
use deltalake::{Path, logstore::LogStoreRef};
use futures::{StreamExt, TryStreamExt};
use tokio::sync::watch;

pub use self::{
    litter::{Litter, litter},
    retention::{Retention, RetentionError},
};
use crate::{
    error::StoreError,
    location::LakeRoot,
    reader::open_table,
    store::{
        listing::{Claim, Listed, listed},
        storage::Access,
    },
    table::LakeTable,
};

/// Deleted between two looks at `stop`: what one request to S3 takes.
const DELETED_AT_ONCE: usize = 1000;

const DELETING: &str = "deleting files that no version needs";
const MICROS_PER_MILLI: i64 = 1000;

/// Deletes what one table no longer needs.
pub struct Vacuum {
    table: LakeTable,
    log_store: LogStoreRef,
    retention: Retention,
    clock: Arc<dyn Clock>,
}

/// What a run would delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VacuumPlan {
    /// The table.
    pub table: LakeTable,
    /// The files.
    pub files: Vec<UnneededFile>,
}

/// A file that no version needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnneededFile {
    /// Its path below the table.
    pub path: String,
    /// Its size.
    pub bytes: u64,
}

/// How far a run is, or what it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VacuumProgress {
    /// Files deleted.
    pub files_deleted: u64,
    /// Their bytes.
    pub bytes_deleted: u64,
    /// Files to be deleted.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Vacuum {
    /// A vacuum of a table that is there.
    ///
    /// # Errors
    /// When there is no such table or it cannot be read.
    pub async fn open(
        lake: impl Into<LakeRoot>,
        table: LakeTable,
        retention: Retention,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let handle = open_table(&lake.into(), table, Access::Rewrite).await?;
        Ok(Self { table, log_store: Arc::clone(handle.log_store()), retention, clock })
    }

    /// What a run would delete now.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn plan(&self) -> Result<VacuumPlan, StoreError> {
        let files = listed(&self.log_store, self.table).await?;
        let now_millis = self.now_millis(&files);
        let unneeded = files.into_iter().filter(|file| is_unneeded(file, self.retention, now_millis));
        let files = unneeded.map(|file| UnneededFile { path: file.meta.location.to_string(), bytes: file.meta.size }).collect();
        Ok(VacuumPlan { table: self.table, files })
    }

    /// Deletes what is not needed now, until `stop` says so.
    ///
    /// # Errors
    /// When the store fails. What was deleted before was not needed either.
    pub async fn run(
        &self,
        mut progress: impl FnMut(VacuumProgress) + Send,
        stop: &watch::Receiver<bool>,
    ) -> Result<VacuumProgress, StoreError> {
        let plan = self.plan().await?;
        let bytes = plan.bytes();
        let mut at = VacuumProgress { files: plan.files.len() as u64, bytes, ..VacuumProgress::default() };
        for files in plan.files.chunks(DELETED_AT_ONCE) {
            progress(at);
            let is_asked_to_stop = *stop.borrow();
            if is_asked_to_stop {
                return Ok(at);
            }
            self.delete(files).await?;
            at.files_deleted = at.files_deleted.saturating_add(files.len() as u64);
            at.bytes_deleted = at.bytes_deleted.saturating_add(files.iter().map(|file| file.bytes).sum());
        }
        progress(at);
        Ok(at)
    }

    async fn delete(&self, files: &[UnneededFile]) -> Result<(), StoreError> {
        let store = self.log_store.object_store(None);
        let paths: Vec<_> = files.iter().map(|file| Path::parse(&file.path).map_err(Into::into)).collect();
        let mut deleted = store.delete_stream(futures::stream::iter(paths).boxed());
        loop {
            match deleted.try_next().await {
                Ok(Some(_)) => {}
                Ok(None) => return Ok(()),
                // Another vacuum was faster.
                Err(deltalake::ObjectStoreError::NotFound { .. }) => {}
                Err(error) => return Err(StoreError::storage(DELETING)(error)),
            }
        }
    }

    /// The machine's time, but never later than what the store says of its newest file.
    fn now_millis(&self, files: &[Listed]) -> i64 {
        let newest = files.iter().map(|file| file.meta.last_modified.timestamp_millis()).max();
        newest.unwrap_or_default().min(self.clock.now().micros() / MICROS_PER_MILLI)
    }
}

fn is_unneeded(file: &Listed, retention: Retention, now_millis: i64) -> bool {
    let written = file.meta.last_modified.timestamp_millis();
    match (file.claim, retention.removed_millis()) {
        (Claim::Live, _) => false,
        (Claim::Removed { .. }, None) => true,
        (Claim::Removed { at_millis }, Some(kept)) => at_millis.max(written) < now_millis.saturating_sub(kept),
        (Claim::Unknown, _) => written < now_millis.saturating_sub(retention.uncommitted_millis()),
    }
}

impl VacuumPlan {
    /// Bytes of all files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

#[cfg(test)]
mod tests;
