//! Rows of an older file as rows of the table as it is now: columns and nested fields that came later are null. Nothing is converted.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, ListArray, MapArray, RecordBatch, StructArray, new_null_array},
    datatypes::{DataType, Fields, SchemaRef},
    error::ArrowError,
};

/// The batch with the table's columns. Fails where a column is of another type or is not the table's at all.
pub(super) fn adapt(rows: &RecordBatch, columns: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    if let Some(unknown) = rows.schema_ref().fields().iter().find(|field| columns.field_with_name(field.name()).is_err()) {
        return Err(ArrowError::SchemaError(format!("the table has no column `{}`", unknown.name())));
    }
    let adapted = columns.fields().iter().map(|field| match rows.column_by_name(field.name()) {
        Some(array) => widen(array, field.data_type()),
        None => Ok(new_null_array(field.data_type(), rows.num_rows())),
    });
    RecordBatch::try_new(Arc::clone(columns), adapted.collect::<Result<_, _>>()?)
}

fn widen(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == to {
        return Ok(Arc::clone(array));
    }
    match (array.data_type(), to) {
        (DataType::Struct(_), DataType::Struct(fields)) => Ok(Arc::new(widen_struct(array.as_struct(), fields)?)),
        (DataType::List(_), DataType::List(item)) => {
            let list = array.as_list::<i32>();
            let values = widen(list.values(), item.data_type())?;
            Ok(Arc::new(ListArray::try_new(Arc::clone(item), list.offsets().clone(), values, list.nulls().cloned())?))
        }
        (DataType::Map(_, _), DataType::Map(entries, sorted)) => {
            let map = array.as_map();
            let DataType::Struct(fields) = entries.data_type() else { return Err(other_type(array, to)) };
            let widened = widen_struct(map.entries(), fields)?;
            Ok(Arc::new(MapArray::try_new(Arc::clone(entries), map.offsets().clone(), widened, map.nulls().cloned(), *sorted)?))
        }
        _ => Err(other_type(array, to)),
    }
}

fn widen_struct(array: &StructArray, fields: &Fields) -> Result<StructArray, ArrowError> {
    if let Some(unknown) = array.fields().iter().find(|field| fields.find(field.name()).is_none()) {
        return Err(ArrowError::SchemaError(format!("the table has no field `{}`", unknown.name())));
    }
    let widened = fields.iter().map(|field| match array.column_by_name(field.name()) {
        Some(of_field) => widen(of_field, field.data_type()),
        None => Ok(new_null_array(field.data_type(), array.len())),
    });
    StructArray::try_new(fields.clone(), widened.collect::<Result<_, _>>()?, array.nulls().cloned())
}

fn other_type(array: &ArrayRef, to: &DataType) -> ArrowError {
    ArrowError::SchemaError(format!("a column is {} and not {to}", array.data_type()))
}
