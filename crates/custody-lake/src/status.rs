//! What a table is like, for operators. Numbers only; showing them is the program's.

use std::collections::{BTreeMap, BTreeSet};

use custody_types::{LogPosition, Timestamp};
use deltalake::{
    Path,
    logstore::{LogStoreRef, object_store::ObjectStoreExt},
};
use serde_json::Value;

use crate::{
    error::StoreError,
    location::LakeRoot,
    reader::{open_table, positions},
    store::{
        live_file::{LiveFile, live_files},
        storage::Access,
    },
    table::LakeTable,
};

/// A table at its newest version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableStatus {
    /// The table.
    pub table: LakeTable,
    /// Its version.
    pub version: u64,
    /// When that was made, by the store's clock.
    pub committed_at: Option<Timestamp>,
    /// The version of its last checkpoint: opening the table reads that and the commits since.
    pub checkpoint_version: Option<u64>,
    /// Its files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Their rows.
    pub rows: u64,
    /// Files below the bound that was asked about.
    pub small_files: u64,
    /// The first date with rows, as `2026-11-21`.
    pub oldest_date: Option<String>,
    /// The last date with rows.
    pub newest_date: Option<String>,
    /// Per log partition, the position below which every record is in this table or the other.
    pub positions: BTreeMap<String, LogPosition>,
    /// Whether parts of a torn upload may be left where no listing shows them: on S3, checkpoints above ten megabytes are uploaded in
    /// parts. The bucket needs a rule that aborts incomplete multipart uploads.
    pub needs_abort_multipart_rule: bool,
}

/// Looks at a table; reads its log, and no file.
///
/// # Errors
/// When there is no such table or the store fails.
pub async fn table_status(lake: impl Into<LakeRoot>, table: LakeTable, small_below_bytes: u64) -> Result<TableStatus, StoreError> {
    let lake = lake.into();
    let handle = open_table(&lake, table, Access::Read).await?;
    let files = live_files(&handle)?;
    let dates: BTreeSet<&str> = files.iter().map(|file| file.event_date.as_str()).collect();
    Ok(TableStatus {
        table,
        version: handle.version(),
        committed_at: committed_at(handle.log_store(), handle.version()).await?,
        checkpoint_version: checkpoint_version(handle.log_store()).await?,
        files: files.len() as u64,
        bytes: sum(&files, |file| file.bytes),
        rows: sum(&files, |file| file.rows.unwrap_or_default()),
        small_files: sum(&files, |file| u64::from(file.bytes < small_below_bytes)),
        oldest_date: dates.first().map(|date| (*date).to_owned()),
        newest_date: dates.last().map(|date| (*date).to_owned()),
        positions: positions(&handle.table_state().transactions),
        needs_abort_multipart_rule: lake.is_s3(),
    })
}

fn sum(files: &[LiveFile], of: impl Fn(&LiveFile) -> u64) -> u64 {
    files.iter().map(of).fold(0, u64::saturating_add)
}

/// Nothing where the commit's own file is gone, which only another program would do.
async fn committed_at(log_store: &LogStoreRef, version: u64) -> Result<Option<Timestamp>, StoreError> {
    let path = Path::from(format!("_delta_log/{version:020}.json"));
    match log_store.object_store(None).head(&path).await {
        Ok(found) => Ok(Some(Timestamp::from_micros(found.last_modified.timestamp_micros()))),
        Err(deltalake::ObjectStoreError::NotFound { .. }) => Ok(None),
        Err(error) => Err(StoreError::storage("looking at the last commit")(error)),
    }
}

async fn checkpoint_version(log_store: &LogStoreRef) -> Result<Option<u64>, StoreError> {
    const LOOKING: &str = "looking at the last checkpoint";
    let path = Path::from("_delta_log/_last_checkpoint");
    let pointer = match log_store.object_store(None).get(&path).await {
        Ok(found) => found.bytes().await.map_err(StoreError::storage(LOOKING))?,
        Err(deltalake::ObjectStoreError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(StoreError::storage(LOOKING)(error)),
    };
    let pointer: Value = serde_json::from_slice(&pointer).map_err(StoreError::storage(LOOKING))?;
    Ok(pointer.get("version").and_then(Value::as_u64))
}
