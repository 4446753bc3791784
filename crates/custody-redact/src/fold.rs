//! Text as the rules read it: look-alike characters as plain ASCII, invisible ones gone, escapes undone once.
//!
//! ```text
//! full-width and other decimal digits ── 0-9        zero-width and joining characters, combining marks ── nothing
//! full-width and mathematical letters ── A-Z a-z     spaces of any width ── one space      dashes ── -
//! @ and dot look-alikes ── @ and .                   %40 · \u0040 · \n ── the character they stand for, once
//! ```
//! Every folded byte knows the place it came from, so that spans are given in the original text.

mod chars;
mod escape;

use std::borrow::Cow;
use std::ops::Range;

use chars::{Fold, fold_char};
use zeroize::Zeroize;

/// The folded text and its way back.
pub(crate) struct Folded<'a> {
    text: Cow<'a, str>,
    runs: Vec<Run>,
}

/// A stretch in which each unit of `original` bytes became one unit of `folded` bytes; equal sizes are merged.
#[derive(Clone, Copy)]
struct Run {
    folded_start: usize,
    original_start: usize,
    folded_unit: u8,
    original_unit: u8,
}

impl<'a> Folded<'a> {
    pub(crate) fn new(original: &'a str) -> Self {
        #[cfg(test)]
        crate::tests::work(original.len());
        if original.is_ascii() && memchr::memchr2(b'%', b'\\', original.as_bytes()).is_none() {
            return Self { text: Cow::Borrowed(original), runs: Vec::new() };
        }
        Writer::default().write(original)
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The bytes of the original that a range of the folded text stands for.
    pub(crate) fn original(&self, range: Range<usize>) -> Range<usize> {
        if self.runs.is_empty() {
            return range;
        }
        let last = range.end.saturating_sub(1).max(range.start);
        self.unit(range.start).start..self.unit(last).end
    }

    /// The original bytes of the unit that holds one folded byte.
    fn unit(&self, at: usize) -> Range<usize> {
        let after = self.runs.partition_point(|run| run.folded_start <= at);
        let Some(run) = after.checked_sub(1).and_then(|index| self.runs.get(index)) else { return at..at + 1 };
        let units = (at - run.folded_start) / usize::from(run.folded_unit);
        let start = run.original_start + units * usize::from(run.original_unit);
        start..start + usize::from(run.original_unit)
    }
}

/// A copy of someone's text leaves nothing behind; it was never grown, as no text is longer when folded.
impl Drop for Folded<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(text) = &mut self.text {
            text.zeroize();
        }
    }
}

#[derive(Default)]
struct Writer {
    text: String,
    runs: Vec<Run>,
    read: usize,
}

impl Writer {
    fn write(mut self, original: &str) -> Folded<'static> {
        self.text.reserve(original.len());
        while let Some(rest) = original.get(self.read..).filter(|rest| !rest.is_empty()) {
            let plain = plain_length(rest.as_bytes());
            self.copy(rest.get(..plain).unwrap_or_default());
            let Some(next) = rest.get(plain..).and_then(|rest| rest.chars().next()) else { break };
            let (character, read) = escape::decode(rest.get(plain..).unwrap_or_default()).unwrap_or((next, next.len_utf8()));
            self.fold(character, read);
        }
        Folded { text: Cow::Owned(self.text), runs: self.runs }
    }

    fn copy(&mut self, plain: &str) {
        if !plain.is_empty() {
            self.run(1, 1);
            self.text.push_str(plain);
            self.read += plain.len();
        }
    }

    fn fold(&mut self, character: char, read: usize) {
        let folded = match fold_char(character) {
            Fold::Drop => None,
            Fold::To(byte) => Some(char::from(byte)),
            Fold::Keep => Some(character),
        };
        if let Some(folded) = folded {
            self.run(folded.len_utf8() as u8, read as u8);
            self.text.push(folded);
        }
        self.read += read;
    }

    /// Begins a run, unless the last one simply goes on.
    fn run(&mut self, folded_unit: u8, original_unit: u8) {
        let goes_on = self.runs.last().is_some_and(|last| {
            let units = (self.text.len() - last.folded_start) / usize::from(last.folded_unit);
            (last.folded_unit, last.original_unit) == (folded_unit, original_unit)
                && last.original_start + units * usize::from(last.original_unit) == self.read
        });
        if !goes_on {
            self.runs.push(Run { folded_start: self.text.len(), original_start: self.read, folded_unit, original_unit });
        }
    }
}

/// How many bytes stand for themselves; told a block at a time, so that a compiler can look at many at once.
fn plain_length(text: &[u8]) -> usize {
    let special = |byte: &u8| *byte >= 0x80 || *byte == b'%' || *byte == b'\\';
    let plain_blocks = text.chunks(32).take_while(|block| !block.iter().fold(false, |any, byte| any | special(byte))).count();
    let from = text.len().min(plain_blocks * 32);
    let rest = text.get(from..).unwrap_or_default();
    from + rest.iter().position(special).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_come_back_to_the_original_bytes() {
        let original = "é \u{ff11}\u{ff12}\u{200b}3 a\\u0040b %41!";
        let folded = Folded::new(original);
        assert_eq!(folded.text(), "é 123 a@b A!");
        let at = |piece: &str| folded.text().find(piece).map(|start| start..start + piece.len()).unwrap();
        assert_eq!(&original[folded.original(at("123"))], "\u{ff11}\u{ff12}\u{200b}3");
        assert_eq!(&original[folded.original(at("a@b"))], "a\\u0040b");
        assert_eq!(&original[folded.original(at("A"))], "%41");
        assert_eq!(&original[folded.original(at("é"))], "é");
    }

    #[test]
    fn plain_text_is_not_copied() {
        assert!(matches!(Folded::new("plain").text, Cow::Borrowed(_)));
    }

    #[test]
    fn long_runs_of_one_kind_take_one_entry() {
        assert_eq!(Folded::new(&"\u{ff11}".repeat(1000)).runs.len(), 1);
    }
}
