//! Drops rows that the lake has already. A place seen before is only a suspicion; the event id decides.
//!
//! ```text
//!  row at or below the high-water mark          verdict
//!  -------------------------------------------  -------------------------------------------------------------
//!  its event id is stored at its place          duplicate: dropped
//!  other event ids are stored at its place      cloned journal: alarm, both kept
//!  nothing is stored at its place               a hole filled late: alarm, kept
//! ```
//! "Stored" counts the rows of the same batch before it.

use std::collections::{BTreeMap, BTreeSet};

use custody_lake::RowKey;
use custody_types::{LogPosition, Seq, Source};

use crate::{Alarm, EventLookup, IngestError, IngestObserver, KeyedRows};

/// Event ids by place.
#[derive(Default)]
struct Stored(BTreeMap<(Source, Seq), BTreeSet<String>>);

/// Removes duplicates from the rows and says how many there were.
pub(crate) async fn drop_duplicates<R: KeyedRows>(
    rows: &mut R,
    suspects: &BTreeSet<LogPosition>,
    lookup: &dyn EventLookup,
    observer: &dyn IngestObserver,
) -> Result<usize, IngestError> {
    if suspects.is_empty() {
        return Ok(0);
    }
    let keys = rows.keys();
    let mut stored = Stored::ask(&keys, suspects, lookup).await?;
    let mut duplicates = BTreeSet::new();
    for key in keys {
        if suspects.contains(&key.position) && stored.has(&key, observer) {
            duplicates.insert(key.position);
        } else {
            stored.add(key.source, key.seq, key.event_id);
        }
    }
    rows.retain(&|key| !duplicates.contains(&key.position));
    Ok(duplicates.len())
}

impl Stored {
    async fn ask(keys: &[RowKey], suspects: &BTreeSet<LogPosition>, lookup: &dyn EventLookup) -> Result<Self, IngestError> {
        let mut ranges: BTreeMap<Source, (u64, u64)> = BTreeMap::new();
        for key in keys.iter().filter(|key| suspects.contains(&key.position)) {
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

    /// Whether this very event is stored; reports the two cases in which another answer was due.
    fn has(&self, key: &RowKey, observer: &dyn IngestObserver) -> bool {
        let RowKey { source, seq, .. } = *key;
        match self.0.get(&(source, seq)) {
            Some(events) if events.contains(&key.event_id) => return true,
            Some(_) => observer.alarm(&Alarm::ClonedJournal { source, seq, event_id: key.event_id.clone() }),
            None => observer.alarm(&Alarm::LateRecord { source, seq }),
        }
        false
    }
}
