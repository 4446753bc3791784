//! The files of a version of a table.

use deltalake::{
    Path,
    kernel::{LogicalFileView, Remove},
};
use serde_json::Value;

use super::handle::TableHandle;
use crate::error::StoreError;

/// A file that a version of the table consists of.
#[derive(Clone)]
pub(crate) struct LiveFile {
    /// Below the table, as the object store names it.
    pub(crate) path: Path,
    pub(crate) event_date: String,
    pub(crate) bytes: u64,
    /// Nothing where another writer did not say.
    pub(crate) rows: Option<u64>,
    pub(crate) modified_at_millis: i64,
    /// Whether rows of it are marked as deleted, which this program never does.
    pub(crate) has_deletions: bool,
    view: LogicalFileView,
}

impl LiveFile {
    fn new(view: LogicalFileView) -> Self {
        Self {
            path: view.object_store_path(),
            // Each of our tables is partitioned by one column.
            event_date: view.partition_values_map().into_values().next().flatten().unwrap_or_default(),
            bytes: u64::try_from(view.size()).unwrap_or_default(),
            rows: rows(&view),
            modified_at_millis: view.modification_time(),
            has_deletions: view.deletion_vector_descriptor().is_some(),
            view,
        }
    }

    /// Its removal, with rows that no version after has.
    pub(crate) fn removed(&self, at_millis: i64) -> Remove {
        Remove { deletion_timestamp: Some(at_millis), ..self.view.remove_action(true) }
    }

    /// Least and greatest value of a text column, where the table's log tells them.
    pub(crate) fn text_bounds(&self, column: &str) -> Option<(String, String)> {
        let statistics: Value = serde_json::from_str(&self.view.stats()?).ok()?;
        let bound = |side: &str| Some(statistics.get(side)?.get(column)?.as_str()?.to_owned());
        Some((bound("minValues")?, bound("maxValues")?))
    }

    /// Its removal, whose rows stay in the table by another file.
    pub(crate) fn replaced(&self, at_millis: i64) -> Remove {
        Remove { deletion_timestamp: Some(at_millis), ..self.view.remove_action(false) }
    }
}

fn rows(view: &LogicalFileView) -> Option<u64> {
    if let Some(rows) = view.num_records() {
        return u64::try_from(rows).ok();
    }
    let statistics: Value = serde_json::from_str(&view.stats()?).ok()?;
    statistics.get("numRecords")?.as_u64()
}

/// Every file of the handle's version.
pub(crate) fn live_files(handle: &TableHandle) -> Result<Vec<LiveFile>, StoreError> {
    let files = handle.state().snapshot().try_log_data().map_err(StoreError::storage("listing the table's files"))?;
    Ok(files.iter().map(LiveFile::new).collect())
}
