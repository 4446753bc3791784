//! The application transactions of a table. Delta's library answers for one known id at a time; a restart has to learn which there
//! are, so they are read from the table's log: the last checkpoint, then every commit after it.

use std::{collections::BTreeMap, sync::Arc};

use arrow::{
    array::{Array, AsArray, RecordBatch, StructArray},
    datatypes::Int64Type,
};
use bytes::Bytes;
use deltalake::{
    DeltaTableError, ObjectStore, Path,
    logstore::{LogStoreRef, object_store::ObjectStoreExt},
};
use futures::{StreamExt, TryStreamExt};
use parquet::arrow::{ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder};
use serde_json::Value;

use crate::error::StoreError;

const READING: &str = "reading the table's transactions";
const AT_ONCE: usize = 16;

/// The transactions in force at one version.
#[derive(Debug, Clone, Default)]
pub(crate) struct Transactions {
    /// The first version that is not in it.
    next_version: u64,
    by_application: BTreeMap<String, i64>,
}

impl Transactions {
    /// Those in force at the table's last checkpoint, or none.
    pub(crate) async fn at_last_checkpoint(log_store: &LogStoreRef) -> Self {
        // The log is never cleaned up, so where there is no usable checkpoint the commits tell it all.
        read_checkpoint(log_store.object_store(None)).await.unwrap_or_default()
    }

    /// Takes in the commits up to a version.
    pub(crate) async fn advance(&mut self, log_store: &LogStoreRef, version: u64) -> Result<(), StoreError> {
        let commits = futures::stream::iter(self.next_version..=version)
            .map(|version| async move { log_store.read_commit_entry(version).await.map(|entry| (version, entry)) })
            .buffered(AT_ONCE);
        let mut commits = std::pin::pin!(commits);
        while let Some((version, entry)) = commits.try_next().await.map_err(StoreError::storage(READING))? {
            let entry = entry.ok_or_else(|| StoreError::storage(READING)(format!("commit {version} is missing")))?;
            self.apply(&entry)?;
            self.next_version = version.saturating_add(1);
        }
        Ok(())
    }

    pub(crate) const fn by_application(&self) -> &BTreeMap<String, i64> {
        &self.by_application
    }

    fn apply(&mut self, commit: &[u8]) -> Result<(), StoreError> {
        for action in actions(commit) {
            let action = action.map_err(StoreError::storage(READING))?;
            let Some(transaction) = action.get("txn") else { continue };
            let id = transaction.get("appId").and_then(Value::as_str);
            if let (Some(id), Some(version)) = (id, transaction.get("version").and_then(Value::as_i64)) {
                self.by_application.insert(id.to_owned(), version);
            }
        }
        Ok(())
    }
}

/// The actions of a commit entry, one JSON object a line.
pub(super) fn actions(commit: &[u8]) -> impl Iterator<Item = Result<Value, serde_json::Error>> {
    commit.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(serde_json::from_slice)
}

async fn read_checkpoint(store: Arc<dyn ObjectStore>) -> Option<Transactions> {
    let pointer = get(&store, "_delta_log/_last_checkpoint").await.ok()?;
    let pointer: Value = serde_json::from_slice(&pointer).ok()?;
    let version = pointer.get("version")?.as_u64()?;
    let checkpoint = get(&store, &format!("_delta_log/{version:020}.checkpoint.parquet")).await.ok()?;
    let by_application = read_transactions(checkpoint)?;
    Some(Transactions { next_version: version.saturating_add(1), by_application })
}

async fn get(store: &Arc<dyn ObjectStore>, path: &str) -> Result<Bytes, DeltaTableError> {
    Ok(store.get(&Path::from(path)).await?.bytes().await?)
}

fn read_transactions(checkpoint: Bytes) -> Option<BTreeMap<String, i64>> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(checkpoint).ok()?;
    let only_transactions = ProjectionMask::columns(builder.parquet_schema(), ["txn"]);
    let mut found = BTreeMap::new();
    for batch in builder.with_projection(only_transactions).build().ok()? {
        collect(&batch.ok()?, &mut found)?;
    }
    Some(found)
}

fn collect(batch: &RecordBatch, found: &mut BTreeMap<String, i64>) -> Option<()> {
    let transactions: &StructArray = batch.column_by_name("txn")?.as_struct_opt()?;
    let ids = transactions.column_by_name("appId")?.as_string_opt::<i32>()?;
    let versions = transactions.column_by_name("version")?.as_primitive_opt::<Int64Type>()?;
    for (row, (id, version)) in ids.iter().zip(versions).enumerate() {
        // A checkpoint's rows are actions of all sorts: what is below a null is not a value.
        if let (true, Some(id), Some(version)) = (transactions.is_valid(row), id, version) {
            found.insert(id.to_owned(), version);
        }
    }
    Some(())
}
