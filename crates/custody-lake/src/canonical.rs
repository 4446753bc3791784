//! Canonical bytes from a table row: the evidence leaf must not depend on where the event is read (D6).

use std::collections::BTreeMap;

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch, StructArray},
    datatypes::{DataType, Int32Type, Int64Type, TimestampMicrosecondType},
};
use custody_event::{
    Field, FieldType, SchemaTree,
    canonical::{CanonicalEvent, Value},
};

/// The row is not an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalRowError {
    /// A column that the event's schema has is missing or has another type.
    #[error("column `{0}` is not as the event's schema has it")]
    Column(String),
    /// The row has no kind that the event's schema knows.
    #[error("row names no kind of event")]
    NoKind,
}

/// The canonical bytes of one row, equal to those of the event that it was made from. The batch may have more columns.
///
/// # Errors
/// When the row is not an event.
pub fn canonical_from_row(batch: &RecordBatch, row: usize) -> Result<Vec<u8>, CanonicalRowError> {
    canonical_by_schema(SchemaTree::current(), batch, row)
}

pub(crate) fn canonical_by_schema(tree: &SchemaTree, batch: &RecordBatch, row: usize) -> Result<Vec<u8>, CanonicalRowError> {
    let (kind, kind_fields) = kind_of(tree, batch, row)?;
    let mut fields = BTreeMap::new();
    for field in tree.fields().iter().filter(|field| !matches!(field.field_type, FieldType::Record(_))) {
        read_column(field, &field.name, batch, row, &mut fields)?;
    }
    for field in kind_fields.fields() {
        read_column(field, &format!("{}_{}", kind.name, field.name), batch, row, &mut fields)?;
    }
    Ok(CanonicalEvent { kind_id: kind.id, fields }.to_bytes())
}

fn kind_of<'t>(tree: &'t SchemaTree, batch: &RecordBatch, row: usize) -> Result<(&'t Field, &'t SchemaTree), CanonicalRowError> {
    let kinds = batch.column_by_name("kind").filter(|kinds| row < kinds.len());
    let Some(FieldValue::Text(name)) = kinds.and_then(|kinds| scalar(kinds, row)) else {
        return Err(CanonicalRowError::NoKind);
    };
    let kind = tree.field(&name).ok_or(CanonicalRowError::NoKind)?;
    match &kind.field_type {
        FieldType::Record(fields) => Ok((kind, fields)),
        _ => Err(CanonicalRowError::NoKind),
    }
}

fn read_column(
    field: &Field,
    column: &str,
    batch: &RecordBatch,
    row: usize,
    fields: &mut BTreeMap<u32, Value>,
) -> Result<(), CanonicalRowError> {
    let not_as_schema = || CanonicalRowError::Column(column.to_owned());
    let array = batch.column_by_name(column).ok_or_else(not_as_schema)?;
    if array.is_valid(row) {
        fields.insert(field.id, read(&field.field_type, array, row).ok_or_else(not_as_schema)?);
    }
    Ok(())
}

enum FieldValue {
    Bool(bool),
    Integer(i64),
    Text(String),
}

/// A value that is not null, where the array holds it in a type that stands for the schema's.
fn read(field_type: &FieldType, array: &ArrayRef, row: usize) -> Option<Value> {
    match (field_type, scalar(array, row)) {
        (FieldType::Bool, Some(FieldValue::Bool(flag))) => Some(Value::Bool(flag)),
        (FieldType::Integer, Some(FieldValue::Integer(number))) => Some(Value::Integer(number)),
        (FieldType::String, Some(FieldValue::Text(text))) => Some(Value::String(text)),
        (FieldType::List(item_type), None) => {
            let items = array.as_list_opt::<i32>()?.value(row);
            (0..items.len()).map(|item| read(item_type, &items, item)).collect::<Option<Vec<_>>>().map(Value::List)
        }
        (FieldType::Map(value_type), None) => read_map(value_type, &array.as_map_opt()?.value(row)),
        (FieldType::Record(tree), None) => read_record(tree, array.as_struct_opt()?, row),
        _ => None,
    }
}

fn scalar(array: &ArrayRef, row: usize) -> Option<FieldValue> {
    match array.data_type() {
        DataType::Boolean => array.as_boolean_opt().map(|flags| FieldValue::Bool(flags.value(row))),
        DataType::Int32 => array.as_primitive_opt::<Int32Type>().map(|numbers| FieldValue::Integer(numbers.value(row).into())),
        DataType::Int64 => array.as_primitive_opt::<Int64Type>().map(|numbers| FieldValue::Integer(numbers.value(row))),
        DataType::Timestamp(_, _) => {
            array.as_primitive_opt::<TimestampMicrosecondType>().map(|times| FieldValue::Integer(times.value(row)))
        }
        DataType::Utf8 => array.as_string_opt::<i32>().map(|texts| FieldValue::Text(texts.value(row).to_owned())),
        DataType::Utf8View => array.as_string_view_opt().map(|texts| FieldValue::Text(texts.value(row).to_owned())),
        _ => None,
    }
}

fn read_map(value_type: &FieldType, entries: &StructArray) -> Option<Value> {
    let [keys, values] = entries.columns() else { return None };
    let entry = |place: usize| match scalar(keys, place)? {
        FieldValue::Text(key) => Some((key, read(value_type, values, place)?)),
        FieldValue::Bool(_) | FieldValue::Integer(_) => None,
    };
    (0..entries.len()).map(entry).collect::<Option<BTreeMap<_, _>>>().map(Value::Map)
}

/// Fields that the writer of the file did not know are null.
fn read_record(tree: &SchemaTree, record: &StructArray, row: usize) -> Option<Value> {
    let mut fields = BTreeMap::new();
    for field in tree.fields() {
        match record.column_by_name(&field.name) {
            Some(array) if array.is_valid(row) => {
                fields.insert(field.id, read(&field.field_type, array, row)?);
            }
            Some(_) => {}
            None if field.nullable => {}
            None => return None,
        }
    }
    Some(Value::Record(fields))
}
