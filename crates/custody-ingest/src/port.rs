//! What the loop needs besides the log's `LogReader` and the lake's `TableStore`.
//!
//! Rows are opaque here: ingest counts them, asks for their keys and drops some. Columns are the lake's business.

use std::ops::RangeInclusive;

use async_trait::async_trait;
use custody_lake::{DeadLetter, DeadLetterRows, EventDecoder, EventRows, RowKey, StoreError};
use custody_types::{LogPosition, LogRecord, Seq, Source, Timestamp};

/// Turns records into rows; what it cannot turn becomes a dead letter. Every record is in at most one of both; one that says nothing to
/// keep is in neither and counts as read.
pub trait Decode: Send {
    /// What comes out.
    type Rows: KeyedRows;
    /// Decodes the records of one log partition.
    fn decode(&mut self, partition: &str, records: &[LogRecord]) -> (Self::Rows, Vec<DeadLetter>);
}

/// Rows whose keys can be asked for.
pub trait KeyedRows: Send {
    /// How many there are.
    fn count(&self) -> usize;
    /// Their keys, in row order.
    fn keys(&self) -> Vec<RowKey>;
    /// Keeps the rows whose key passes.
    fn retain(&mut self, keep: &dyn Fn(&RowKey) -> bool);
    /// Takes in further rows, after its own.
    fn append(&mut self, more: Self);
}

/// Asks the `events` table which events it has at given places. Only suspicion asks: a restart, or a place seen before.
#[async_trait]
pub trait EventLookup: Send + Sync {
    /// Every event stored under the source at these places; a place may have none, or several after a clone.
    async fn event_ids_at(&self, source: Source, seqs: RangeInclusive<u64>) -> Result<Vec<(Seq, String)>, StoreError>;

    /// Whether rows may be gone that were stored: then an empty place proves nothing about the log.
    fn may_forget(&self) -> bool {
        false
    }
}

/// Told what is stored, so that the log may forget it.
pub trait Acknowledge: Send + Sync {
    /// Every record of the partition before `floor` is stored or no longer needed.
    fn acknowledge(&self, partition: &str, floor: LogPosition);
}

/// Dead letters of one batch, on their way to the rows of their table.
#[derive(Debug, Clone)]
pub struct FoundLetters {
    /// The log partition they stand in.
    pub partition: String,
    /// When ingest met them.
    pub found_at: Timestamp,
    /// The letters.
    pub letters: Vec<DeadLetter>,
}

impl Decode for EventDecoder {
    type Rows = EventRows;

    fn decode(&mut self, partition: &str, records: &[LogRecord]) -> (EventRows, Vec<DeadLetter>) {
        let decoded = Self::decode(self, partition, records);
        (decoded.rows, decoded.poison)
    }
}

impl KeyedRows for EventRows {
    fn count(&self) -> usize {
        self.len()
    }

    fn keys(&self) -> Vec<RowKey> {
        Self::keys(self)
    }

    fn retain(&mut self, keep: &dyn Fn(&RowKey) -> bool) {
        Self::retain(self, keep);
    }

    fn append(&mut self, more: Self) {
        Self::append(self, more);
    }
}

impl From<FoundLetters> for DeadLetterRows {
    fn from(found: FoundLetters) -> Self {
        Self::new(found.partition, found.found_at, found.letters)
    }
}

impl<F: Fn(&str, LogPosition) + Send + Sync> Acknowledge for F {
    fn acknowledge(&self, partition: &str, floor: LogPosition) {
        self(partition, floor);
    }
}
