//! Base64 that is longer than a window: read a window at a time from where its bytes begin, and replaced whole.
//!
//! ```text
//!            ┌──────── window ────────┐
//! ───────[run begins ─────────┼───────┼───── and goes on ─────]───
//!        ▲ judged here        └ around ┘ read twice: what stands near a cut is not counted on that side
//! ```

use std::ops::Range;

use crate::encoded;

/// What stands nearer to a cut may be part of something longer; the other piece has it whole.
const CUT: usize = 2 << 10;

/// The run, if any, that the last piece was cut out of.
#[derive(Default)]
pub(crate) struct LongRun {
    range: Range<usize>,
    is_text: bool,
}

/// How a piece of text stands to the runs it cuts.
pub(crate) struct Cuts {
    /// The piece begins inside a run: whether that is text. Its first byte begins four characters of the run.
    pub(crate) begins_inside: Option<bool>,
    /// The piece ends inside a run.
    pub(crate) ends_inside: bool,
}

impl LongRun {
    /// A piece beginning at `from` or a little earlier, such that base64 can be decoded from there.
    pub(crate) fn enter(&mut self, text: &str, from: usize) -> (usize, Option<bool>) {
        let bytes = text.as_bytes();
        if !self.range.contains(&from) {
            *self = Self::around(bytes, from);
        }
        if from <= self.range.start || from >= self.range.end {
            return (from, None);
        }
        (from - (from - self.range.start) % 4, Some(self.is_text))
    }

    /// The whole run of which the part that a piece holds was found to hide something.
    pub(crate) fn whole(&mut self, text: &str, part: Range<usize>) -> Range<usize> {
        if part.start < self.range.start || part.end > self.range.end {
            let start = if self.range.contains(&part.start) { self.range.start } else { part.start };
            *self = Self { range: start..encoded::end(text.as_bytes(), part.end), is_text: true };
        }
        self.range.clone()
    }

    /// Each run is walked over once: the next question stands behind its end.
    fn around(text: &[u8], at: usize) -> Self {
        let first = encoded::start(text, at);
        let end = encoded::end(text, at);
        let start = first + text.get(first..end).map_or(0, encoded::signs);
        let is_text = text.get(start..end).is_some_and(encoded::is_text);
        Self { range: start..end, is_text }
    }
}

impl Cuts {
    /// How a piece of text stands to them.
    pub(crate) fn of(text: &str, piece: &Range<usize>, begins_inside: Option<bool>) -> Self {
        let ends_inside =
            piece.end < text.len() && encoded::end(text.as_bytes().get(..=piece.end).unwrap_or_default(), piece.end) > piece.end;
        Self { begins_inside, ends_inside }
    }

    /// Whether something found in a run's text is surely not cut, where the text is, before it and behind it.
    pub(crate) fn leave_whole(found: &Range<usize>, length: usize, (before, behind): (bool, bool)) -> bool {
        (!before || found.start >= CUT) && (!behind || found.end + CUT <= length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_begins_where_its_run_can_be_decoded() {
        let run = format!("{}{}", "bXkgbWFpbCBpcyBhbm4g".repeat(4), "x".repeat(99));
        let text = format!("ab: --{run}, and");
        let mut runs = LongRun::default();
        for from in [8, 31, 50] {
            let (start, is_text) = runs.enter(&text, from);
            assert!(start <= from && from < start + 4 && (start - 6) % 4 == 0, "{from}: {start}");
            assert_eq!(is_text, Some(true));
        }
        for from in [0, 4, 5, 6, 6 + run.len(), text.len()] {
            assert_eq!(runs.enter(&text, from), (from, None), "{from}");
        }
        assert_eq!(runs.whole(&text, 6..40), 6..6 + run.len());
        assert_eq!(LongRun::default().whole(&text, 6..40), 6..6 + run.len());
    }

    #[test]
    fn what_is_near_a_cut_is_left_to_the_other_piece() {
        assert!(Cuts::leave_whole(&(0..9), 9, (false, false)) && Cuts::leave_whole(&(CUT..9_000), 9_000 + CUT, (true, true)));
        assert!(!Cuts::leave_whole(&(CUT - 1..9_000), 20_000, (true, false)) && !Cuts::leave_whole(&(0..9_000), 9_001, (false, true)));
    }
}
