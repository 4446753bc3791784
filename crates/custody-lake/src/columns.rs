//! The columns of the `events` table, derived from the event's Avro schema: the envelope's fields, each kind's fields as
//! `<kind>_<field>`, then where the log has the record. Every column may be null, so that a later schema can add some.
//!
//! Types are those that Delta gives back, so that a batch from the log and a batch from the table are of one schema.

use std::sync::{Arc, LazyLock};

use arrow::{
    array::{ArrayRef, RecordBatch},
    compute::cast,
    datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit},
    error::ArrowError,
};
use custody_types::Timestamp;

use crate::{
    error::StoreError,
    schemas::Schemas,
    table::{EVENT_DATE, TableDefinition},
};

/// The only columns of which the table's log and files hold least and greatest values: places in time and log, ids, and the bounded
/// names by which queries narrow. Never a caller's own text.
pub const COLUMNS_WITH_STATISTICS: &[&str] = &[
    "event_id",
    "request_id",
    "kind",
    "time",
    "tenant",
    "capability",
    "feature",
    "workflow",
    "log_partition",
    "log_position",
    "source",
    "seq",
];

const SORTED_BY: &[&str] = &["tenant", "feature", "time", "log_position"];
const WITH_BLOOM: &[&str] = &["request_id", "event_id"];

const KIND_SEPARATOR: &str = "_";
const ONE_LEVEL: Option<usize> = Some(1);

/// The columns of the `events` table.
#[must_use]
pub fn event_columns() -> SchemaRef {
    static COLUMNS: LazyLock<SchemaRef> =
        LazyLock::new(|| Schemas::released().and_then(|schemas| table_columns(&schemas)).unwrap_or_else(|_| Arc::new(Schema::empty())));
    Arc::clone(&COLUMNS)
}

/// The columns that events of these schemas have.
pub(crate) fn table_columns(schemas: &Schemas) -> Result<SchemaRef, StoreError> {
    let nested = schemas.decoder(1)?.schema();
    let flat = nested.normalize(KIND_SEPARATOR, ONE_LEVEL).map_err(StoreError::encoding)?;
    let of_event = flat.fields().iter().map(|field| Field::new(field.name(), lake_type(field.data_type()), true));
    let of_log = [
        Field::new("log_partition", DataType::Utf8, true),
        Field::new("log_position", DataType::Int64, true),
        Field::new("source", DataType::Utf8, true),
        Field::new("seq", DataType::Int64, true),
        Field::new("event_date", DataType::Date32, true),
    ];
    Ok(Arc::new(Schema::new(of_event.chain(of_log).collect::<Vec<_>>())))
}

/// The `events` table.
pub(crate) fn events_table() -> TableDefinition {
    TableDefinition {
        name: "events",
        partitioned_by: EVENT_DATE,
        may_forget: false,
        columns: event_columns(),
        sorted_by: SORTED_BY,
        with_statistics: COLUMNS_WITH_STATISTICS,
        with_bloom: WITH_BLOOM,
    }
}

/// Flattens a decoded batch, gives its columns the table's types, and adds what the log knows.
pub(crate) fn flatten(nested: &RecordBatch, columns: &SchemaRef, of_log: Vec<ArrayRef>) -> Result<RecordBatch, ArrowError> {
    let flat = nested.normalize(KIND_SEPARATOR, ONE_LEVEL)?;
    let mut arrays = Vec::with_capacity(columns.fields().len());
    for (array, field) in flat.columns().iter().zip(columns.fields()) {
        arrays.push(as_type(array, field)?);
    }
    arrays.extend(of_log);
    RecordBatch::try_new(Arc::clone(columns), arrays)
}

/// Days since the epoch in UTC, as the partition column holds them.
pub(crate) fn date_of(time: Timestamp) -> i32 {
    i32::try_from(time.utc_day()).unwrap_or(i32::MAX)
}

/// A count from the log as a column holds it. Counts beyond 2^63 do not come up: the journal would be exabytes long.
pub(crate) fn log_number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn as_type(array: &ArrayRef, field: &FieldRef) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == field.data_type() { Ok(Arc::clone(array)) } else { cast(array, field.data_type()) }
}

/// The type that Delta gives back for a type that Avro gave: the same values, other names inside.
fn lake_type(of_avro: &DataType) -> DataType {
    match of_avro {
        DataType::Timestamp(_, _) => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        DataType::List(item) => DataType::List(renamed(item, "element")),
        DataType::Map(entries, _) => DataType::Map(renamed(entries, "key_value"), false),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(|field| renamed(field, field.name())).collect::<Fields>()),
        plain => plain.clone(),
    }
}

fn renamed(field: &FieldRef, name: &str) -> FieldRef {
    Arc::new(Field::new(name, lake_type(field.data_type()), field.is_nullable()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_the_schema_is_a_column() {
        let columns = event_columns();
        let mut expected = Vec::new();
        for field in custody_event::SchemaTree::current().fields() {
            match &field.field_type {
                custody_event::FieldType::Record(kind) => {
                    expected.extend(kind.fields().iter().map(|of_kind| format!("{}_{}", field.name, of_kind.name)));
                }
                _ => expected.push(field.name.clone()),
            }
        }
        expected.extend(["log_partition", "log_position", "source", "seq", "event_date"].map(String::from));
        let names: Vec<String> = columns.fields().iter().map(|field| field.name().clone()).collect();
        assert_eq!(names, expected);
        for name in COLUMNS_WITH_STATISTICS.iter().chain(SORTED_BY).chain(WITH_BLOOM) {
            assert!(columns.field_with_name(name).is_ok(), "{name}");
        }
    }
}
