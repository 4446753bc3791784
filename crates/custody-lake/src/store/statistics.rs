//! What the table's log says about a file's columns, as Delta writes it. Least and greatest values stand there in the clear, so only
//! columns that the table names are told.

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    compute::{max, max_string, min, min_string},
    datatypes::{DataType, Int64Type, TimeUnit, TimestampMicrosecondType},
};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

/// The statistics of a file, batch by batch.
pub(super) struct FileStatistics {
    rows: usize,
    columns: Vec<Column>,
}

struct Column {
    name: &'static str,
    /// Nothing while no batch had the column.
    nulls: Option<usize>,
    bounds: Option<(Bound, Bound)>,
}

/// Values of one column are of one variant, whose order is the column's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Bound {
    Text(String),
    Number(i64),
    Micros(i64),
}

impl FileStatistics {
    pub(super) fn of_columns(named: &[&'static str]) -> Self {
        Self { rows: 0, columns: named.iter().map(|&name| Column { name, nulls: None, bounds: None }).collect() }
    }

    pub(super) fn add(&mut self, rows: &RecordBatch) {
        self.rows = self.rows.saturating_add(rows.num_rows());
        for column in &mut self.columns {
            if let Some(array) = rows.column_by_name(column.name) {
                column.add(array);
            }
        }
    }

    pub(super) const fn rows(&self) -> u64 {
        self.rows as u64
    }

    pub(super) fn to_json(&self) -> String {
        let (mut least, mut greatest, mut nulls) = (Map::new(), Map::new(), Map::new());
        for column in &self.columns {
            let Some(count) = column.nulls else { continue };
            nulls.insert(column.name.to_owned(), json!(count));
            let bounds = column.bounds.as_ref().and_then(|(low, high)| Some((low.to_json()?, high.to_json()?)));
            if let Some((low, high)) = bounds {
                least.insert(column.name.to_owned(), low);
                greatest.insert(column.name.to_owned(), high);
            }
        }
        json!({ "numRecords": self.rows, "minValues": least, "maxValues": greatest, "nullCount": nulls }).to_string()
    }
}

impl Column {
    fn add(&mut self, array: &ArrayRef) {
        self.nulls = Some(self.nulls.unwrap_or_default().saturating_add(array.null_count()));
        self.bounds = match (self.bounds.take(), bounds(array)) {
            (Some((low, high)), Some((lower, higher))) => Some((low.min(lower), high.max(higher))),
            (known, None) => known,
            (None, new) => new,
        };
    }
}

fn bounds(column: &ArrayRef) -> Option<(Bound, Bound)> {
    match column.data_type() {
        DataType::Utf8 => {
            let texts = column.as_string_opt::<i32>()?;
            Some((Bound::Text(min_string(texts)?.to_owned()), Bound::Text(max_string(texts)?.to_owned())))
        }
        DataType::Int64 => {
            let numbers = column.as_primitive_opt::<Int64Type>()?;
            Some((Bound::Number(min(numbers)?), Bound::Number(max(numbers)?)))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let times = column.as_primitive_opt::<TimestampMicrosecondType>()?;
            Some((Bound::Micros(min(times)?), Bound::Micros(max(times)?)))
        }
        _ => None,
    }
}

impl Bound {
    /// Nothing for a time that no calendar has: then neither bound is told.
    fn to_json(&self) -> Option<Value> {
        match self {
            Self::Text(text) => Some(json!(text)),
            Self::Number(number) => Some(json!(number)),
            Self::Micros(micros) => {
                let time: DateTime<Utc> = DateTime::from_timestamp_micros(*micros)?;
                Some(json!(time.to_rfc3339_opts(SecondsFormat::Micros, true)))
            }
        }
    }
}
