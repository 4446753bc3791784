//! Two decisions of ingest as pure types: where to begin, and what became of a commit whose answer was lost.
//!
//! Both are asked of a fresh snapshot of the table, because the table is the only memory that survives everything. Neither does
//! I/O; the loop fetches the facts and does what is decided.

use custody_types::LogPosition;

/// What stands in the log just before the stored position, compared with what the lake has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The record whose row the lake has, or bytes that carry no event id to compare.
    Same,
    /// A record that the lake does not have.
    Other,
    /// The log gives no record that far back; the first it gives stands here.
    Later(LogPosition),
    /// The log ends before it.
    Nothing,
}

/// Where ingest begins.
///
/// ```text
///  stored  the log has at stored−1         begin                  because
///  ------  ------------------------------  ---------------------  -------------------------------------------------
///  none    (taken as s = 0)                Continue(0), Skip      a new table: everything is still to come
///  s       the lake's own record           Continue(s)            the usual restart
///  s       nothing so early, first is ≤ s  Continue(s)            the log was truncated up to what is stored
///  s       nothing so early, first is f>s  Skip(s, f)             records s..f are lost: a hole, never silent
///  s       another record                  Reread(Forked)         another history under the same name: a cloned journal
///  s       nothing: it ends before s       Reread(WentBack)       an older copy of the journal was put back
/// ```
///
/// `Reread` begins at the first record the log gives and compares event ids, so what the lake has is dropped and the rest kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resume {
    /// All before this place is stored.
    Continue(LogPosition),
    /// All before `stored` is stored, and the log begins only at `first`.
    Skip {
        /// The stored position.
        stored: LogPosition,
        /// The first record that still exists.
        first: LogPosition,
    },
    /// The log is not the one that was stored.
    Reread(Mismatch),
}

/// How the log differs from what the lake remembers of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mismatch {
    /// At a stored place stands another record.
    Forked,
    /// The log ends before the stored position.
    WentBack,
}

impl Resume {
    /// Decides by the table above.
    #[must_use]
    pub fn decide(stored: Option<LogPosition>, anchor: Anchor) -> Self {
        let stored = stored.unwrap_or_default();
        match anchor {
            Anchor::Later(first) if first > stored => Self::Skip { stored, first },
            Anchor::Same | Anchor::Later(_) => Self::Continue(stored),
            _ if stored == LogPosition::START => Self::Continue(stored),
            Anchor::Other => Self::Reread(Mismatch::Forked),
            Anchor::Nothing => Self::Reread(Mismatch::WentBack),
        }
    }
}

/// What became of a commit that was answered with a conflict, or not answered.
///
/// ```text
///  our commit id  all positions now        fate
///  -------------  -----------------------  ----------------------------------------------------------------------
///  found          what we wrote            Landed      only the answer was lost
///  found          anything else            Overtaken   it landed, and another ingest went on from there
///  absent         what they were before    NotLanded   read the records again and commit them anew
///  absent         anything else            Overtaken   another ingest committed these records, or an earlier commit
///                                                      of ours, thought lost, landed late
/// ```
///
/// Everything but `Landed` drops the batch and resumes from the table: a late landing is then seen by the position check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The rows are in the table.
    Landed,
    /// The rows are not in the table.
    NotLanded,
    /// A position is no longer ours to move, or a row of the batch came into the table another way.
    Overtaken,
}

impl Fate {
    /// Decides by the table above. A log that is read again may write a position that was there before, so both may hold.
    #[must_use]
    pub const fn decide(found: bool, as_before: bool, as_written: bool) -> Self {
        match (found, as_before, as_written) {
            (true, _, true) => Self::Landed,
            (false, true, _) => Self::NotLanded,
            (true, _, false) | (false, false, _) => Self::Overtaken,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(place: u64) -> LogPosition {
        LogPosition::new(place)
    }

    #[test]
    fn a_new_table_starts_at_the_beginning_or_says_what_is_gone() {
        for stored in [None, Some(at(0))] {
            for anchor in [Anchor::Same, Anchor::Other, Anchor::Later(at(0)), Anchor::Nothing] {
                assert_eq!(Resume::decide(stored, anchor), Resume::Continue(at(0)));
            }
            assert_eq!(Resume::decide(stored, Anchor::Later(at(7))), Resume::Skip { stored: at(0), first: at(7) });
        }
    }

    #[test]
    fn the_usual_restart_continues_where_the_table_ends() {
        assert_eq!(Resume::decide(Some(at(5)), Anchor::Same), Resume::Continue(at(5)));
    }

    #[test]
    fn a_log_truncated_up_to_what_is_stored_continues() {
        assert_eq!(Resume::decide(Some(at(5)), Anchor::Later(at(5))), Resume::Continue(at(5)));
    }

    #[test]
    fn a_log_that_begins_after_the_stored_position_is_a_hole() {
        assert_eq!(Resume::decide(Some(at(5)), Anchor::Later(at(6))), Resume::Skip { stored: at(5), first: at(6) });
    }

    #[test]
    fn another_record_at_a_stored_place_is_read_again_from_the_start() {
        assert_eq!(Resume::decide(Some(at(5)), Anchor::Other), Resume::Reread(Mismatch::Forked));
    }

    #[test]
    fn a_log_that_ends_before_the_stored_position_is_read_again_from_the_start() {
        assert_eq!(Resume::decide(Some(at(5)), Anchor::Nothing), Resume::Reread(Mismatch::WentBack));
    }

    #[test]
    fn a_commit_found_at_its_own_positions_landed() {
        assert_eq!(Fate::decide(true, false, true), Fate::Landed);
        assert_eq!(Fate::decide(true, true, true), Fate::Landed);
    }

    #[test]
    fn a_commit_found_under_other_positions_was_overtaken() {
        assert_eq!(Fate::decide(true, false, false), Fate::Overtaken);
        assert_eq!(Fate::decide(true, true, false), Fate::Overtaken);
    }

    #[test]
    fn a_commit_absent_at_the_old_positions_did_not_land() {
        assert_eq!(Fate::decide(false, true, false), Fate::NotLanded);
        assert_eq!(Fate::decide(false, true, true), Fate::NotLanded);
    }

    #[test]
    fn a_commit_absent_at_other_positions_was_overtaken() {
        assert_eq!(Fate::decide(false, false, true), Fate::Overtaken);
        assert_eq!(Fate::decide(false, false, false), Fate::Overtaken);
    }
}
