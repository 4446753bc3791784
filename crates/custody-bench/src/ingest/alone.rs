//! The dear steps of ingest, each alone.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use arrow::{
    compute::{SortColumn, concat_batches, lexsort_to_indices, take_record_batch},
    record_batch::RecordBatch,
};
use custody_ingest::IngestConfig;
use custody_lake::{COLUMNS_WITH_STATISTICS, EventDecoder, event_columns};
use custody_log::{Journal, JournalReader, LogReader};
use custody_types::{LogPosition, LogRecord};
use parquet::{
    arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder},
    basic::{Compression, Encoding, ZstdLevel},
    file::properties::{EnabledStatistics, WriterProperties},
    schema::types::ColumnPath,
};

use crate::measure::{Meter, Spent};

/// Bytes of all events without their frames.
pub async fn payload_bytes(journal: &Journal) -> Result<f64> {
    let (mut reader, mut bytes) = (journal.reader(LogPosition::START), 0);
    while let Some(records) = next_batch(&mut reader).await? {
        bytes += records.iter().map(|record| record.payload.len()).sum::<usize>();
    }
    Ok(bytes as f64)
}

/// Decodes all events, and puts them into the table's order, in batches as large as the loop's; reading them is not counted.
pub async fn decode_and_sort(journal: &Journal) -> Result<(Spent, Spent)> {
    let (mut reader, mut decoder) = (journal.reader(LogPosition::START), EventDecoder::new()?);
    let partition = reader.partition();
    let (mut decoding, mut sorting) = (Spent::default(), Spent::default());
    while let Some(records) = next_batch(&mut reader).await? {
        let meter = Meter::start()?;
        let decoded = decoder.decode(&partition, &records);
        ensure!(decoded.rows.len() == records.len(), "generated events do not decode");
        add(&mut decoding, meter.stop()?);
        let meter = Meter::start()?;
        let sorted = sort(&concat_batches(&event_columns(), decoded.rows.batches())?)?;
        ensure!(sorted.num_rows() == records.len(), "sorting lost rows");
        add(&mut sorting, meter.stop()?);
    }
    Ok((decoding, sorting))
}

/// The order of the table's files.
fn sort(rows: &RecordBatch) -> Result<RecordBatch> {
    let named = ["tenant", "feature", "time", "log_position"].into_iter().filter_map(|name| rows.column_by_name(name));
    let columns: Vec<SortColumn> = named.map(|values| SortColumn { values: Arc::clone(values), options: None }).collect();
    Ok(take_record_batch(rows, &lexsort_to_indices(&columns, None)?)?)
}

async fn next_batch(reader: &mut JournalReader) -> Result<Option<Vec<LogRecord>>> {
    let wanted = IngestConfig::default().flush_bytes;
    let mut records = Vec::new();
    let mut bytes = 0;
    while bytes < wanted {
        let more = reader.read(wanted - bytes, Duration::ZERO).await?;
        if more.is_empty() {
            break;
        }
        bytes += more.iter().map(|record| record.payload.len()).sum::<usize>();
        records.extend(more);
    }
    Ok(Some(records).filter(|records| !records.is_empty()))
}

/// Encodes the files of a table once more from their columns in memory, with the table's settings; reading them is not counted.
pub fn encode(table: &Path, events: u64) -> Result<Spent> {
    let mut all = Spent::default();
    let (mut rows, mut before, mut after) = (0, 0, 0);
    for path in files(table)? {
        let batch = read(&path)?;
        let properties = properties(&batch)?;
        let meter = Meter::start()?;
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties))?;
        writer.write(&batch)?;
        writer.close()?;
        add(&mut all, meter.stop()?);
        rows += batch.num_rows() as u64;
        before += std::fs::metadata(&path)?.len();
        after += bytes.len() as u64;
    }
    ensure!(rows == events, "{rows} rows in files of {events} events");
    let drift = (after as f64 / before as f64 - 1.0).abs();
    ensure!(drift < 0.005, "the lake writes {before} bytes where this writes {after}: their settings differ");
    Ok(all)
}

fn add(all: &mut Spent, one: Spent) {
    all.wall += one.wall;
    all.cpu += one.cpu;
}

/// The Parquet files below a table's folder, in order.
pub fn files(table: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for day in std::fs::read_dir(table)? {
        let day = day?.path();
        if day.is_dir() && !day.ends_with("_delta_log") {
            files.extend(std::fs::read_dir(day)?.filter_map(|file| file.ok().map(|file| file.path())));
        }
    }
    files.retain(|path| path.extension().is_some_and(|extension| extension == "parquet"));
    files.sort();
    Ok(files)
}

fn read(path: &Path) -> Result<RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?.with_batch_size(65_536).build()?;
    let batches: Vec<RecordBatch> = reader.collect::<Result<_, _>>()?;
    let schema = batches.first().context("an empty file")?.schema();
    Ok(concat_batches(&schema, &batches)?)
}

/// What `custody-lake` sets; that the sizes agree shows that it still does.
fn properties(rows: &RecordBatch) -> Result<WriterProperties> {
    const ROW_GROUP_ROWS: usize = 131_072;
    const PAGE_ROWS: usize = 8_192;
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(PAGE_ROWS)
        .set_statistics_enabled(EnabledStatistics::None);
    for name in COLUMNS_WITH_STATISTICS {
        properties = properties.set_column_statistics_enabled(ColumnPath::from(*name), EnabledStatistics::Page);
    }
    for name in ["request_id", "event_id"] {
        let distinct = rows.num_rows().min(ROW_GROUP_ROWS) as u64;
        properties = properties
            .set_column_bloom_filter_enabled(ColumnPath::from(name), true)
            .set_column_bloom_filter_fpp(ColumnPath::from(name), 0.01)
            .set_column_bloom_filter_max_ndv(ColumnPath::from(name), distinct);
    }
    let distinct = [Encoding::DELTA_BINARY_PACKED; 3].into_iter().chain([Encoding::DELTA_BYTE_ARRAY]);
    for (name, encoding) in ["time", "log_position", "seq", "event_id"].into_iter().zip(distinct) {
        let path = ColumnPath::from(name);
        properties = properties.set_column_dictionary_enabled(path.clone(), false).set_column_encoding(path, encoding);
    }
    Ok(properties.build())
}
