//! Records that are kept but are not events: what no decoder reads, or what the log found altered.

use std::sync::{Arc, LazyLock};

use arrow::{
    array::{ArrayRef, BinaryArray, Date32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray},
    datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit},
};
use bytes::Bytes;
use custody_types::{LogPosition, LogRecord, Seq, Source, Timestamp};

use crate::{
    columns::{date_of, log_number},
    error::StoreError,
    table::{EVENT_DATE, LakeRows, TableDefinition},
};

/// Why a record is not an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DeadLetterReason {
    /// The log found the bytes altered since they were written.
    Damaged,
    /// The header is missing or names a schema that this program does not know.
    UnknownSchema,
    /// The body does not follow its schema, or bytes are left over.
    Malformed,
    /// Not exactly one kind is set, or not the one that `kind` names.
    KindMismatch,
    /// The event's time lies outside the years 1970 to 9999.
    TimeOutOfRange,
}

/// A record that is not an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Where it stands in its partition.
    pub position: LogPosition,
    /// Who wrote it.
    pub source: Source,
    /// Its place within the source.
    pub seq: Seq,
    /// Why it is here.
    pub reason: DeadLetterReason,
    /// Its bytes, as they were found.
    pub payload: Bytes,
}

/// Rows of the `dead_letters` table.
#[derive(Debug, Clone)]
pub struct DeadLetterRows {
    partition: String,
    found_at: Timestamp,
    letters: Vec<DeadLetter>,
}

impl DeadLetterReason {
    /// The name in the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Damaged => "damaged",
            Self::UnknownSchema => "unknown_schema",
            Self::Malformed => "malformed",
            Self::KindMismatch => "kind_mismatch",
            Self::TimeOutOfRange => "time_out_of_range",
        }
    }
}

impl DeadLetter {
    /// A record and why it is not an event.
    #[must_use]
    pub fn new(record: &LogRecord, reason: DeadLetterReason) -> Self {
        Self { position: record.position, source: record.source, seq: record.seq, reason, payload: record.payload.clone() }
    }
}

impl DeadLetterRows {
    /// Letters of one log partition, found at a time.
    #[must_use]
    pub fn new(partition: impl Into<String>, found_at: Timestamp, letters: Vec<DeadLetter>) -> Self {
        Self { partition: partition.into(), found_at, letters }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.letters.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.letters.is_empty()
    }
}

/// The columns of the `dead_letters` table.
#[must_use]
pub fn dead_letter_columns() -> SchemaRef {
    static COLUMNS: LazyLock<SchemaRef> = LazyLock::new(|| {
        let utc_micros = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        Arc::new(Schema::new(vec![
            Field::new("log_partition", DataType::Utf8, true),
            Field::new("log_position", DataType::Int64, true),
            Field::new("source", DataType::Utf8, true),
            Field::new("seq", DataType::Int64, true),
            Field::new("reason", DataType::Utf8, true),
            Field::new("payload", DataType::Binary, true),
            Field::new("found_at", utc_micros, true),
            Field::new("event_date", DataType::Date32, true),
        ]))
    });
    Arc::clone(&COLUMNS)
}

impl LakeRows for DeadLetterRows {
    fn definition() -> TableDefinition {
        TableDefinition {
            name: "dead_letters",
            partitioned_by: EVENT_DATE,
            may_forget: false,
            columns: dead_letter_columns(),
            sorted_by: &["log_partition", "log_position"],
            with_statistics: &["log_partition", "log_position", "source", "seq", "reason", "found_at"],
            with_bloom: &[],
        }
    }

    fn into_batches(self) -> Result<Vec<RecordBatch>, StoreError> {
        let letters = &self.letters;
        let rows = letters.len();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(std::iter::repeat_n(&self.partition, rows))),
            Arc::new(Int64Array::from_iter_values(letters.iter().map(|letter| log_number(letter.position.get())))),
            Arc::new(StringArray::from_iter_values(letters.iter().map(|letter| letter.source.to_string()))),
            Arc::new(Int64Array::from_iter_values(letters.iter().map(|letter| log_number(letter.seq.get())))),
            Arc::new(StringArray::from_iter_values(letters.iter().map(|letter| letter.reason.as_str()))),
            Arc::new(BinaryArray::from_iter_values(letters.iter().map(|letter| letter.payload.as_ref()))),
            Arc::new(TimestampMicrosecondArray::from(vec![self.found_at.micros(); rows]).with_timezone("UTC")),
            Arc::new(Date32Array::from(vec![date_of(self.found_at); rows])),
        ];
        RecordBatch::try_new(dead_letter_columns(), columns).map(|batch| vec![batch]).map_err(StoreError::encoding)
    }
}
