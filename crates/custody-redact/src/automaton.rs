//! All forms in one automaton, walked from each place where a word begins.
//!
//! A lazy DFA: each byte is one step however many forms there are, there is nothing to backtrack, and its memory is bounded. Most
//! words are dismissed by their first two bytes, before the automaton is asked.

use regex_automata::hybrid::dfa::{Cache, DFA, OverlappingState};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::util::pool::{Pool, PoolGuard};
use regex_automata::{Anchored, Input, MatchKind};

use crate::rules::RulesError;

/// Room for states built while walking; when it is full the automaton starts afresh, which costs time and never memory.
const CACHE_BYTES: usize = 8 << 20;

/// No form is longer than this.
const LONGEST: usize = 1400;

type NewCache = Box<dyn Fn() -> Cache + Send + Sync + std::panic::UnwindSafe + std::panic::RefUnwindSafe>;

pub(crate) struct Automaton {
    dfa: DFA,
    caches: Pool<Cache, NewCache>,
    pairs: Pairs,
}

pub(crate) type Walker<'a> = PoolGuard<'a, Cache, NewCache>;

impl Automaton {
    pub(crate) fn new(patterns: &[&str]) -> Result<Self, RulesError> {
        let patterns: Vec<String> = patterns.iter().map(|pattern| ascii_classes(pattern)).collect();
        let dfa = DFA::builder()
            .configure(DFA::config().match_kind(MatchKind::All).cache_capacity(CACHE_BYTES).minimum_cache_clear_count(None))
            .thompson(thompson::Config::new().which_captures(WhichCaptures::None).shrink(false))
            .build_many(&patterns)
            .map_err(|_| RulesError::TooLarge)?;
        let pairs = Pairs::of(&dfa);
        let builder = dfa.clone();
        let caches = Pool::new(Box::new(move || builder.create_cache()) as NewCache);
        Ok(Self { dfa, caches, pairs })
    }

    /// The working memory of one scan; returned to a pool afterwards.
    pub(crate) fn walker(&self) -> Walker<'_> {
        self.caches.get()
    }

    /// Whether any form begins with the two bytes at a place.
    pub(crate) fn may_begin(&self, text: &[u8], start: usize) -> bool {
        match text.get(start..start + 2) {
            Some([first, second]) => self.pairs.contains(*first, *second),
            _ => false,
        }
    }

    /// Reports each form that matches from `start`, and where it ends; a form with several ends is reported for each.
    pub(crate) fn walk(&self, walker: &mut Walker<'_>, text: &[u8], start: usize, mut matched: impl FnMut(usize, usize)) {
        let end = text.len().min(start + LONGEST);
        let input = Input::new(text).anchored(Anchored::Yes).range(start..end);
        let mut state = OverlappingState::start();
        while self.dfa.try_search_overlapping_fwd(walker, &input, &mut state).is_ok() {
            let Some(found) = state.get_match() else { return };
            matched(found.pattern().as_usize(), found.offset());
        }
    }
}

/// The same pattern with `\d` and `\s` in ASCII: the text is folded, and other scripts' classes would only cost states.
fn ascii_classes(pattern: &str) -> String {
    pattern.replace(r"\d", "[0-9]").replace(r"\s", r"[ \t\r\n]")
}

/// The pairs of bytes with which some form begins.
struct Pairs(Vec<u64>);

impl Pairs {
    fn of(dfa: &DFA) -> Self {
        let mut cache = dfa.create_cache();
        let mut bits = vec![0_u64; 1024];
        for first in 0..=u8::MAX {
            for second in 0..=u8::MAX {
                if lives(dfa, &mut cache, [first, second])
                    && let Some(word) = bits.get_mut(usize::from(first) * 4 + usize::from(second) / 64)
                {
                    *word |= 1 << (second % 64);
                }
            }
        }
        Self(bits)
    }

    fn contains(&self, first: u8, second: u8) -> bool {
        self.0.get(usize::from(first) * 4 + usize::from(second) / 64).is_some_and(|word| word >> (second % 64) & 1 == 1)
    }
}

/// Whether the automaton is still alive after two bytes; what cannot be told counts as alive.
fn lives(dfa: &DFA, cache: &mut Cache, pair: [u8; 2]) -> bool {
    let input = Input::new(&pair).anchored(Anchored::Yes);
    let Ok(mut state) = dfa.start_state_forward(cache, &input) else { return true };
    for byte in pair {
        match dfa.next_state(cache, state, byte) {
            Ok(next) => state = next,
            Err(_) => return true,
        }
        if state.is_dead() {
            return false;
        }
    }
    true
}
