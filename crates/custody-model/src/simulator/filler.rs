//! The words the simulator speaks. They are made once; an answer is a slice of them.

use std::sync::LazyLock;

/// Most words in one answer, whatever the usage says: load tests count tokens, not letters.
pub(super) const MAX_WORDS: usize = 2_000;

/// So that nobody takes an answer for a model's.
const NOTICE: &str = "[simulator] This answer comes from the simulator and not from a model.";

const WORDS: [&str; 24] = [
    "every", "request", "leaves", "a", "trail", "that", "can", "be", "followed", "from", "its", "first", "decision", "to", "the", "last",
    "word", "of", "an", "answer", "and", "checked", "by", "anyone",
];

static FILLER: LazyLock<Filler> = LazyLock::new(Filler::new);

struct Filler {
    text: String,
    /// Where each word ends.
    ends: Vec<usize>,
}

impl Filler {
    fn new() -> Self {
        let (mut text, mut ends) = (String::new(), Vec::with_capacity(MAX_WORDS));
        for word in NOTICE.split(' ').chain(WORDS.into_iter().cycle()).take(MAX_WORDS) {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(word);
            ends.push(text.len());
        }
        Self { text, ends }
    }

    fn end(&self, words: usize) -> usize {
        words.checked_sub(1).map_or(0, |last| self.ends.get(last).copied().unwrap_or(self.text.len()))
    }
}

/// Words `from..to` of the answer, the first of them with the blank before it. However few words are asked for, the first
/// piece holds the whole notice.
pub(super) fn words(from: usize, to: usize) -> &'static str {
    let filler = &*FILLER;
    let start = if from == 0 { 0 } else { filler.end(from).max(NOTICE.len()) };
    let end = filler.end(to).max(NOTICE.len());
    filler.text.get(start..end).unwrap_or_default()
}
