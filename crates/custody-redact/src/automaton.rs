//! All forms in one automaton, walked from each place where a word begins.
//!
//! A lazy DFA: each byte is one step however many forms there are, there is nothing to backtrack, and its memory is bounded. Most
//! words are dismissed by their first three bytes, before the automaton is asked.

use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::util::pool::{Pool, PoolGuard};
use regex_automata::{Anchored, Input, MatchKind};

use crate::rules::RulesError;

/// Room for states built while walking; when it is full the automaton starts afresh, which costs time and never memory.
const CACHE_BYTES: usize = 32 << 20;

/// No form is longer than this.
const LONGEST: usize = 1400;

type NewCache = Box<dyn Fn() -> Cache + Send + Sync + std::panic::UnwindSafe + std::panic::RefUnwindSafe>;

pub(crate) struct Automaton {
    dfa: DFA,
    caches: Pool<Cache, NewCache>,
    heads: Heads,
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
        let heads = Heads::of(&dfa);
        let builder = dfa.clone();
        let caches = Pool::new(Box::new(move || builder.create_cache()) as NewCache);
        Ok(Self { dfa, caches, heads })
    }

    /// The working memory of one scan; returned to a pool afterwards.
    pub(crate) fn walker(&self) -> Walker<'_> {
        self.caches.get()
    }

    /// Whether any form begins with the bytes at a place.
    pub(crate) fn may_begin(&self, text: &[u8], start: usize) -> bool {
        match text.get(start..start + 3) {
            Some([first, second, third]) => self.heads.contains(*first, *second, *third),
            _ => true,
        }
    }

    /// Reports each form that matches from `start`, and where it ends; a form with several ends is reported for each that is not in
    /// the middle of a word.
    pub(crate) fn walk(&self, walker: &mut Walker<'_>, text: &[u8], start: usize, mut matched: impl FnMut(usize, usize)) {
        let end = text.len().min(start + LONGEST);
        let input = Input::new(text).anchored(Anchored::Yes).range(start..end);
        let Ok(mut state) = self.dfa.start_state_forward(walker, &input) else { return };
        // A state says after the next byte that a form ended before it; the text's end counts as a byte.
        for (offset, byte) in text.get(start..end).unwrap_or_default().iter().enumerate() {
            let Ok(next) = self.dfa.next_state(walker, state, *byte) else { return };
            state = next;
            if state.is_tagged() && !self.report(walker, state, text, start + offset, &mut matched) {
                return;
            }
        }
        if let Ok(last) = self.dfa.next_eoi_state(walker, state) {
            self.report(walker, last, text, end, &mut matched);
        }
    }

    /// Reports the forms that end here; says whether any form can go on.
    fn report(&self, walker: &Walker<'_>, state: LazyStateID, text: &[u8], end: usize, matched: &mut impl FnMut(usize, usize)) -> bool {
        if state.is_match() && !in_word(text, end) {
            for index in 0..self.dfa.match_len(walker, state) {
                matched(self.dfa.match_pattern(walker, state, index).as_usize(), end);
            }
        }
        !state.is_dead() && !state.is_quit()
    }
}

/// Whether a word goes on at a place.
fn in_word(text: &[u8], at: usize) -> bool {
    let wordy = |at: usize| text.get(at).is_some_and(u8::is_ascii_alphanumeric);
    wordy(at) && at.checked_sub(1).is_some_and(wordy)
}

/// The same pattern with `\d` and `\s` in ASCII: the text is folded, and other scripts' classes would only cost states.
fn ascii_classes(pattern: &str) -> String {
    pattern.replace(r"\d", "[0-9]").replace(r"\s", r"[ \t\r\n]")
}

/// The first three bytes with which some form begins, by classes of bytes that no form tells apart.
struct Heads {
    classes: Vec<usize>,
    count: usize,
    bits: Vec<u64>,
}

impl Heads {
    fn of(dfa: &DFA) -> Self {
        let classes: Vec<usize> = (0..=u8::MAX).map(|byte| usize::from(dfa.byte_classes().get(byte))).collect();
        let count = classes.iter().max().map_or(1, |most| most + 1);
        let mut samples = vec![0_u8; count];
        for (byte, class) in (0..=u8::MAX).zip(&classes) {
            if let Some(sample) = samples.get_mut(*class) {
                *sample = byte;
            }
        }
        let mut heads = Self { classes, count, bits: vec![0; (count * count * count).div_ceil(64)] };
        let mut cache = dfa.create_cache();
        for &first in &samples {
            for &second in &samples {
                if lives(dfa, &mut cache, &[first, second]) {
                    heads.add_thirds(dfa, &mut cache, [first, second], &samples);
                }
            }
        }
        heads
    }

    fn add_thirds(&mut self, dfa: &DFA, cache: &mut Cache, [first, second]: [u8; 2], samples: &[u8]) {
        for &third in samples {
            let place = self.place(first, second, third);
            if lives(dfa, cache, &[first, second, third])
                && let Some(word) = self.bits.get_mut(place / 64)
            {
                *word |= 1 << (place % 64);
            }
        }
    }

    fn contains(&self, first: u8, second: u8, third: u8) -> bool {
        let place = self.place(first, second, third);
        self.bits.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
    }

    fn place(&self, first: u8, second: u8, third: u8) -> usize {
        let class = |byte: u8| self.classes.get(usize::from(byte)).copied().unwrap_or(0);
        (class(first) * self.count + class(second)) * self.count + class(third)
    }
}

/// Whether the automaton is still alive after some bytes; what cannot be told counts as alive.
fn lives(dfa: &DFA, cache: &mut Cache, head: &[u8]) -> bool {
    let input = Input::new(head).anchored(Anchored::Yes);
    let Ok(mut state) = dfa.start_state_forward(cache, &input) else { return true };
    for byte in head {
        match dfa.next_state(cache, state, *byte) {
            Ok(next) => state = next,
            Err(_) => return true,
        }
        if state.is_dead() {
            return false;
        }
    }
    true
}
