//! Runs of records through the Avro decoder, and what is done about the ones that fail.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, Date32Array, Int64Array, RecordBatch, StringArray, StringBuilder},
    compute::filter_record_batch,
    datatypes::{DataType, SchemaRef, TimestampMicrosecondType},
};
use arrow_avro::{reader::Decoder, schema::Fingerprint};
use custody_types::{LogRecord, Timestamp};

use super::rows::{EventRows, RowKey};
use crate::{
    columns::{date_of, flatten, log_number},
    dead_letters::{DeadLetter, DeadLetterReason},
    error::StoreError,
    schemas::Schemas,
};

/// Most rows of one batch; one less than a decoder holds, so that a decoder is never full and each record's rows can be counted. Large
/// enough for a flush to be one batch: joining batches costs more than decoding into larger ones (measured: 0.6 against 0.15 µs a row).
#[cfg(not(test))]
const MAX_RUN: usize = 131_072;

/// Small, so that tests go from batch to batch.
#[cfg(test)]
const MAX_RUN: usize = 512;

const MAGIC: [u8; 2] = [0xC3, 0x01];
const HEADER: usize = 10;

/// The first and the last microsecond of the years 1970 to 9999, which every engine can print.
const TIMES: std::ops::RangeInclusive<i64> = 0..=253_402_300_799_999_999;

/// Decodes runs of records.
pub(super) struct Runs {
    schemas: Schemas,
    columns: SchemaRef,
    /// The headers of the known schemas, a handful.
    known: Vec<[u8; HEADER]>,
    /// Nothing after a failure: a decoder that failed holds part of a row.
    idle: Option<Decoder>,
}

/// Why a run gave no batch.
enum RunError {
    /// This record is no event.
    Record(usize),
    /// Some record is no event, but the decoder noticed only when the batch was made.
    Unplaced,
}

impl Runs {
    pub(super) fn new(schemas: Schemas, columns: SchemaRef) -> Result<Self, StoreError> {
        let known = schemas.fingerprints().into_iter().filter_map(header_of).collect();
        let idle = Some(schemas.decoder(MAX_RUN + 1)?);
        Ok(Self { schemas, columns, known, idle })
    }

    /// Decodes records in order; what fails is added to `poison`.
    pub(super) fn decode(&mut self, partition: &str, records: &[&LogRecord], poison: &mut Vec<DeadLetter>) -> EventRows {
        let (known, unknown): (Vec<&LogRecord>, Vec<&LogRecord>) = records.iter().partition(|record| self.knows(record));
        poison.extend(unknown.into_iter().map(|record| DeadLetter::new(record, DeadLetterReason::UnknownSchema)));
        let mut rows = EventRows::default();
        for of_one_schema in known.chunk_by(|left, right| header(left) == header(right)) {
            for run in of_one_schema.chunks(MAX_RUN) {
                self.decode_run(partition, run, &mut rows, poison);
            }
        }
        rows
    }

    fn knows(&self, record: &LogRecord) -> bool {
        header(record).is_some_and(|header| self.known.iter().any(|known| known == header))
    }

    /// The run's good records as rows. The loop goes on after a record that fails; the part before it is a run of its own.
    fn decode_run(&mut self, partition: &str, run: &[&LogRecord], rows: &mut EventRows, poison: &mut Vec<DeadLetter>) {
        let mut rest = run;
        while let Some((first, others)) = rest.split_first() {
            match self.try_run(partition, rest, rows, poison) {
                Ok(()) => return,
                Err(RunError::Record(place)) => {
                    let (before, after) = rest.split_at_checked(place).unwrap_or((&[], rest));
                    self.decode_run(partition, before, rows, poison);
                    let (bad, after) = after.split_first().unwrap_or((first, others));
                    poison.push(DeadLetter::new(bad, DeadLetterReason::Malformed));
                    rest = after;
                }
                Err(RunError::Unplaced) if others.is_empty() => {
                    poison.push(DeadLetter::new(first, DeadLetterReason::Malformed));
                    return;
                }
                Err(RunError::Unplaced) => {
                    let (left, right) = rest.split_at_checked(rest.len() / 2).unwrap_or((rest, &[]));
                    self.decode_run(partition, left, rows, poison);
                    rest = right;
                }
            }
        }
    }

    fn try_run(&mut self, partition: &str, run: &[&LogRecord], rows: &mut EventRows, poison: &mut Vec<DeadLetter>) -> Result<(), RunError> {
        let Some(nested) = self.decode_batch(run)? else {
            return Ok(());
        };
        let verdicts = judge(&nested).filter(|verdicts| verdicts.len() == run.len()).ok_or(RunError::Unplaced)?;
        let (nested, kept) = sift(nested, run, &verdicts).ok_or(RunError::Unplaced)?;
        let keys = keys(&nested, &kept).ok_or(RunError::Unplaced)?;
        let of_log = log_columns(partition, &kept, &nested).ok_or(RunError::Unplaced)?;
        let batch = flatten(&nested, &self.columns, of_log).map_err(|_| RunError::Unplaced)?;
        for (record, verdict) in run.iter().zip(verdicts) {
            poison.extend(verdict.map(|reason| DeadLetter::new(record, reason)));
        }
        if batch.num_rows() > 0 {
            rows.push(batch, keys);
        }
        Ok(())
    }

    /// One batch from records of one schema. The decoder is kept only if all of it went well.
    fn decode_batch(&mut self, run: &[&LogRecord]) -> Result<Option<RecordBatch>, RunError> {
        let fresh = || self.schemas.decoder(MAX_RUN + 1).ok();
        let mut decoder = self.idle.take().or_else(fresh).ok_or(RunError::Unplaced)?;
        for (place, record) in run.iter().enumerate() {
            if !decode_one(&mut decoder, &record.payload) {
                return Err(RunError::Record(place));
            }
        }
        let batch = catch_unwind(AssertUnwindSafe(|| decoder.flush())).map_err(|_| RunError::Unplaced)?.map_err(|_| RunError::Unplaced)?;
        self.idle = Some(decoder);
        Ok(batch)
    }
}

/// Whether the payload was one whole row, no less and no more. A panic in the decoder is a failed row, not the end of the pipeline.
fn decode_one(decoder: &mut Decoder, payload: &[u8]) -> bool {
    let room = decoder.capacity();
    let consumed = catch_unwind(AssertUnwindSafe(|| decoder.decode(payload)));
    let whole = matches!(consumed, Ok(Ok(consumed)) if consumed == payload.len());
    whole && decoder.capacity().checked_add(1) == Some(room)
}

fn header(record: &LogRecord) -> Option<&[u8]> {
    record.payload.get(..HEADER)
}

/// Avro's single-object header: two magic bytes, the fingerprint in little-endian order.
fn header_of(fingerprint: Fingerprint) -> Option<[u8; HEADER]> {
    let Fingerprint::Rabin(fingerprint) = fingerprint else { return None };
    let mut header = [0; HEADER];
    header.iter_mut().zip(MAGIC.into_iter().chain(fingerprint.to_le_bytes())).for_each(|(place, byte)| *place = byte);
    Some(header)
}

/// For each row, why it is no event although it decodes.
fn judge(nested: &RecordBatch) -> Option<Vec<Option<DeadLetterReason>>> {
    let schema = nested.schema();
    let is_kind = |data_type: &DataType| matches!(data_type, DataType::Struct(_));
    let kinds: Vec<(&str, &ArrayRef)> = schema
        .fields()
        .iter()
        .zip(nested.columns())
        .filter(|(field, _)| is_kind(field.data_type()))
        .map(|(field, array)| (field.name().as_str(), array))
        .collect();
    let named = nested.column_by_name("kind")?.as_string_opt::<i32>()?;
    let times = nested.column_by_name("time")?.as_primitive_opt::<TimestampMicrosecondType>()?;
    let verdicts = named.iter().zip(times).enumerate().map(|(row, (named, time))| {
        let mut set = kinds.iter().filter(|(_, array)| array.is_valid(row)).map(|(name, _)| *name);
        if set.next() != named || set.next().is_some() {
            Some(DeadLetterReason::KindMismatch)
        } else if time.is_some_and(|time| TIMES.contains(&time)) {
            None
        } else {
            Some(DeadLetterReason::TimeOutOfRange)
        }
    });
    Some(verdicts.collect())
}

/// The rows and records that are events.
fn sift<'r>(
    nested: RecordBatch,
    run: &[&'r LogRecord],
    verdicts: &[Option<DeadLetterReason>],
) -> Option<(RecordBatch, Vec<&'r LogRecord>)> {
    if verdicts.iter().all(Option::is_none) {
        return Some((nested, run.to_vec()));
    }
    let mask: BooleanArray = verdicts.iter().map(|verdict| Some(verdict.is_none())).collect();
    let kept = run.iter().zip(verdicts).filter(|(_, verdict)| verdict.is_none()).map(|(record, _)| *record).collect();
    filter_record_batch(&nested, &mask).ok().map(|nested| (nested, kept))
}

fn keys(nested: &RecordBatch, records: &[&LogRecord]) -> Option<Vec<RowKey>> {
    let ids = nested.column_by_name("event_id")?.as_string_opt::<i32>()?;
    let key = |(record, id): (&&LogRecord, Option<&str>)| {
        id.map(|id| RowKey { position: record.position, source: record.source, seq: record.seq, event_id: id.to_owned() })
    };
    records.iter().zip(ids).map(key).collect()
}

/// The columns that the log knows, in table order.
fn log_columns(partition: &str, records: &[&LogRecord], nested: &RecordBatch) -> Option<Vec<ArrayRef>> {
    let times = nested.column_by_name("time")?.as_primitive_opt::<TimestampMicrosecondType>()?;
    let dates: Date32Array = times.iter().map(|time| time.map(|time| date_of(Timestamp::from_micros(time)))).collect();
    Some(vec![
        Arc::new(StringArray::from_iter_values(std::iter::repeat_n(partition, records.len()))),
        Arc::new(Int64Array::from_iter_values(records.iter().map(|record| log_number(record.position.get())))),
        Arc::new(sources(records)),
        Arc::new(Int64Array::from_iter_values(records.iter().map(|record| log_number(record.seq.get())))),
        Arc::new(dates),
    ])
}

/// A source's name is written once for its run of records.
fn sources(records: &[&LogRecord]) -> StringArray {
    let mut names = StringBuilder::new();
    for run in records.chunk_by(|left, right| left.source == right.source) {
        let name = run.first().map(|record| record.source.to_string()).unwrap_or_default();
        run.iter().for_each(|_| names.append_value(&name));
    }
    names.finish()
}
