//! Making a table, and giving an older one the columns that it lacks.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use deltalake::{
    DeltaTableError,
    kernel::{
        Action, MetadataExt, StructField, StructType,
        engine::arrow_conversion::{TryIntoArrow, TryIntoKernel},
        transaction::{CommitBuilder, CommitProperties},
    },
    logstore::LogStoreRef,
    operations::create::CreateBuilder,
    protocol::{DeltaOperation, SaveMode},
};

use super::handle::TableHandle;
use crate::{error::StoreError, table::TableDefinition};

const CREATING: &str = "creating the table";
const UPGRADING: &str = "adding columns to the table";

/// Commits between checkpoints: opening reads at most so many commit files.
const CHECKPOINT_INTERVAL: &str = "50";

/// Tries to widen a table while others append to it or widen it as well. Each loses at most once to each of them.
const UPGRADE_TRIES: u32 = 10;

/// Opens a table, made if it is not there and upgraded if it lacks columns.
pub(super) async fn open_or_create(log_store: &LogStoreRef, table: &TableDefinition) -> Result<TableHandle, StoreError> {
    create(log_store, table).await?;
    let mut handle = TableHandle::open(Arc::clone(log_store)).await?;
    let mut refused = None;
    for _ in 0..UPGRADE_TRIES {
        let Some(schema) = schema_to_write(&handle, table)? else { return Ok(handle) };
        // Whether it was another's upgrade, an append or a lost answer that came between: the table tells what is still to be done.
        refused = add_columns(&handle, schema, table).await.err();
        handle.refresh().await?;
    }
    match (schema_to_write(&handle, table)?, refused) {
        (Some(_), Some(error)) => Err(error),
        _ => Ok(handle),
    }
}

/// A step of its own: two first commits that race would both land. Losing the race to another creator is success.
async fn create(log_store: &LogStoreRef, table: &TableDefinition) -> Result<(), StoreError> {
    let exists = || async { log_store.is_delta_table_location().await.map_err(StoreError::storage(CREATING)) };
    if exists().await? {
        return Ok(());
    }
    let columns: StructType = table.columns.as_ref().try_into_kernel().map_err(StoreError::encoding)?;
    let created = CreateBuilder::new()
        .with_log_store(Arc::clone(log_store))
        .with_table_name(table.name)
        .with_columns(columns.fields().cloned())
        .with_partition_columns([table.partitioned_by])
        .with_configuration(properties(table))
        .with_raise_if_key_not_exists(false)
        .with_save_mode(SaveMode::Ignore)
        .with_commit_properties(CommitProperties::default().with_max_retries(0))
        .await;
    match created {
        Ok(_) => Ok(()),
        Err(_) if exists().await? => Ok(()),
        Err(error) => Err(StoreError::storage(CREATING)(error)),
    }
}

fn properties(table: &TableDefinition) -> Vec<(String, Option<String>)> {
    let settings = [
        // Evidence: nothing is deleted but by expiry, and the table's own history is kept. Texts are what may be forgotten.
        ("delta.appendOnly", (!table.may_forget).to_string()),
        ("delta.enableExpiredLogCleanup", "false".to_owned()),
        ("delta.checkpointInterval", CHECKPOINT_INTERVAL.to_owned()),
        // Statistics hold values in the clear.
        ("delta.dataSkippingStatsColumns", table.with_statistics.join(",")),
    ];
    settings.into_iter().map(|(key, value)| (key.to_owned(), Some(value))).collect()
}

/// The schema that the table needs, where it is not the one it has. Columns that only the table has are kept: a later version of this
/// program wrote them.
fn schema_to_write(handle: &TableHandle, table: &TableDefinition) -> Result<Option<Schema>, StoreError> {
    let present: Schema = handle.state().schema().as_ref().try_into_arrow().map_err(StoreError::encoding)?;
    let mut missing = false;
    for wanted in table.columns.fields() {
        match present.field_with_name(wanted.name()) {
            Ok(found) if found.data_type() == wanted.data_type() => {}
            Ok(found) if holds_more(wanted.data_type(), found.data_type()) => missing = true,
            Ok(found) if holds_more(found.data_type(), wanted.data_type()) => {}
            Ok(found) => {
                let found = format!("column `{}` is {} and not {}", wanted.name(), found.data_type(), wanted.data_type());
                return Err(StoreError::UnusableTable { table: table.name, found });
            }
            Err(_) => missing = true,
        }
    }
    let only_present = present.fields().iter().filter(|field| table.columns.field_with_name(field.name()).is_err());
    let fields: Vec<_> = table.columns.fields().iter().chain(only_present).cloned().collect();
    Ok(missing.then(|| Schema::new(fields)))
}

/// Whether a nested type has every field of another, and more.
fn holds_more(larger: &DataType, smaller: &DataType) -> bool {
    match (larger, smaller) {
        (DataType::List(large), DataType::List(small)) | (DataType::Map(large, _), DataType::Map(small, _)) => {
            large.data_type() == small.data_type() || holds_more(large.data_type(), small.data_type())
        }
        (DataType::Struct(large), DataType::Struct(small)) => small.iter().all(|field| {
            let (_, found) = large.find(field.name()).unzip();
            found.is_some_and(|found| found.data_type() == field.data_type() || holds_more(found.data_type(), field.data_type()))
        }),
        _ => false,
    }
}

async fn add_columns(handle: &TableHandle, schema: Schema, table: &TableDefinition) -> Result<(), StoreError> {
    let wanted: StructType = (&schema).try_into_kernel().map_err(StoreError::encoding)?;
    let metadata = handle.state().metadata().clone().with_schema(&wanted).map_err(StoreError::encoding)?;
    let present = handle.state().schema();
    let fields: Vec<StructField> = wanted.fields().filter(|field| present.field(field.name()).is_none()).cloned().collect();
    tracing::info!(table = table.name, columns = fields.len(), "lake table gets columns of a later schema");
    let commit: Result<_, DeltaTableError> = CommitBuilder::from(CommitProperties::default().with_max_retries(0))
        .with_actions(vec![Action::Metadata(metadata)])
        .build(Some(handle.state()), Arc::clone(handle.log_store()), DeltaOperation::AddColumn { fields })
        .await;
    commit.map(|_| ()).map_err(StoreError::storage(UPGRADING))
}
