//! Looks at the places of one partition's records, in order: what is missing, and what was seen before.

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
    /// The place after the batch.
    pub next: LogPosition,
}

/// Judges every record and moves the marks, poison included: bytes that nobody can read still count as present. Holes are reported,
/// never filled in.
pub(crate) fn inspect(
    partition: &str,
    records: &[LogRecord],
    place: &Place,
    marks: &mut Marks,
    observer: &dyn IngestObserver,
) -> Inspection {
    let mut found = Inspection { suspects: BTreeSet::new(), next: place.stored };
    let mut expected = place.expected;
    for record in records {
        if let Some(from) = expected.filter(|expected| record.position > *expected) {
            observer.alarm(&Alarm::RecordsMissing { partition: partition.to_owned(), from, to: record.position });
        }
        match marks.judge(record.source, record.seq) {
            Verdict::Next => {}
            Verdict::Hole { missing } => observer.alarm(&Alarm::SequenceHole { source: record.source, found: record.seq, missing }),
            Verdict::Seen => drop(found.suspects.insert(record.position)),
        }
        found.next = record.position.next();
        expected = Some(found.next);
    }
    found
}
