//! Puts encoded files where no reader sees them yet.

use std::sync::Arc;

use custody_types::{Clock, IdSource};
use deltalake::logstore::{LogStoreRef, object_store::ObjectStoreExt};
use uuid::Uuid;

use super::{StagedFile, parquet_file::EncodedFile};
use crate::error::StoreError;

const MICROS_PER_MILLI: i64 = 1000;

/// Names and uploads files of one table.
pub(crate) struct Uploader {
    log_store: LogStoreRef,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
}

impl Uploader {
    pub(crate) fn new(log_store: LogStoreRef, clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>) -> Self {
        Self { log_store, clock, ids }
    }

    /// One put, under a name that no file had before.
    pub(crate) async fn upload(&self, file: EncodedFile) -> Result<StagedFile, StoreError> {
        let path = format!("{}={}/{}.parquet", file.partitioned_by, file.event_date, self.ids.event_id());
        let bytes = file.bytes.len() as u64;
        let store = self.log_store.object_store(None);
        store.put(&path.as_str().into(), file.bytes.into()).await.map_err(StoreError::storage("writing rows"))?;
        let modified_at_millis = self.now_millis();
        let EncodedFile { partitioned_by, event_date, rows, statistics, .. } = file;
        Ok(StagedFile { path, bytes, rows, partitioned_by, event_date, statistics, modified_at_millis })
    }

    pub(crate) fn now_millis(&self) -> i64 {
        self.clock.now().micros() / MICROS_PER_MILLI
    }

    /// An id that no commit had before.
    pub(crate) fn commit_id(&self) -> Uuid {
        *self.ids.event_id().as_uuid()
    }
}
