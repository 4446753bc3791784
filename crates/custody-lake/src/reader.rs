//! Snapshots of the lake for queries.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use custody_types::LogPosition;
use deltalake::{
    datafusion::{catalog::TableProvider, error::DataFusionError},
    delta_datafusion::{DeltaScanConfig, DeltaScanNext},
};
use tokio::sync::Mutex;

use crate::{
    dead_letters::DeadLetterRows,
    decode::EventRows,
    error::StoreError,
    store::{
        TableState,
        handle::{Access, TableHandle, log_store},
    },
    table::LakeRows,
};

/// Application transactions under this prefix hold the next log position of a partition.
const POSITION_PREFIX: &str = "custody/position/";

/// Opens snapshots; one per query process. Taking a snapshot reads only what was committed since the one before.
pub struct LakeReader {
    root: PathBuf,
    tables: Mutex<Option<Tables>>,
}

struct Tables {
    events: TableHandle,
    dead_letters: TableHandle,
}

/// Both tables at one version each, and what of the log is in them.
#[derive(Clone)]
pub struct Snapshot {
    /// Version of `events`.
    pub version: u64,
    /// Per log partition, the position below which every record is in this snapshot, as a row or as a dead letter.
    pub positions: BTreeMap<String, LogPosition>,
    /// Per log partition, the position below which every dead letter is in this snapshot. It may lie before `positions`, because a
    /// batch without a letter leaves it, and beyond, because letters are committed before the rows of their batch.
    pub dead_letter_positions: BTreeMap<String, LogPosition>,
    /// Application transactions of `events`.
    pub transactions: BTreeMap<String, i64>,
    events: Arc<dyn TableProvider>,
    dead_letters: Arc<dyn TableProvider>,
}

impl LakeReader {
    /// Opens the lake in a folder, whose tables ingest made.
    ///
    /// # Errors
    /// When the folder holds no lake or cannot be read.
    pub async fn open(root: &Path) -> Result<Self, StoreError> {
        let tables = open_tables(root).await?;
        Ok(Self { root: root.to_owned(), tables: Mutex::new(Some(tables)) })
    }

    /// The lake as it is now.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let mut slot = self.tables.lock().await;
        let tables = match slot.take() {
            Some(mut tables) => {
                // Dead letters are committed first, so they are read last: none that `events` counts on is missing.
                tables.events.refresh().await?;
                tables.dead_letters.refresh().await?;
                tables
            }
            None => open_tables(&self.root).await?,
        };
        let snapshot = take(&tables);
        *slot = Some(tables);
        snapshot
    }
}

async fn open_tables(root: &Path) -> Result<Tables, StoreError> {
    let events = open_table::<EventRows>(root).await?;
    let dead_letters = open_table::<DeadLetterRows>(root).await?;
    Ok(Tables { events, dead_letters })
}

async fn open_table<R: LakeRows>(root: &Path) -> Result<TableHandle, StoreError> {
    let table = R::definition().name;
    if !root.join(table).join("_delta_log").is_dir() {
        return Err(StoreError::UnusableTable { table, found: format!("no table in `{}`", root.display()) });
    }
    TableHandle::open(log_store(root, table, Access::Read)?).await
}

fn take(tables: &Tables) -> Result<Snapshot, StoreError> {
    let TableState { version, transactions } = tables.events.table_state();
    Ok(Snapshot {
        version,
        positions: positions(&transactions),
        dead_letter_positions: positions(&tables.dead_letters.table_state().transactions),
        transactions,
        events: provider(&tables.events).map_err(StoreError::storage("opening `events` for queries"))?,
        dead_letters: provider(&tables.dead_letters).map_err(StoreError::storage("opening `dead_letters` for queries"))?,
    })
}

fn positions(transactions: &BTreeMap<String, i64>) -> BTreeMap<String, LogPosition> {
    let position = |(id, version): (&String, &i64)| {
        let partition = id.strip_prefix(POSITION_PREFIX)?;
        Some((partition.to_owned(), LogPosition::new(u64::try_from(*version).ok()?)))
    };
    transactions.iter().filter_map(position).collect()
}

/// Columns come back as they were written, not in the engine's own string type, so that they unite with a follower's rows.
fn provider(table: &TableHandle) -> Result<Arc<dyn TableProvider>, DataFusionError> {
    let config = DeltaScanConfig { schema_force_view_types: false, wrap_partition_values: false, ..DeltaScanConfig::new() };
    Ok(Arc::new(DeltaScanNext::new(table.eager(), config)?))
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

#[cfg(test)]
mod tests;
