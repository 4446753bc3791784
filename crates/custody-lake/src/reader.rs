//! Snapshots of the lake for queries.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use custody_types::LogPosition;
use deltalake::datafusion::catalog::TableProvider;

use crate::error::StoreError;

/// Opens snapshots; one per query process. Taking a snapshot reads only what was committed since the one before.
pub struct LakeReader;

/// Both tables at one version each, and what of the log is in them.
#[derive(Clone)]
pub struct Snapshot {
    /// Version of `events`.
    pub version: u64,
    /// Per log partition, the position up to which every record is in this snapshot (as a row or, committed earlier, as a dead
    /// letter): a follower's rows at or after it are not.
    pub positions: BTreeMap<String, LogPosition>,
    events: Arc<dyn TableProvider>,
    dead_letters: Arc<dyn TableProvider>,
}

impl LakeReader {
    /// Opens a lake in a folder. Its tables are made if they are not there.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub async fn open(_root: &Path) -> Result<Self, StoreError> {
        Ok(Self)
    }

    /// The lake as it is now.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        Err(StoreError::UnusableTable { table: "events", found: String::new() })
    }
}

impl Snapshot {
    /// The `events` table; its columns are [`crate::event_columns`].
    #[must_use]
    pub fn events(&self) -> Arc<dyn TableProvider> {
        Arc::clone(&self.events)
    }

    /// The `dead_letters` table.
    #[must_use]
    pub fn dead_letters(&self) -> Arc<dyn TableProvider> {
        Arc::clone(&self.dead_letters)
    }
}
