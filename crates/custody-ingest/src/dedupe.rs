//! Drops rows that the lake has already. A place seen before is only a suspicion; the event id decides.
//!
//! ```text
//!  row at or below the high-water mark          verdict
//!  -------------------------------------------  -------------------------------------------------------------
//!  its event id is stored at its place          duplicate: dropped
//!  other event ids are stored at its place      cloned journal: alarm, both kept
//!  nothing is stored at its place               a hole filled late: alarm, kept; no alarm of a lake that forgets rows
//! ```
//! "Stored" counts the rows of the same batch before it. A suspect that is kept is looked for once more on the snapshot of its commit:
//! what was not stored when the lake was asked may be by then, as a parked text that became a row while its second copy was on its way.

use std::collections::{BTreeMap, BTreeSet};

use custody_lake::RowKey;
use custody_types::{LogPosition, Seq, Source};

use crate::{Alarm, EventLookup, IngestError, IngestObserver, KeyedRows};

/// Event ids by place.
#[derive(Default)]
struct Stored(BTreeMap<(Source, Seq), BTreeSet<String>>);

/// What became of suspects.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    /// How many were dropped.
    pub duplicates: usize,
    /// Those that are kept.
    pub kept: Vec<RowKey>,
}

/// Removes duplicates from the rows and says which suspects stay.
pub(crate) async fn drop_duplicates<R: KeyedRows>(
    rows: &mut R,
    suspects: &BTreeSet<LogPosition>,
    lookup: &dyn EventLookup,
    observer: &dyn IngestObserver,
) -> Result<Judged, IngestError> {
    if suspects.is_empty() {
        return Ok(Judged::default());
    }
    let keys = rows.keys();
    let asked: Vec<&RowKey> = keys.iter().filter(|key| suspects.contains(&key.position)).collect();
    let mut stored = Stored::ask(&asked, lookup).await?;
    let (mut duplicates, mut kept) = (BTreeSet::new(), Vec::new());
    for key in keys {
        let is_suspect = suspects.contains(&key.position);
        if is_suspect && stored.has(&key, lookup.may_forget(), observer) {
            duplicates.insert(key.position);
            continue;
        }
        stored.add(key.source, key.seq, key.event_id.clone());
        if is_suspect {
            kept.push(key);
        }
    }
    rows.retain(&|key| !duplicates.contains(&key.position));
    Ok(Judged { duplicates: duplicates.len(), kept })
}

/// Whether one of these is stored by now.
pub(crate) async fn is_any_stored(keys: &[RowKey], lookup: &dyn EventLookup) -> Result<bool, IngestError> {
    let asked: Vec<&RowKey> = keys.iter().collect();
    let stored = Stored::ask(&asked, lookup).await?;
    Ok(keys.iter().any(|key| stored.holds(key)))
}

impl Stored {
    async fn ask(keys: &[&RowKey], lookup: &dyn EventLookup) -> Result<Self, IngestError> {
        let mut ranges: BTreeMap<Source, (u64, u64)> = BTreeMap::new();
        for key in keys {
            let seq = key.seq.get();
            let range = ranges.entry(key.source).or_insert((seq, seq));
            *range = (range.0.min(seq), range.1.max(seq));
        }
        let mut stored = Self::default();
        for (source, (first, last)) in ranges {
            for (seq, event_id) in lookup.event_ids_at(source, first..=last).await? {
                stored.add(source, seq, event_id);
            }
        }
        Ok(stored)
    }

    fn add(&mut self, source: Source, seq: Seq, event_id: String) {
        self.0.entry((source, seq)).or_default().insert(event_id);
    }

    fn holds(&self, key: &RowKey) -> bool {
        self.0.get(&(key.source, key.seq)).is_some_and(|events| events.contains(&key.event_id))
    }

    /// Whether this very event is stored; reports the two cases in which another answer was due.
    fn has(&self, key: &RowKey, may_be_forgotten: bool, observer: &dyn IngestObserver) -> bool {
        if self.holds(key) {
            return true;
        }
        let RowKey { source, seq, .. } = *key;
        match self.0.get(&(source, seq)) {
            Some(_) => observer.alarm(&Alarm::ClonedJournal { source, seq, event_id: key.event_id.clone() }),
            None if may_be_forgotten => {}
            None => observer.alarm(&Alarm::LateRecord { source, seq }),
        }
        false
    }
}
