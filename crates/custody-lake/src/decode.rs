//! Log records to table columns, by the event's Avro schema. Every record ends as a row or as a dead letter, never as both, and
//! never as neither.
//!
//! ```text
//! records ──▶ run: decoded record by record into one batch ──▶ flatten ──▶ check kinds and times ──▶ rows
//!                │ a record fails: it is a dead letter, and a failed decoder holds half a row, so it is thrown away;
//!                ▼ the run before it is decoded again (it is known to be good), and a new run starts after it
//! ```
//! So each record is decoded at most twice, however many are poisoned.

mod rows;
mod run;

use std::sync::{Mutex, PoisonError};

use custody_types::LogRecord;

pub use self::rows::{EventRows, RowKey};
use self::run::Runs;
use crate::{
    columns::table_columns,
    dead_letters::{DeadLetter, DeadLetterReason},
    error::StoreError,
    schemas::Schemas,
};

/// What became of a batch of records.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// The events.
    pub rows: EventRows,
    /// What is not an event.
    pub poison: Vec<DeadLetter>,
}

/// Decodes batch after batch; keeps its buffers, so make one per task.
pub struct EventDecoder {
    runs: Runs,
}

/// Decodes the records of one log partition.
#[must_use]
pub fn decode(partition: &str, records: &[LogRecord]) -> Decoded {
    static IDLE: Mutex<Vec<EventDecoder>> = Mutex::new(Vec::new());
    let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let Some(mut decoder) = idle.or_else(|| EventDecoder::new().ok()) else {
        return undecodable(records);
    };
    let decoded = decoder.decode(partition, records);
    IDLE.lock().unwrap_or_else(PoisonError::into_inner).push(decoder);
    decoded
}

impl EventDecoder {
    /// A decoder for every released version of the event's schema.
    ///
    /// # Errors
    /// When a schema that was compiled in does not parse, which a test rules out.
    pub fn new() -> Result<Self, StoreError> {
        Self::with_schemas(Schemas::released()?)
    }

    pub(crate) fn with_schemas(schemas: Schemas) -> Result<Self, StoreError> {
        let columns = table_columns(&schemas)?;
        Ok(Self { runs: Runs::new(schemas, columns)? })
    }

    /// Decodes the records of one log partition.
    pub fn decode(&mut self, partition: &str, records: &[LogRecord]) -> Decoded {
        let (damaged, sound): (Vec<_>, Vec<_>) = records.iter().partition(|record| record.damaged);
        let mut poison: Vec<_> = damaged.into_iter().map(|record| DeadLetter::new(record, DeadLetterReason::Damaged)).collect();
        let rows = self.runs.decode(partition, &sound, &mut poison);
        poison.sort_by_key(|letter| letter.position);
        Decoded { rows, poison }
    }
}

fn undecodable(records: &[LogRecord]) -> Decoded {
    let poison = records.iter().map(|record| DeadLetter::new(record, DeadLetterReason::UnknownSchema)).collect();
    Decoded { rows: EventRows::default(), poison }
}

#[cfg(test)]
mod released_tests;
#[cfg(test)]
mod tests;
