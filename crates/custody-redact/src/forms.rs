//! All forms, in three automata by what they demand: ordinary words are asked for the few forms that a word alone can begin.
//!
//! ```text
//! word ─┬─▶ forms of words: keywords, titles, prefixes of tokens
//!       ├─ a digit in it? ──────▶ forms of numbered words: cards, identifiers, plates
//!       └─ a digit soon after? ─▶ forms of numbered lines: streets with house numbers, telephone numbers with a sign before them
//! ```

use regex_automata::hybrid::dfa::Cache;
use regex_automata::util::pool::{Pool, PoolGuard};

use crate::automaton::Automaton;
use crate::blocks::Ahead;
use crate::rules::RulesError;
use crate::shape::{self, Shape};
use crate::table::Rule;

type NewCaches = Box<dyn Fn() -> [Cache; GROUPS] + Send + Sync + std::panic::UnwindSafe + std::panic::RefUnwindSafe>;

pub(crate) type Walker<'a> = PoolGuard<'a, [Cache; GROUPS], NewCaches>;

const GROUPS: usize = 4;

pub(crate) struct Forms {
    groups: [Group; GROUPS],
    caches: Pool<[Cache; GROUPS], NewCaches>,
}

struct Group {
    automaton: Automaton,
    /// The index of each form among all.
    indexes: Vec<usize>,
}

impl Forms {
    pub(crate) fn new(rules: &[Rule]) -> Result<Self, RulesError> {
        let group = |shape| Group::new(rules, shape);
        let [words, numbered_words, numbered_soon, numbered_lines] = Shape::ALL;
        let groups = [group(words)?, group(numbered_words)?, group(numbered_soon)?, group(numbered_lines)?];
        let builders = groups.each_ref().map(|group| group.automaton.dfa().clone());
        let new_caches = move || builders.each_ref().map(regex_automata::hybrid::dfa::DFA::create_cache);
        Ok(Self { groups, caches: Pool::new(Box::new(new_caches)) })
    }

    /// The working memory of one scan; returned to a pool afterwards.
    pub(crate) fn walker(&self) -> Walker<'_> {
        self.caches.get()
    }

    /// Reports each form that matches from `start`, and where it ends.
    #[inline]
    pub(crate) fn walk(&self, walker: &mut Walker<'_>, text: &[u8], start: usize, ahead: Ahead, mut matched: impl FnMut(usize, usize)) {
        let [words, numbered_words, numbered_soon, numbered_lines] = &self.groups;
        let caches: &mut [Cache; GROUPS] = walker;
        let [word_cache, numbered_word_cache, numbered_soon_cache, numbered_line_cache] = caches;
        words.walk(word_cache, text, start, &mut matched);
        if ahead.digit() > Shape::NumberedLine.reach() {
            return;
        }
        numbered_lines.walk(numbered_line_cache, text, start, &mut matched);
        if ahead.digit() <= Shape::NumberedSoon.reach() {
            numbered_soon.walk(numbered_soon_cache, text, start, &mut matched);
        }
        if ahead.digit_is_in_word() {
            numbered_words.walk(numbered_word_cache, text, start, &mut matched);
        }
    }
}

impl Group {
    fn new(rules: &[Rule], shape: Shape) -> Result<Self, RulesError> {
        let patterns = rules.iter().map(|rule| (ascii_classes(rule.pattern), rule.numbered)).enumerate();
        let own = patterns.filter(|(_, (pattern, numbered))| shape_of(pattern, *numbered) == shape);
        let (indexes, patterns): (Vec<usize>, Vec<String>) = own.map(|(index, (pattern, _))| (index, pattern)).unzip();
        Ok(Self { automaton: Automaton::new(&patterns)?, indexes })
    }

    #[inline]
    fn walk(&self, cache: &mut Cache, text: &[u8], start: usize, matched: &mut impl FnMut(usize, usize)) {
        if self.automaton.may_begin(text, start) {
            self.automaton.walk(cache, text, start, |index, end| {
                if let Some(index) = self.indexes.get(index) {
                    matched(*index, end);
                }
            });
        }
    }
}

fn shape_of(pattern: &str, numbered: bool) -> Shape {
    if numbered { Shape::NumberedWord } else { shape::of(pattern) }
}

/// The same pattern with `\d` and `\s` in ASCII: the text is folded, and other scripts' classes would only cost states.
fn ascii_classes(pattern: &str) -> String {
    pattern.replace(r"\d", "[0-9]").replace(r"\s", r"[ \t\r\n]")
}
