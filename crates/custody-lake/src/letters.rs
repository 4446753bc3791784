//! Dead letters read back: for people who look at them, and to try them again with a decoder that knows more.

use std::ops::RangeInclusive;

use arrow::{
    array::{AsArray, RecordBatch},
    datatypes::{Int64Type, TimestampMicrosecondType},
};
use bytes::Bytes;
use custody_types::{LogPosition, LogRecord, Seq, Timestamp};
use deltalake::datafusion::{
    error::DataFusionError,
    prelude::{SessionContext, col, lit},
};

use crate::{error::StoreError, reader::LakeReader};

const READING: &str = "reading dead letters";
const COLUMNS: [&str; 7] = ["log_partition", "log_position", "source", "seq", "reason", "payload", "found_at"];

/// A dead letter as the lake keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLetter {
    /// The log partition it stands in.
    pub partition: String,
    /// The record. Its bytes are as they were found; whether they were altered is the reason's to say.
    pub record: LogRecord,
    /// Why it is no event.
    pub reason: String,
    /// When ingest met it.
    pub found_at: Timestamp,
}

impl LakeReader {
    /// Dead letters at these positions, of one log partition or of all, in the order of their places; at most so many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn letters(
        &self,
        partition: Option<&str>,
        positions: RangeInclusive<u64>,
        most: usize,
    ) -> Result<Vec<StoredLetter>, StoreError> {
        let snapshot = self.snapshot().await?;
        let letters = SessionContext::new().read_table(snapshot.dead_letters());
        let place = |position: u64| lit(i64::try_from(position).unwrap_or(i64::MAX));
        let between = col("log_position").between(place(*positions.start()), place(*positions.end()));
        let wanted = partition.iter().fold(between, |wanted, partition| wanted.and(col("log_partition").eq(lit((*partition).to_owned()))));
        let order = vec![col("log_partition").sort(true, true), col("log_position").sort(true, true)];
        let found = async { letters?.filter(wanted)?.select_columns(&COLUMNS)?.sort(order)?.limit(0, Some(most))?.collect().await };
        let batches = found.await.map_err(StoreError::storage(READING))?;
        let read: Option<Vec<_>> = batches.iter().map(letters_of).collect();
        let missing = || DataFusionError::Internal("a column of dead letters is not as it was written".to_owned());
        Ok(read.ok_or_else(missing).map_err(StoreError::storage(READING))?.concat())
    }
}

fn letters_of(batch: &RecordBatch) -> Option<Vec<StoredLetter>> {
    let partitions = batch.column_by_name("log_partition")?.as_string_opt::<i32>()?;
    let positions = batch.column_by_name("log_position")?.as_primitive_opt::<Int64Type>()?;
    let sources = batch.column_by_name("source")?.as_string_opt::<i32>()?;
    let seqs = batch.column_by_name("seq")?.as_primitive_opt::<Int64Type>()?;
    let reasons = batch.column_by_name("reason")?.as_string_opt::<i32>()?;
    let payloads = batch.column_by_name("payload")?.as_binary_opt::<i32>()?;
    let times = batch.column_by_name("found_at")?.as_primitive_opt::<TimestampMicrosecondType>()?;
    let number = |number: i64| u64::try_from(number).ok();
    let letter = |row: usize| {
        let record = LogRecord {
            position: LogPosition::new(number(positions.value(row))?),
            source: sources.value(row).parse().ok()?,
            seq: Seq::new(number(seqs.value(row))?),
            payload: Bytes::copy_from_slice(payloads.value(row)),
            damaged: false,
        };
        let partition = partitions.value(row).to_owned();
        let found_at = Timestamp::from_micros(times.value(row));
        Some(StoredLetter { partition, record, reason: reasons.value(row).to_owned(), found_at })
    };
    (0..batch.num_rows()).map(letter).collect()
}
