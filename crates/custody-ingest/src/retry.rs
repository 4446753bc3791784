//! Dead letters tried again: a later program may read what an earlier one could not. What it reads becomes rows, each once; the letters
//! stay where they are, as the record of what happened.
//!
//! ```text
//! snapshot ─▶ which are stored already? ─▶ stage the others ─▶ commit on that snapshot ─▶ moved on: from the start
//! ```
//! The look-up reads the table at the snapshot's version or later, and the commit lands on exactly that version: so what the look-up did
//! not see is not there. Two retries at once, and ingest beside them, only cost a repetition.

use custody_lake::{CommitError, TableStore};
use custody_types::{IdSource, LogPosition, LogRecord};

use crate::{Decode, EventLookup, IngestError, KeyedRows};

/// Counts retries in the table, so that two at once share an application id and conflict.
const RETRIES: &str = "custody/retried-letters";
const TRIES: u32 = 20;

/// What became of the letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RetriedLetters {
    /// Now rows.
    pub stored: usize,
    /// Rows already, from an earlier retry.
    pub known: usize,
    /// Still no events.
    pub dead: usize,
}

/// Tries letters of one log partition again.
///
/// # Errors
/// When the table can't be read or written. Nothing is half stored: the same call may be repeated.
pub async fn retry_letters<D: Decode, E: TableStore<Rows = D::Rows>>(
    partition: &str,
    letters: &[LogRecord],
    decoder: &mut D,
    events: &E,
    lookup: &dyn EventLookup,
    ids: &dyn IdSource,
) -> Result<RetriedLetters, IngestError> {
    let commit_id = *ids.event_id().as_uuid();
    let mut tried_on = None;
    for _ in 0..TRIES {
        let table = events.snapshot().await?;
        let (mut rows, dead) = decoder.decode(partition, letters);
        let readable = rows.count();
        let dead = dead.len();
        if let Some(version) = tried_on
            && events.find_commit(commit_id, version).await?.is_some()
        {
            return Ok(RetriedLetters { stored: readable, known: 0, dead });
        }
        keep_unknown(&mut rows, lookup).await?;
        let stored = rows.count();
        let known = readable.saturating_sub(stored);
        if stored == 0 {
            return Ok(RetriedLetters { stored, known, dead });
        }
        let before = table.transactions.get(RETRIES).copied().unwrap_or(0);
        let staged = events.stage(rows).await?;
        tried_on.get_or_insert(table.version);
        match events.commit(&table, staged, &[(RETRIES.to_owned(), before.saturating_add(1))], commit_id).await {
            Ok(_) => return Ok(RetriedLetters { stored, known, dead }),
            Err(CommitError::Conflict { .. } | CommitError::Ambiguous { .. }) => {}
            Err(CommitError::Failed(error)) => return Err(error.into()),
        }
    }
    Err(IngestError::Contended { tries: TRIES })
}

async fn keep_unknown<R: KeyedRows>(rows: &mut R, lookup: &dyn EventLookup) -> Result<(), IngestError> {
    let mut known: Vec<LogPosition> = Vec::new();
    for key in rows.keys() {
        let seq = key.seq.get();
        let stored = lookup.event_ids_at(key.source, seq..=seq).await?;
        if stored.iter().any(|(_, event_id)| *event_id == key.event_id) {
            known.push(key.position);
        }
    }
    rows.retain(&|key| !known.contains(&key.position));
    Ok(())
}
