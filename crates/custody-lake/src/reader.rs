//! Snapshots of the lake for queries.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use custody_types::LogPosition;
use deltalake::{
    datafusion::{
        catalog::TableProvider,
        error::DataFusionError,
        execution::SessionState,
        prelude::{SessionConfig, SessionContext},
    },
    delta_datafusion::DeltaScanNext,
};
use tokio::sync::Mutex;

use crate::{
    error::StoreError,
    location::LakeRoot,
    store::{
        TableState,
        handle::TableHandle,
        storage::{Access, log_store},
    },
    table::LakeTable,
};

/// Application transactions under this prefix hold the next log position of a partition.
const POSITION_PREFIX: &str = "custody/position/";

/// Opens snapshots; one per query process. Taking a snapshot reads only what was committed since the one before.
pub struct LakeReader {
    root: LakeRoot,
    tables: Mutex<Option<Tables>>,
    /// Nothing while no text was kept.
    content: Mutex<Option<TableHandle>>,
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
    /// Opens a lake whose tables ingest made.
    ///
    /// # Errors
    /// When there is no lake or it cannot be read.
    pub async fn open(root: impl Into<LakeRoot>) -> Result<Self, StoreError> {
        let root = root.into();
        let tables = open_tables(&root).await?;
        Ok(Self { root, tables: Mutex::new(Some(tables)), content: Mutex::new(None) })
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
        let snapshot = take(&tables).await;
        *slot = Some(tables);
        snapshot
    }
}

impl LakeReader {
    /// Sealed texts as they are now; nothing while no text was kept.
    pub(crate) async fn content(&self) -> Result<Option<Arc<dyn TableProvider>>, StoreError> {
        let mut slot = self.content.lock().await;
        let handle = match slot.take() {
            Some(mut handle) => {
                handle.refresh().await?;
                handle
            }
            None if has_table(&self.root, LakeTable::Content).await? => open_table(&self.root, LakeTable::Content, Access::Read).await?,
            None => return Ok(None),
        };
        let handle = slot.insert(handle);
        provider(handle).await.map(Some).map_err(StoreError::storage("opening `content` for queries"))
    }
}

/// Whether a table of the lake is there: that of texts is made when the first is kept.
///
/// # Errors
/// When the store fails.
pub async fn has_table(lake: impl Into<LakeRoot>, table: LakeTable) -> Result<bool, StoreError> {
    match log_store(&lake.into(), table.name(), Access::Read) {
        Ok(log_store) => log_store.is_delta_table_location().await.map_err(StoreError::storage("looking for the table")),
        Err(StoreError::UnusableTable { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

async fn open_tables(root: &LakeRoot) -> Result<Tables, StoreError> {
    let events = open_table(root, LakeTable::Events, Access::Read).await?;
    let dead_letters = open_table(root, LakeTable::DeadLetters, Access::Read).await?;
    Ok(Tables { events, dead_letters })
}

/// A table that is there.
pub(crate) async fn open_table(root: &LakeRoot, table: LakeTable, access: Access) -> Result<TableHandle, StoreError> {
    let log_store = log_store(root, table.name(), access)?;
    let is_there = log_store.is_delta_table_location().await.map_err(StoreError::storage("looking for the table"))?;
    if !is_there {
        return Err(StoreError::UnusableTable { table: table.name(), found: format!("no table in `{root}`") });
    }
    TableHandle::open(log_store).await
}

async fn take(tables: &Tables) -> Result<Snapshot, StoreError> {
    let TableState { version, transactions } = tables.events.table_state();
    Ok(Snapshot {
        version,
        positions: positions(&transactions),
        dead_letter_positions: positions(&tables.dead_letters.table_state().transactions),
        transactions,
        events: provider(&tables.events).await.map_err(StoreError::storage("opening `events` for queries"))?,
        dead_letters: provider(&tables.dead_letters).await.map_err(StoreError::storage("opening `dead_letters` for queries"))?,
    })
}

pub(crate) fn positions(transactions: &BTreeMap<String, i64>) -> BTreeMap<String, LogPosition> {
    let position = |(id, version): (&String, &i64)| {
        let partition = id.strip_prefix(POSITION_PREFIX)?;
        Some((partition.to_owned(), LogPosition::new(u64::try_from(*version).ok()?)))
    };
    transactions.iter().filter_map(position).collect()
}

/// Columns come back as they were written, not in the engine's own string type, so that they unite with a follower's rows. The log
/// store goes along, so that a session that never saw this store can read from it.
async fn provider(table: &TableHandle) -> Result<Arc<dyn TableProvider>, DataFusionError> {
    static AS_WRITTEN: LazyLock<Arc<SessionState>> = LazyLock::new(|| {
        let mut config = SessionConfig::new();
        config.options_mut().execution.parquet.schema_force_view_types = false;
        config.options_mut().execution.parquet.pushdown_filters = true;
        Arc::new(SessionContext::new_with_config(config).state())
    });
    let builder = DeltaScanNext::builder().with_session(Arc::clone(&AS_WRITTEN)).with_eager_snapshot(table.eager());
    Ok(Arc::new(builder.with_log_store(Arc::clone(table.log_store())).build().await?))
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
