//! High-water marks: the last `seq` seen of each journal, and what they say about the next record.
//!
//! ```text
//!  record against the mark (epoch e, seq n)    verdict
//!  ------------------------------------------  -----------------------------------------------
//!  no mark yet, seq 1                          Next
//!  same epoch, seq n+1                         Next
//!  later epoch, seq 1                          Next       a boot that wrote nothing is no gap
//!  otherwise above the mark                    Hole       the records between were never seen
//!  at or below the mark                        Seen       a duplicate, a late record, or a cloned journal: ask the lake
//! ```
//!
//! A mark is stored as one application transaction a journal: `epoch << 40 | seq`, which orders epochs before places.

use std::collections::BTreeMap;

use custody_types::{JournalId, Seq, Source};

const SEQ_BITS: u32 = 40;
const SEQ_MASK: u64 = (1 << SEQ_BITS) - 1;

/// What a record's place says, by the table above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The record that had to come.
    Next,
    /// Records are missing before it.
    Hole {
        /// How many.
        missing: u64,
    },
    /// At or below the mark.
    Seen,
}

/// The marks of all journals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks(BTreeMap<JournalId, Mark>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Mark {
    epoch: u32,
    seq: u64,
}

impl Marks {
    /// Judges a record and moves the mark over it.
    pub fn judge(&mut self, source: Source, seq: Seq) -> Verdict {
        let found = Mark { epoch: source.epoch, seq: seq.get() };
        let mark = self.0.get(&source.journal).copied();
        if mark.is_some_and(|mark| found <= mark) {
            return Verdict::Seen;
        }
        self.0.insert(source.journal, found);
        let last_of_epoch = mark.filter(|mark| mark.epoch == found.epoch).map_or(0, |mark| mark.seq);
        match found.seq.saturating_sub(last_of_epoch).saturating_sub(1) {
            0 => Verdict::Next,
            missing => Verdict::Hole { missing },
        }
    }

    /// Takes over a mark as the table has it.
    pub fn restore(&mut self, journal: JournalId, stored: i64) {
        let stored = u64::try_from(stored).unwrap_or(0);
        let epoch = u32::try_from(stored >> SEQ_BITS).unwrap_or(u32::MAX);
        self.0.insert(journal, Mark { epoch, seq: stored & SEQ_MASK });
    }

    /// The marks as the table keeps them.
    pub fn stored(&self) -> impl Iterator<Item = (JournalId, i64)> + '_ {
        self.0.iter().map(|(journal, mark)| (*journal, mark.stored()))
    }
}

impl Mark {
    /// What does not fit is stored as the largest mark: every later record is then asked about and kept, none is dropped.
    fn stored(self) -> i64 {
        let fits = self.seq <= SEQ_MASK;
        let value = (u64::from(self.epoch) << SEQ_BITS) | self.seq;
        if fits { i64::try_from(value).unwrap_or(i64::MAX) } else { i64::MAX }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(number: u128) -> JournalId {
        number_to_uuid(number)
    }

    fn number_to_uuid(number: u128) -> JournalId {
        let text = format!("{number:032x}");
        text.parse().expect("32 hex digits are a UUID")
    }

    fn source(epoch: u32) -> Source {
        Source { journal: journal(1), epoch }
    }

    fn judged(marks: &mut Marks, epoch: u32, seq: u64) -> Verdict {
        marks.judge(source(epoch), Seq::new(seq))
    }

    #[test]
    fn records_in_order_are_next_within_and_across_epochs() {
        let mut marks = Marks::default();
        for (epoch, seq) in [(1, 1), (1, 2), (2, 1), (5, 1), (5, 2)] {
            assert_eq!(judged(&mut marks, epoch, seq), Verdict::Next, "{epoch}.{seq}");
        }
    }

    #[test]
    fn a_jump_within_an_epoch_or_at_its_start_is_a_hole() {
        let mut marks = Marks::default();
        assert_eq!(judged(&mut marks, 1, 3), Verdict::Hole { missing: 2 });
        assert_eq!(judged(&mut marks, 1, 5), Verdict::Hole { missing: 1 });
        assert_eq!(judged(&mut marks, 2, 2), Verdict::Hole { missing: 1 });
        assert_eq!(judged(&mut marks, 2, 3), Verdict::Next);
    }

    #[test]
    fn what_is_at_or_below_the_mark_was_seen_and_moves_nothing() {
        let mut marks = Marks::default();
        for (epoch, seq) in [(1, 1), (1, 2), (2, 1)] {
            judged(&mut marks, epoch, seq);
        }
        let before = marks.clone();
        for (epoch, seq) in [(2, 1), (1, 2), (1, 9)] {
            assert_eq!(judged(&mut marks, epoch, seq), Verdict::Seen, "{epoch}.{seq}");
        }
        assert_eq!(marks, before);
    }

    #[test]
    fn marks_of_two_journals_do_not_touch() {
        let mut marks = Marks::default();
        judged(&mut marks, 1, 1);
        let other = Source { journal: journal(2), epoch: 1 };
        assert_eq!(marks.judge(other, Seq::new(1)), Verdict::Next);
    }

    #[test]
    fn marks_survive_the_table() {
        let mut marks = Marks::default();
        marks.judge(source(7), Seq::new(SEQ_MASK));
        marks.judge(Source { journal: journal(2), epoch: 1 }, Seq::new(1));
        let mut restored = Marks::default();
        for (journal, stored) in marks.stored() {
            restored.restore(journal, stored);
        }
        assert_eq!(restored, marks);
    }

    #[test]
    fn a_mark_too_large_for_the_table_makes_later_records_seen_never_lost() {
        let mut marks = Marks::default();
        marks.judge(source(u32::MAX), Seq::new(1));
        let (journal, stored) = marks.stored().next().expect("one mark");
        assert_eq!(stored, i64::MAX);
        let mut restored = Marks::default();
        restored.restore(journal, stored);
        assert_eq!(judged(&mut restored, 1, 1), Verdict::Seen);
    }
}
