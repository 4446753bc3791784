//! The records of one read, decoded.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use arrow::{
    array::{BooleanArray, RecordBatch, new_null_array},
    compute::filter_record_batch,
    error::ArrowError,
};
use custody_lake::{DeadLetter, DeadLetterRows, EventRows, LakeRows, RowKey, decode};
use custody_types::{JournalId, LogPosition, LogRecord, Timestamp};

use crate::QueryError;

/// Prefix of the application transaction that records a journal's highest stored place: epoch, then [`SEQ_BITS`] of seq.
const SEQ_PREFIX: &str = "custody/seq/";
const SEQ_BITS: u32 = 40;
/// Columns of a dead letter that only storing it fills.
const FILLED_WHEN_STORED: [&str; 2] = ["found_at", "event_date"];

/// Some records in a row, as rows.
pub struct Chunk {
    /// The place after the last record.
    pub until: LogPosition,
    partition: String,
    rows: EventRows,
    poison: Vec<DeadLetter>,
}

/// Per journal, the highest place stored or seen so far, epochs before places: what stands at or below it is a duplicate, as when
/// rows are stored (D3). The events of a cloned journal stand there too; they show once they are stored, beside the alarm.
#[derive(Debug, Clone, Default)]
pub struct Seen(HashMap<JournalId, u64>);

impl Seen {
    /// What a snapshot has, by its application transactions.
    pub fn of(transactions: &BTreeMap<String, i64>) -> Self {
        let mark = |(id, version): (&String, &i64)| {
            let journal = id.strip_prefix(SEQ_PREFIX)?.parse().ok()?;
            Some((journal, u64::try_from(*version).ok()?))
        };
        Self(transactions.iter().filter_map(mark).collect())
    }

    fn is_new(&mut self, key: &RowKey) -> bool {
        let place = u64::from(key.source.epoch) << SEQ_BITS | key.seq.get();
        let is_new = self.0.get(&key.source.journal).is_none_or(|highest| place > *highest);
        if is_new {
            self.0.insert(key.source.journal, place);
        }
        is_new
    }
}

impl Chunk {
    /// Decodes records on a thread of its own, because that may take longer than an async thread may wait.
    pub async fn decode(partition: String, records: Vec<LogRecord>, until: LogPosition) -> Result<Self, QueryError> {
        let work = tokio::task::spawn_blocking(move || {
            let decoded = decode(&partition, &records);
            Self { until, partition, rows: decoded.rows, poison: decoded.poison }
        });
        work.await.map_err(|error| QueryError::Engine(error.to_string()))
    }

    /// Takes in the records that follow, and gives back the room that small batches leave unused.
    pub fn join(&mut self, next: Self) {
        self.until = next.until;
        self.rows.append(next.rows);
        self.rows.consolidate();
        self.poison.extend(next.poison);
    }

    /// Number of events.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        let letters: usize = self.poison.iter().map(|letter| letter.payload.len()).sum();
        self.rows.memory().saturating_add(letters)
    }

    /// The events from a position on, each once.
    pub fn events_from(&self, from: LogPosition, seen: &mut Seen) -> Result<Vec<RecordBatch>, QueryError> {
        let kept: Vec<bool> = self.rows.keys().iter().map(|key| key.position >= from && seen.is_new(key)).collect();
        let mut of_rows = kept.into_iter();
        let mut batches = Vec::new();
        for batch in self.rows.batches() {
            let kept: Vec<bool> = of_rows.by_ref().take(batch.num_rows()).collect();
            if kept.iter().all(|keep| *keep) {
                batches.push(batch.clone());
            } else if kept.contains(&true) {
                batches.push(filter_record_batch(batch, &BooleanArray::from(kept)).map_err(engine_failed)?);
            }
        }
        Ok(batches)
    }

    /// The dead letters from a position on.
    pub fn dead_letters_from(&self, from: LogPosition) -> Result<Vec<RecordBatch>, QueryError> {
        let letters: Vec<_> = self.poison.iter().filter(|letter| letter.position >= from).cloned().collect();
        if letters.is_empty() {
            return Ok(Vec::new());
        }
        let rows = DeadLetterRows::new(self.partition.clone(), Timestamp::default(), letters);
        let batches = rows.into_batches().map_err(engine_failed)?;
        batches.iter().map(|batch| not_stored_yet(batch).map_err(engine_failed)).collect()
    }
}

fn engine_failed(error: impl std::error::Error) -> QueryError {
    QueryError::Engine(error.to_string())
}

fn not_stored_yet(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).map(|(field, column)| {
        if FILLED_WHEN_STORED.contains(&field.name().as_str()) {
            new_null_array(field.data_type(), batch.num_rows())
        } else {
            Arc::clone(column)
        }
    });
    RecordBatch::try_new(Arc::clone(&schema), columns.collect())
}
