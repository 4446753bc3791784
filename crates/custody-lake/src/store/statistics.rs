//! What the table's log says about a file's columns, as Delta writes it. Least and greatest values stand there in the clear, so only
//! columns that the table names are told.

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    compute::{max, max_string, min, min_string},
    datatypes::{DataType, Int64Type, TimeUnit, TimestampMicrosecondType},
};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

/// The statistics of a file with these rows.
pub(super) fn statistics_json(rows: &RecordBatch, named: &[&str]) -> String {
    let (mut least, mut greatest, mut nulls) = (Map::new(), Map::new(), Map::new());
    for name in named {
        let Some(column) = rows.column_by_name(name) else { continue };
        nulls.insert((*name).to_owned(), json!(column.null_count()));
        if let Some((low, high)) = bounds(column) {
            least.insert((*name).to_owned(), low);
            greatest.insert((*name).to_owned(), high);
        }
    }
    json!({ "numRecords": rows.num_rows(), "minValues": least, "maxValues": greatest, "nullCount": nulls }).to_string()
}

fn bounds(column: &ArrayRef) -> Option<(Value, Value)> {
    match column.data_type() {
        DataType::Utf8 => {
            let texts = column.as_string_opt::<i32>()?;
            Some((json!(min_string(texts)?), json!(max_string(texts)?)))
        }
        DataType::Int64 => {
            let numbers = column.as_primitive_opt::<Int64Type>()?;
            Some((json!(min(numbers)?), json!(max(numbers)?)))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let times = column.as_primitive_opt::<TimestampMicrosecondType>()?;
            Some((timestamp(min(times)?)?, timestamp(max(times)?)?))
        }
        _ => None,
    }
}

fn timestamp(micros: i64) -> Option<Value> {
    let time: DateTime<Utc> = DateTime::from_timestamp_micros(micros)?;
    Some(json!(time.to_rfc3339_opts(SecondsFormat::Micros, true)))
}
