//! Looks at the places of a batch's records, in order: what is missing, and what was seen before.

use std::collections::BTreeSet;

use custody_types::{LogPosition, LogRecord};

use crate::{
    Alarm, IngestObserver,
    begin::Place,
    sequence::{Marks, Verdict},
};

/// What the places say.
#[derive(Debug)]
pub(crate) struct Inspection {
    /// Records at or below the high-water mark.
    pub suspects: BTreeSet<LogPosition>,
    /// The marks after the batch.
    pub marks: Marks,
    /// The place after the batch.
    pub next: LogPosition,
}

/// Judges every record, poison included: bytes that nobody can read still count as present. Holes are reported, never filled in.
pub(crate) fn inspect(records: &[LogRecord], place: &Place, observer: &dyn IngestObserver) -> Inspection {
    let mut found = Inspection { suspects: BTreeSet::new(), marks: place.marks.clone(), next: place.stored };
    let mut expected = place.expected;
    for record in records {
        if let Some(from) = expected.filter(|expected| record.position > *expected) {
            observer.alarm(&Alarm::RecordsMissing { from, to: record.position });
        }
        match found.marks.judge(record.source, record.seq) {
            Verdict::Next => {}
            Verdict::Hole { missing } => observer.alarm(&Alarm::SequenceHole { source: record.source, found: record.seq, missing }),
            Verdict::Seen => drop(found.suspects.insert(record.position)),
        }
        found.next = record.position.next();
        expected = Some(found.next);
    }
    found
}
