//! What ingest keeps in the table beside the rows: names and values of the application transactions.
//!
//! ```text
//!  application id                      version
//!  ----------------------------------  ------------------------------------------------------------------
//!  custody/position/<log partition>    next log position: every record before it is in the table
//!  custody/seq/<journal uuid>          high-water mark of that journal (see `sequence`)
//! ```

use std::collections::BTreeMap;

use custody_types::LogPosition;

use crate::sequence::Marks;

const SEQ_PREFIX: &str = "custody/seq/";

/// The application id of a partition's position.
#[must_use]
pub fn position_id(partition: &str) -> String {
    format!("custody/position/{partition}")
}

/// A position as a transaction's version.
#[must_use]
pub fn version_of(position: LogPosition) -> i64 {
    i64::try_from(position.get()).unwrap_or(i64::MAX)
}

/// A transaction's version as a position.
#[must_use]
pub fn position_of(version: i64) -> LogPosition {
    LogPosition::new(u64::try_from(version).unwrap_or(0))
}

/// The marks among a table's transactions.
#[must_use]
pub fn marks_of(transactions: &BTreeMap<String, i64>) -> Marks {
    let mut marks = Marks::default();
    for (id, version) in transactions {
        if let Some(journal) = id.strip_prefix(SEQ_PREFIX).and_then(|journal| journal.parse().ok()) {
            marks.restore(journal, *version);
        }
    }
    marks
}

/// The transactions of one commit: each partition's position after the batch, and the marks that the batch moved.
#[must_use]
pub fn transactions<'p>(positions: impl IntoIterator<Item = (&'p str, LogPosition)>, before: &Marks, after: &Marks) -> Vec<(String, i64)> {
    let old: BTreeMap<_, _> = before.stored().collect();
    let moved = after.stored().filter(|(journal, mark)| old.get(journal) != Some(mark));
    let marks = moved.map(|(journal, mark)| (format!("{SEQ_PREFIX}{journal}"), mark));
    let positions = positions.into_iter().map(|(partition, next)| (position_id(partition), version_of(next)));
    positions.chain(marks).collect()
}

#[cfg(test)]
mod tests {
    use custody_types::{Seq, Source};

    use super::*;

    #[test]
    fn what_one_commit_writes_the_next_resume_reads() {
        let journal = "0199f000-0000-7000-8000-000000000001".parse().expect("a UUID");
        let before = Marks::default();
        let mut after = before.clone();
        after.judge(Source { journal, epoch: 3 }, Seq::new(1));
        let written: BTreeMap<_, _> = transactions([("journal/x", LogPosition::new(9))], &before, &after).into_iter().collect();
        assert_eq!(written.get("custody/position/journal/x"), Some(&9));
        assert_eq!(written.get(&format!("custody/seq/{journal}")), Some(&((3 << 40) | 1)));
        assert_eq!(marks_of(&written), after);
        assert_eq!(transactions([("journal/x", LogPosition::new(9))], &after, &after).len(), 1, "an unmoved mark is not written again");
    }
}
