//! One value as text.

use arrow::{
    array::RecordBatch,
    datatypes::DataType,
    util::display::{ArrayFormatter, DurationFormat, FormatOptions},
};

use crate::QueryError;

const TIMES: FormatOptions<'static> = FormatOptions::new()
    .with_timestamp_format(Some("%Y-%m-%dT%H:%M:%S%.6f"))
    .with_timestamp_tz_format(Some("%Y-%m-%dT%H:%M:%S%.6fZ"))
    .with_duration_format(DurationFormat::ISO8601);

/// The values of a batch as text, null as nothing.
pub struct Cells<'a> {
    formatters: Vec<ArrayFormatter<'a>>,
    batch: &'a RecordBatch,
}

impl<'a> Cells<'a> {
    /// Text for the values of a batch.
    pub fn of(batch: &'a RecordBatch) -> Result<Self, QueryError> {
        let formatter = |column| ArrayFormatter::try_new(column, &TIMES).map_err(QueryError::output);
        let formatters = batch.columns().iter().map(|column| formatter(column.as_ref())).collect::<Result<_, _>>()?;
        Ok(Self { formatters, batch })
    }

    /// The values of a row.
    pub fn row(&self, row: usize) -> Result<Vec<Option<String>>, QueryError> {
        let columns = self.batch.columns().iter().zip(&self.formatters);
        let text = |(column, formatter): (&arrow::array::ArrayRef, &ArrayFormatter<'_>)| {
            if column.is_null(row) { Ok(None) } else { formatter.value(row).try_to_string().map(Some).map_err(QueryError::output) }
        };
        columns.map(text).collect()
    }
}

/// Whether values of the type line up at their right end.
pub fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric()
}
