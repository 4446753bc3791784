//! Rows to Parquet files: one for each date, sorted, with statistics and bloom filters only on the columns that the table names.

use std::{collections::BTreeMap, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, UInt32Array},
    compute::{concat_batches, filter_record_batch, take},
    datatypes::{Date32Type, SchemaRef},
    error::ArrowError,
    row::{Row, RowConverter, SortField},
};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, Encoding, ZstdLevel},
    errors::ParquetError,
    file::{
        metadata::SortingColumn,
        properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder},
    },
    schema::types::ColumnPath,
};

use super::statistics::FileStatistics;
use crate::{error::StoreError, table::TableDefinition};

/// Rows of a row group: large enough for column chunks to compress, small enough for a bloom filter to be worth reading.
const ROW_GROUP_ROWS: usize = 131_072;

/// Rows of a page: what a look-up by id decodes when all indexes did their work.
const PAGE_ROWS: usize = 8192;

/// One in a hundred looked-up files is opened for nothing.
const BLOOM_FALSE_POSITIVES: f64 = 0.01;

/// Longest least or greatest value that is kept whole: a label has at most 128 bytes.
const STATISTICS_BYTES: usize = 128;

/// Measured on a million generated events: level 1 takes 78.4 bytes and 1.55 µs an event, level 3 takes 79.7 and 2.0, level 6 takes
/// 78.4 and 2.9. Most bytes are ids and hashes, which no level makes smaller.
const ZSTD_LEVEL: i32 = 1;

/// Columns whose values grow row by row, or differ in each: a dictionary of them is wasted.
const DISTINCT_NUMBERS: &[&str] = &["time", "log_position", "seq"];
const DISTINCT_TEXTS: &[&str] = &["event_id", "content_id"];

/// Columns of bytes that look random: neither a dictionary nor a difference to the row before helps.
const SEALED_BYTES: &[&str] = &["commitment", "sealed", "redacted_sealed"];

/// A file that is not yet anywhere.
pub(crate) struct EncodedFile {
    /// The column it is partitioned by.
    pub(crate) partitioned_by: &'static str,
    /// Its date, as the path and the table's log have it.
    pub(crate) event_date: String,
    pub(crate) rows: u64,
    pub(crate) statistics: String,
    pub(crate) bytes: Vec<u8>,
}

/// A file whose rows come batch by batch, in the table's order and without the partition column.
pub(crate) struct FileWriter {
    partitioned_by: &'static str,
    event_date: String,
    statistics: FileStatistics,
    writer: ArrowWriter<Vec<u8>>,
}

/// Encodes rows as one file for each date.
pub(super) fn encode(table: &TableDefinition, batches: &[RecordBatch]) -> Result<Vec<EncodedFile>, StoreError> {
    let all = concat_batches(&table.columns, batches).map_err(StoreError::encoding)?;
    if all.num_rows() == 0 {
        return Ok(Vec::new());
    }
    let by_date = split_by_date(&all, table.partitioned_by).map_err(StoreError::encoding)?;
    by_date.into_iter().map(|(day, rows)| encode_day(table, day, &rows)).collect()
}

fn encode_day(table: &TableDefinition, day: i32, rows: &RecordBatch) -> Result<EncodedFile, StoreError> {
    let sorted =
        without_partition(&sort(table, rows).map_err(StoreError::encoding)?, table.partitioned_by).map_err(StoreError::encoding)?;
    let event_date = Date32Type::to_naive_date_opt(day).ok_or_else(|| StoreError::encoding(format!("day {day} has no date")))?;
    let event_date = event_date.format("%Y-%m-%d").to_string();
    let mut file = FileWriter::new(table, &sorted.schema(), event_date, sorted.num_rows())?;
    file.write(&sorted)?;
    file.finish()
}

impl FileWriter {
    /// An empty file that will have at most so many rows.
    pub(crate) fn new(table: &TableDefinition, columns: &SchemaRef, event_date: String, most_rows: usize) -> Result<Self, StoreError> {
        let properties = properties(table, columns, most_rows).map_err(StoreError::encoding)?;
        let writer = ArrowWriter::try_new(Vec::new(), Arc::clone(columns), Some(properties)).map_err(StoreError::encoding)?;
        Ok(Self { partitioned_by: table.partitioned_by, event_date, statistics: FileStatistics::of_columns(table.with_statistics), writer })
    }

    pub(crate) fn write(&mut self, rows: &RecordBatch) -> Result<(), StoreError> {
        self.statistics.add(rows);
        self.writer.write(rows).map_err(StoreError::encoding)
    }

    /// Bytes so far, of which those of the last row group are an estimate.
    pub(crate) fn bytes(&self) -> usize {
        self.writer.bytes_written().saturating_add(self.writer.in_progress_size())
    }

    pub(crate) fn finish(self) -> Result<EncodedFile, StoreError> {
        let (rows, statistics) = (self.statistics.rows(), self.statistics.to_json());
        let bytes = self.writer.into_inner().map_err(StoreError::encoding)?;
        Ok(EncodedFile { partitioned_by: self.partitioned_by, event_date: self.event_date, rows, statistics, bytes })
    }
}

fn split_by_date(all: &RecordBatch, partitioned_by: &str) -> Result<BTreeMap<i32, RecordBatch>, ArrowError> {
    let missing = || ArrowError::SchemaError(format!("rows have no {partitioned_by}"));
    let dates = all.column_by_name(partitioned_by).and_then(|dates| dates.as_primitive_opt::<Date32Type>()).ok_or_else(missing)?;
    if dates.null_count() > 0 {
        return Err(missing());
    }
    let mut days: Vec<i32> = dates.values().to_vec();
    days.sort_unstable();
    days.dedup();
    if let [day] = days.as_slice() {
        return Ok(BTreeMap::from([(*day, all.clone())]));
    }
    let of_day = |day: i32| {
        let mask = BooleanArray::from_unary(dates, |date| date == day);
        filter_record_batch(all, &mask).map(|rows| (day, rows))
    };
    days.into_iter().map(of_day).collect()
}

/// Compares rows by their sort columns as bytes, and does not move columns that have no value in any row.
fn sort(table: &TableDefinition, rows: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let columns: Vec<ArrayRef> = table.sorted_by.iter().filter_map(|name| rows.column_by_name(name)).cloned().collect();
    let converter = RowConverter::new(columns.iter().map(|column| SortField::new(column.data_type().clone())).collect())?;
    let keys = converter.convert_columns(&columns)?;
    let mut order: Vec<(u32, Row<'_>)> = (0..).zip(keys.iter()).collect();
    order.sort_unstable_by_key(|&(_, key)| key);
    let order = UInt32Array::from_iter_values(order.into_iter().map(|(row, _)| row));
    let moved = rows.columns().iter().map(|column| {
        let is_empty = column.null_count() == column.len();
        if is_empty { Ok(Arc::clone(column)) } else { take(column, &order, None) }
    });
    RecordBatch::try_new(rows.schema(), moved.collect::<Result<_, _>>()?)
}

fn without_partition(rows: &RecordBatch, partitioned_by: &str) -> Result<RecordBatch, ArrowError> {
    let schema = rows.schema();
    let kept: Vec<usize> = (0..schema.fields().len()).filter(|place| schema.field(*place).name() != partitioned_by).collect();
    rows.project(&kept)
}

fn properties(table: &TableDefinition, columns: &SchemaRef, most_rows: usize) -> Result<WriterProperties, ParquetError> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_created_by(concat!("custody ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(PAGE_ROWS)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_statistics_truncate_length(Some(STATISTICS_BYTES))
        .set_column_index_truncate_length(Some(STATISTICS_BYTES))
        .set_sorting_columns(Some(sorting(table, columns)));
    for name in table.with_statistics {
        properties = properties.set_column_statistics_enabled(path(name), EnabledStatistics::Page);
    }
    let distinct = most_rows.min(ROW_GROUP_ROWS) as u64;
    for name in table.with_bloom {
        properties = properties
            .set_column_bloom_filter_enabled(path(name), true)
            .set_column_bloom_filter_fpp(path(name), BLOOM_FALSE_POSITIVES)
            .set_column_bloom_filter_max_ndv(path(name), distinct);
    }
    Ok(encodings(properties).build())
}

fn encodings(mut properties: WriterPropertiesBuilder) -> WriterPropertiesBuilder {
    let plain =
        [(DISTINCT_NUMBERS, Encoding::DELTA_BINARY_PACKED), (DISTINCT_TEXTS, Encoding::DELTA_BYTE_ARRAY), (SEALED_BYTES, Encoding::PLAIN)];
    for (names, encoding) in plain {
        for name in names {
            properties = properties.set_column_dictionary_enabled(path(name), false).set_column_encoding(path(name), encoding);
        }
    }
    properties
}

/// Leaf columns are counted, and the sort columns may stand after nested ones, so leaves are counted up to each.
fn sorting(table: &TableDefinition, schema: &SchemaRef) -> Vec<SortingColumn> {
    let leaves_before = |name: &str| -> Option<i32> {
        let place = schema.index_of(name).ok()?;
        let leaves: usize = schema.fields().iter().take(place).map(|field| leaves_of(field.data_type())).sum();
        i32::try_from(leaves).ok()
    };
    let columns = table.sorted_by.iter().filter_map(|name| leaves_before(name));
    columns.map(|column_idx| SortingColumn { column_idx, descending: false, nulls_first: true }).collect()
}

fn leaves_of(data_type: &arrow::datatypes::DataType) -> usize {
    use arrow::datatypes::DataType;
    match data_type {
        DataType::List(item) | DataType::Map(item, _) => leaves_of(item.data_type()),
        DataType::Struct(fields) => fields.iter().map(|field| leaves_of(field.data_type())).sum(),
        _ => 1,
    }
}

fn path(name: &str) -> ColumnPath {
    ColumnPath::from(name)
}
