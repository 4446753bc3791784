//! Parked records become rows once the vault can keep them, each once.
//!
//! ```text
//! place ─▶ snapshot: are the positions committed beyond it? ─▶ no: the loop still has these records; another time
//!                    is its transaction there?             ─▶ yes: a crash came before the deletion; delete
//!       ─▶ which are rows already? ─▶ settle and stage the others, unless the same are staged
//!       ─▶ keys still kept, nothing forgotten since? ─▶ commit on that snapshot
//!            all of them, with the transaction ─▶ delete
//!            some, without: the others wait    ─▶ the place stays, and the next pass finds these among the rows
//! ```
//! The look-up reads the table at the snapshot's version or later, and the commit lands on exactly that version: what the look-up did
//! not see is not there. That, not the transaction, keeps each text once; the transaction spares the work after a crash.
//!
//! Tombstones are read after the snapshot was taken, as they are for the loop's commits (see `store`), so that an erasure finds what
//! was made here, or its version of the table is met.
//!
//! A place that fails is logged, and the next one is tried. Where the vault is away the pass ends: each call may take as long as its time
//! limit allows. The next pass begins behind that place, for it may be that only one tenant's key service is away.

mod unknown;

use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError},
};

use custody_lake::{CommitError, ContentRows, TableState, TableStore};
use custody_types::{Fault, IdSource, LogRecord, Retry, fault_point};
use custody_vault::{ParkedDigest, ParkedPlace, VaultError};
use uuid::Uuid;

use self::unknown::{TextKey, key_of, unknown};
use super::{
    decoder::ContentDecoder,
    outcome::{Settled, Trouble},
    parked_batch::ParkedBatch,
    step::VaultStep,
    store::Landing,
    texts::SealedText,
};
use crate::{Decode, EventLookup, IngestError, ledger};

const TRIES: u32 = 20;

/// What became of what was parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unparked {
    /// Places that are empty now.
    pub places: usize,
    /// Texts that became rows.
    pub texts: usize,
    /// Places of which texts wait on.
    pub waiting: usize,
    /// Places that failed; each is in the log.
    pub failed: usize,
}

/// What became of one place, and of how many of its texts rows were made.
enum Fate {
    Done { texts: usize },
    Waits { texts: usize, trouble: Option<Trouble> },
}

/// One place, and what is needed to empty it.
struct Unparking<'a, S> {
    step: &'a VaultStep,
    table: &'a S,
    lookup: &'a dyn EventLookup,
    ids: &'a dyn IdSource,
    place: &'a ParkedPlace,
}

/// Rows that are staged, and for which texts.
struct Attempt<T> {
    of: BTreeSet<TextKey>,
    staged: T,
    landing: Arc<Landing>,
    texts: usize,
    /// Why others of the place wait.
    trouble: Option<Trouble>,
    commit_id: Uuid,
    /// The first version that it was tried on.
    since: Option<u64>,
}

/// Tries everything that is parked, once.
///
/// # Errors
/// When the vault's store can't list it. Nothing is half done: the same call may be repeated.
pub async fn unpark<S: TableStore<Rows = ContentRows>>(
    step: &VaultStep,
    table: &S,
    lookup: &dyn EventLookup,
    ids: &dyn IdSource,
) -> Result<Unparked, IngestError> {
    let mut unparked = Unparked::default();
    let places = step.parked_in_turn().await?;
    for (place, behind) in places.iter().zip((0..places.len()).rev()) {
        let fate = Unparking { step, table, lookup, ids, place }.run().await;
        if unparked.add(&fate, place) {
            unparked.waiting = unparked.waiting.saturating_add(behind);
            step.give_up_at(place);
            break;
        }
    }
    Ok(unparked)
}

impl Unparked {
    /// Counts a place, and says whether it tells that the vault is away.
    fn add(&mut self, fate: &Result<Fate, IngestError>, place: &ParkedPlace) -> bool {
        match fate {
            Ok(Fate::Done { texts }) => {
                self.places = self.places.saturating_add(1);
                self.texts = self.texts.saturating_add(*texts);
                false
            }
            Ok(Fate::Waits { texts, trouble }) => {
                self.waiting = self.waiting.saturating_add(1);
                self.texts = self.texts.saturating_add(*texts);
                trouble.is_some_and(|trouble| trouble.is_passing)
            }
            Err(error) => {
                self.failed = self.failed.saturating_add(1);
                let (day, partition, first) = (place.day, &place.partition, place.first);
                tracing::warn!(error = error as &dyn std::error::Error, %day, partition, %first, "parked records could not be tried");
                matches!(error, IngestError::Vault(error) if error.retry() != Retry::Never)
            }
        }
    }
}

impl VaultStep {
    /// All places, from behind the one that the last pass was ended at.
    async fn parked_in_turn(&self) -> Result<Vec<ParkedPlace>, VaultError> {
        let mut places = self.parts.parked.list().await?;
        let gave_up_at = self.gave_up_at.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(last) = gave_up_at {
            let behind = places.partition_point(|place| *place <= last);
            places.rotate_left(behind);
        }
        Ok(places)
    }

    fn give_up_at(&self, place: &ParkedPlace) {
        *self.gave_up_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(place.clone());
    }
}

impl<S: TableStore<Rows = ContentRows>> Unparking<'_, S> {
    async fn run(&self) -> Result<Fate, IngestError> {
        let fate = self.make_rows().await?;
        if matches!(fate, Fate::Done { .. }) {
            self.step.parts.parked.delete(self.place).await?;
        }
        Ok(fate)
    }

    async fn make_rows(&self) -> Result<Fate, IngestError> {
        let Self { step, table, place, .. } = *self;
        let Some(bytes) = step.parts.parked.get(place).await? else { return Ok(Fate::Done { texts: 0 }) };
        let records = match ParkedBatch::decode(&bytes) {
            Ok(ParkedBatch(records)) => records,
            Err(error) => {
                tracing::error!(%error, day = %place.day, partition = place.partition, "parked records can't be read and stay");
                return Ok(Fate::Waits { texts: 0, trouble: None });
            }
        };
        let Some(transaction) = transaction(place, &records, &bytes) else { return Ok(Fate::Done { texts: 0 }) };
        let mut tried: Option<Attempt<S::Staged>> = None;
        for _ in 0..TRIES {
            let state = table.snapshot().await?;
            if let Some(attempt) = &tried
                && let Some(since) = attempt.since
                && table.find_commit(attempt.commit_id, since).await?.is_some()
            {
                return Ok(self.landed(attempt).await);
            }
            if !is_beyond(&state, place, &records) {
                return Ok(Fate::Waits { texts: 0, trouble: None });
            }
            if state.transactions.contains_key(&transaction) {
                return Ok(Fate::Done { texts: 0 });
            }
            let (texts, _) = ContentDecoder.decode(&place.partition, &records);
            let unknown = unknown(texts, self.lookup).await?;
            if unknown.is_empty() {
                return Ok(Fate::Done { texts: 0 });
            }
            let same = tried.take().filter(|attempt| unknown.iter().map(key_of).eq(attempt.of.iter().cloned()));
            let mut attempt = match same {
                Some(attempt) => attempt,
                None => match self.stage(unknown).await? {
                    Ok(attempt) => attempt,
                    Err(waits) => return Ok(waits),
                },
            };
            if !step.still_stands(&attempt.landing).await? {
                step.parts.metrics.staged_again();
                continue;
            }
            attempt.since.get_or_insert(state.version);
            let of_place = [(transaction.clone(), 1)];
            let transactions = if attempt.trouble.is_none() { of_place.as_slice() } else { &[] };
            match table.commit(&state, attempt.staged.clone(), transactions, attempt.commit_id).await {
                Ok(_) => return Ok(self.landed(&attempt).await),
                Err(CommitError::Conflict { .. } | CommitError::Ambiguous { .. }) => tried = Some(attempt),
                Err(CommitError::Failed(error)) => return Err(error.into()),
            }
        }
        Err(IngestError::Contended { tries: TRIES })
    }

    /// Settles texts and stages what became of them; where all wait, that is the place's fate.
    async fn stage(&self, unknown: Vec<SealedText>) -> Result<Result<Attempt<S::Staged>, Fate>, IngestError> {
        let of = unknown.iter().map(key_of).collect();
        let Settled { texts, waiting } = self.step.settle(unknown).await?;
        let trouble = waiting.iter().map(|waiting| waiting.trouble).max_by_key(|trouble| trouble.is_passing);
        if texts.is_empty() {
            return Ok(Err(Fate::Waits { texts: 0, trouble }));
        }
        let (landing, count) = (Arc::new(Landing::of(&texts)), texts.len());
        let rows = ContentRows(texts.into_iter().map(|text| text.row).collect());
        let (staged, commit_id) = (self.table.stage(rows).await?, *self.ids.event_id().as_uuid());
        Ok(Ok(Attempt { of, staged, landing, texts: count, trouble, commit_id, since: None }))
    }

    async fn landed(&self, attempt: &Attempt<S::Staged>) -> Fate {
        fault_point("content.unparked");
        self.step.landed(&attempt.landing).await;
        self.step.parts.metrics.unparked(attempt.texts);
        let texts = attempt.texts;
        match attempt.trouble {
            None => Fate::Done { texts },
            trouble => Fate::Waits { texts, trouble },
        }
    }
}

/// While the positions are not committed, the loop has the records still before it and may yet make rows of them itself.
fn is_beyond(state: &TableState, place: &ParkedPlace, records: &[LogRecord]) -> bool {
    let stored = state.transactions.get(&ledger::position_id(&place.partition)).copied().map(ledger::position_of);
    records.last().is_none_or(|last| stored.is_some_and(|stored| stored > last.position))
}

/// Names these very records: the same place may one day hold others, after a log was lost, and another reader may have parked more or
/// fewer of the same stretch.
fn transaction(place: &ParkedPlace, records: &[LogRecord], bytes: &[u8]) -> Option<String> {
    let (first, last, digest) = (records.first()?, records.last()?, ParkedDigest::of(bytes));
    Some(format!("custody/parked/{}/{}-{}/{}.{}/{digest}", place.partition, first.position, last.position, first.source, first.seq.get()))
}
