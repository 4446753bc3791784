//! Many forms in one automaton, walked from a place where a word begins.
//!
//! A lazy DFA: each byte is one step however many forms there are, there is nothing to backtrack, and its memory is bounded. Most
//! words are dismissed by their first three bytes, before the automaton is asked.

use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::{Anchored, Input, MatchKind};

use crate::rules::RulesError;

/// Room for states built while walking; when it is full the automaton starts afresh, which costs time and never memory.
const CACHE_BYTES: usize = 8 << 20;

/// No form is longer than this.
const LONGEST: usize = 1400;

pub(crate) struct Automaton {
    dfa: DFA,
    heads: Heads,
}

impl Automaton {
    pub(crate) fn new(patterns: &[String]) -> Result<Self, RulesError> {
        let dfa = DFA::builder()
            .configure(DFA::config().match_kind(MatchKind::All).cache_capacity(CACHE_BYTES).minimum_cache_clear_count(None))
            .thompson(thompson::Config::new().which_captures(WhichCaptures::None).shrink(false))
            .build_many(patterns)
            .map_err(|_| RulesError::TooLarge)?;
        let heads = Heads::of(&dfa);
        Ok(Self { dfa, heads })
    }

    /// The automaton itself, for whoever keeps its working memory.
    pub(crate) const fn dfa(&self) -> &DFA {
        &self.dfa
    }

    /// Whether any form begins with the bytes at a place.
    #[inline]
    pub(crate) fn may_begin(&self, text: &[u8], start: usize) -> bool {
        match text.get(start..start + 3) {
            Some([first, second, third]) => self.heads.contains(*first, *second, *third),
            _ => true,
        }
    }

    /// Reports each form that matches from `start`, and where it ends; a form with several ends is reported for each that is not in
    /// the middle of a word.
    pub(crate) fn walk(&self, cache: &mut Cache, text: &[u8], start: usize, mut matched: impl FnMut(usize, usize)) {
        let end = text.len().min(start + LONGEST);
        let input = Input::new(text).anchored(Anchored::Yes).range(start..end);
        let Ok(mut state) = self.dfa.start_state_forward(cache, &input) else { return };
        // A state says after the next byte that a form ended before it; the text's end counts as a byte.
        for (offset, byte) in text.get(start..end).unwrap_or_default().iter().enumerate() {
            #[cfg(test)]
            crate::tests::work(1);
            let Ok(next) = self.dfa.next_state(cache, state, *byte) else { return };
            state = next;
            if state.is_tagged() && !self.report(cache, state, text, start + offset, &mut matched) {
                return;
            }
        }
        if let Ok(last) = self.dfa.next_eoi_state(cache, state) {
            self.report(cache, last, text, end, &mut matched);
        }
    }

    /// Reports the forms that end here; says whether any form can go on.
    #[inline]
    fn report(&self, cache: &Cache, state: LazyStateID, text: &[u8], end: usize, matched: &mut impl FnMut(usize, usize)) -> bool {
        if state.is_match() && !in_word(text, end) {
            for index in 0..self.dfa.match_len(cache, state) {
                matched(self.dfa.match_pattern(cache, state, index).as_usize(), end);
            }
        }
        !state.is_dead() && !state.is_quit()
    }
}

/// Whether a word goes on at a place.
#[inline]
fn in_word(text: &[u8], at: usize) -> bool {
    let wordy = |at: usize| text.get(at).is_some_and(u8::is_ascii_alphanumeric);
    wordy(at) && at.checked_sub(1).is_some_and(wordy)
}

/// The first three bytes with which some form begins: of two bytes by themselves, of three by classes that no form tells apart.
struct Heads {
    pairs: Vec<u64>,
    classes: Box<[u8; 256]>,
    /// A class takes so many bits of a place.
    shift: u32,
    triples: Vec<u64>,
}

impl Heads {
    fn of(dfa: &DFA) -> Self {
        let mut classes = Box::new([0_u8; 256]);
        for (byte, class) in (0..=u8::MAX).zip(classes.iter_mut()) {
            *class = dfa.byte_classes().get(byte);
        }
        let count = classes.iter().max().map_or(1, |most| usize::from(*most) + 1);
        let mut samples = vec![0_u8; count];
        for (byte, class) in (0..=u8::MAX).zip(classes.iter()) {
            if let Some(sample) = samples.get_mut(usize::from(*class)) {
                *sample = byte;
            }
        }
        let shift = count.next_power_of_two().trailing_zeros();
        let mut heads = Self { pairs: vec![0; 1024], classes, shift, triples: vec![0; (1_usize << (3 * shift)).div_ceil(64)] };
        let mut cache = dfa.create_cache();
        for &first in &samples {
            for &second in &samples {
                if lives(dfa, &mut cache, &[first, second]) {
                    heads.add_thirds(dfa, &mut cache, [first, second], &samples);
                }
            }
        }
        heads.add_pairs(&samples);
        heads
    }

    fn add_thirds(&mut self, dfa: &DFA, cache: &mut Cache, [first, second]: [u8; 2], samples: &[u8]) {
        for &third in samples {
            if lives(dfa, cache, &[first, second, third]) {
                let place = self.triple(first, second, third);
                set(&mut self.triples, place);
            }
        }
    }

    fn add_pairs(&mut self, samples: &[u8]) {
        for first in 0..=u8::MAX {
            for second in 0..=u8::MAX {
                if samples.iter().any(|third| is_set(&self.triples, self.triple(first, second, *third))) {
                    set(&mut self.pairs, pair(first, second));
                }
            }
        }
    }

    #[inline]
    fn contains(&self, first: u8, second: u8, third: u8) -> bool {
        is_set(&self.pairs, pair(first, second)) && is_set(&self.triples, self.triple(first, second, third))
    }

    #[inline]
    fn triple(&self, first: u8, second: u8, third: u8) -> usize {
        let class = |byte: u8| self.classes.get(usize::from(byte)).copied().map_or(0, usize::from);
        (class(first) << self.shift | class(second)) << self.shift | class(third)
    }
}

#[inline]
fn pair(first: u8, second: u8) -> usize {
    usize::from(first) << 8 | usize::from(second)
}

#[inline]
fn is_set(bits: &[u64], place: usize) -> bool {
    bits.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
}

fn set(bits: &mut [u64], place: usize) {
    if let Some(word) = bits.get_mut(place / 64) {
        *word |= 1 << (place % 64);
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
