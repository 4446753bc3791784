//! Parked records become rows once the vault can keep them, each once.
//!
//! ```text
//! place ─▶ snapshot: are the positions committed beyond it? ─▶ no: the loop still has these records; another time
//!                    is its transaction there?             ─▶ yes: a crash came before the deletion; delete
//!       ─▶ which are rows already? ─▶ settle the others: does one still wait? ─▶ yes: all of the place wait
//!       ─▶ stage ─▶ keys still kept? ─▶ commit on that snapshot, with the transaction ─▶ delete
//! ```
//! The look-up reads the table at the snapshot's version or later, and the commit lands on exactly that version: what the look-up did
//! not see is not there.

use std::collections::{BTreeMap, BTreeSet};

use custody_lake::{CommitError, ContentRows, TableState, TableStore};
use custody_types::{IdSource, LogRecord, Source, fault_point};
use custody_vault::ParkedPlace;
use uuid::Uuid;

use super::{
    decoder::ContentDecoder,
    outcome::Settled,
    parked_batch::ParkedBatch,
    step::VaultStep,
    store::Landing,
    texts::{SealedText, SealedTexts},
};
use crate::{Decode, EventLookup, IngestError, ledger};

const TRIES: u32 = 20;

/// What became of what was parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unparked {
    /// Places that are empty now.
    pub places: usize,
    /// Texts of them that became rows.
    pub texts: usize,
    /// Places that wait on.
    pub waiting: usize,
}

enum Fate {
    Done(usize),
    Waits,
}

/// Tries everything that is parked, once.
///
/// # Errors
/// When the table or the vault's store can't be used. Nothing is half done: the same call may be repeated.
pub async fn unpark<S: TableStore<Rows = ContentRows>>(
    step: &VaultStep,
    table: &S,
    lookup: &dyn EventLookup,
    ids: &dyn IdSource,
) -> Result<Unparked, IngestError> {
    let mut unparked = Unparked::default();
    for place in step.parts.parked.list().await? {
        match unpark_place(step, table, lookup, ids, &place).await? {
            Fate::Done(texts) => {
                step.parts.parked.delete(&place).await?;
                step.parts.metrics.unparked(texts);
                unparked.places = unparked.places.saturating_add(1);
                unparked.texts = unparked.texts.saturating_add(texts);
            }
            Fate::Waits => unparked.waiting = unparked.waiting.saturating_add(1),
        }
    }
    Ok(unparked)
}

async fn unpark_place<S: TableStore<Rows = ContentRows>>(
    step: &VaultStep,
    table: &S,
    lookup: &dyn EventLookup,
    ids: &dyn IdSource,
    place: &ParkedPlace,
) -> Result<Fate, IngestError> {
    let Some(bytes) = step.parts.parked.get(place).await? else { return Ok(Fate::Done(0)) };
    let records = match ParkedBatch::decode(&bytes) {
        Ok(ParkedBatch(records)) => records,
        Err(error) => {
            tracing::error!(%error, day = %place.day, partition = place.partition, "parked records can't be read and stay");
            return Ok(Fate::Waits);
        }
    };
    let Some(transaction) = transaction(place, &records) else { return Ok(Fate::Done(0)) };
    let commit_id = *ids.event_id().as_uuid();
    let mut tried: Option<(u64, Landing, usize)> = None;
    for _ in 0..TRIES {
        let state = table.snapshot().await?;
        if !is_beyond(&state, place, &records) {
            return Ok(Fate::Waits);
        }
        if state.transactions.contains_key(&transaction) {
            return Ok(Fate::Done(after_all(step, table, commit_id, tried).await?));
        }
        let (texts, _) = ContentDecoder.decode(&place.partition, &records);
        let unknown = unknown(texts, lookup).await?;
        if unknown.is_empty() {
            return Ok(Fate::Done(0));
        }
        let Settled { texts, waiting } = step.settle(unknown).await?;
        if !waiting.is_empty() {
            return Ok(Fate::Waits);
        }
        let (landing, count) = (Landing::of(&texts), texts.len());
        let rows = ContentRows(texts.into_iter().map(|text| text.row).collect());
        let staged = table.stage(rows).await?;
        if !step.all_kept(&landing.keys).await? {
            step.parts.metrics.staged_again();
            continue;
        }
        let since = tried.as_ref().map_or(state.version, |(since, ..)| *since);
        match table.commit(&state, staged, &[(transaction.clone(), 1)], commit_id).await {
            Ok(_) => {
                fault_point("content.unparked");
                step.landed(&landing).await;
                return Ok(Fate::Done(count));
            }
            Err(CommitError::Conflict { .. } | CommitError::Ambiguous { .. }) => tried = Some((since, landing, count)),
            Err(CommitError::Failed(error)) => return Err(error.into()),
        }
    }
    Err(IngestError::Contended { tries: TRIES })
}

/// While the positions are not committed, the loop has the records still before it and may yet make rows of them itself.
fn is_beyond(state: &TableState, place: &ParkedPlace, records: &[LogRecord]) -> bool {
    let stored = state.transactions.get(&ledger::position_id(&place.partition)).copied().map(ledger::position_of);
    records.last().is_none_or(|last| stored.is_some_and(|stored| stored > last.position))
}

/// Names these very records: the same place may one day hold others, after a log was lost.
fn transaction(place: &ParkedPlace, records: &[LogRecord]) -> Option<String> {
    let (first, last) = (records.first()?, records.last()?);
    Some(format!("custody/parked/{}/{}-{}/{}.{}", place.partition, first.position, last.position, first.source, first.seq.get()))
}

/// The transaction is there: by a commit of ours whose answer was lost, or by an earlier run's.
async fn after_all<S: TableStore<Rows = ContentRows>>(
    step: &VaultStep,
    table: &S,
    commit_id: Uuid,
    tried: Option<(u64, Landing, usize)>,
) -> Result<usize, IngestError> {
    let Some((since, landing, count)) = tried else { return Ok(0) };
    if table.find_commit(commit_id, since).await?.is_none() {
        return Ok(0);
    }
    step.landed(&landing).await;
    Ok(count)
}

/// Texts that are rows already are not even sealed again: their claims must stay as their rows have them. The lake is asked once for
/// each source, not for each text: it may take half a second, and a long outage parks a hundred thousand.
async fn unknown(texts: SealedTexts, lookup: &dyn EventLookup) -> Result<Vec<SealedText>, IngestError> {
    let mut places: BTreeMap<Source, (u64, u64)> = BTreeMap::new();
    for text in &texts.0 {
        let seq = text.seq.get();
        let (first, last) = places.entry(text.source).or_insert((seq, seq));
        (*first, *last) = ((*first).min(seq), (*last).max(seq));
    }
    let mut stored = BTreeSet::new();
    for (source, (first, last)) in places {
        let found = lookup.event_ids_at(source, first..=last).await?;
        stored.extend(found.into_iter().map(|(seq, id)| (source, seq, id)));
    }
    let is_unknown = |text: &SealedText| !stored.contains(&(text.source, text.seq, text.record.content_id.to_string()));
    Ok(texts.0.into_iter().filter(is_unknown).collect())
}
