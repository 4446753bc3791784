//! Which texts of a place are no rows yet.

use std::collections::{BTreeMap, BTreeSet};

use custody_types::{Seq, Source};

use super::super::texts::{SealedText, SealedTexts};
use crate::{EventLookup, IngestError};

/// What a text is known by.
pub(super) type TextKey = (Source, Seq, String);

/// Of one text.
pub(super) fn key_of(text: &SealedText) -> TextKey {
    (text.source, text.seq, text.record.content_id.to_string())
}

/// Those that are no rows, in the order of their keys, each once. The others are not even sealed again. The lake is asked once for each
/// source, not for each text: it may take half a second, and a long outage parks a hundred thousand.
pub(super) async fn unknown(texts: SealedTexts, lookup: &dyn EventLookup) -> Result<Vec<SealedText>, IngestError> {
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
    let mut unknown: Vec<SealedText> = texts.0.into_iter().filter(|text| !stored.contains(&key_of(text))).collect();
    unknown.sort_by_cached_key(key_of);
    unknown.dedup_by_key(|text| key_of(text));
    Ok(unknown)
}
