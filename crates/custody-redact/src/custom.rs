//! The deployment's own words and patterns: all words in one automaton, all patterns in another, one pass each.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex_automata::meta::Regex;

use crate::edges;
use crate::rules::{Rules, RulesError};

const MOST: usize = 10_000;
const PATTERN_BYTES: usize = 8 << 20;
const TABLE_BYTES: usize = 16 << 10;

pub(crate) struct Custom {
    names: Vec<String>,
    sorted_names: Vec<String>,
    words: Option<AhoCorasick>,
    patterns: Option<Regex>,
    first_pattern: usize,
}

impl Custom {
    pub(crate) fn new(rules: &Rules) -> Result<Self, RulesError> {
        let names: Vec<String> =
            rules.words.iter().map(|word| &word.name).chain(rules.patterns.iter().map(|pattern| &pattern.name)).cloned().collect();
        if names.len() > MOST {
            return Err(RulesError::TooLarge);
        }
        if let Some(name) = names.iter().find(|name| !is_name(name)) {
            return Err(RulesError::Name(name.clone()));
        }
        let mut sorted_names = names.clone();
        sorted_names.sort_unstable();
        Ok(Self { sorted_names, words: words(rules)?, patterns: patterns(rules)?, first_pattern: rules.words.len(), names })
    }

    /// Whether there is any.
    pub(crate) const fn is_some(&self) -> bool {
        self.words.is_some() || self.patterns.is_some()
    }

    /// The name of one rule.
    pub(crate) fn name(&self, index: u16) -> Option<&str> {
        self.names.get(usize::from(index)).map(String::as_str)
    }

    /// Whether some rule has this name.
    pub(crate) fn has_name(&self, name: &[u8]) -> bool {
        self.sorted_names.binary_search_by(|one| one.as_bytes().cmp(name)).is_ok()
    }

    /// Reports each find: where, and by which rule.
    pub(crate) fn find(&self, text: &str, mut found: impl FnMut(std::ops::Range<usize>, u16)) {
        let index = |place: usize| u16::try_from(place).unwrap_or(u16::MAX);
        if let Some(words) = &self.words {
            for one in words.find_iter(text).filter(|one| stands_alone(text.as_bytes(), one.start(), one.end())) {
                found(one.start()..one.end(), index(one.pattern().as_usize()));
            }
        }
        if let Some(patterns) = &self.patterns {
            for one in patterns.find_iter(text).filter(|one| !one.is_empty()) {
                found(one.start()..one.end(), index(self.first_pattern + one.pattern().as_usize()));
            }
        }
    }
}

fn words(rules: &Rules) -> Result<Option<AhoCorasick>, RulesError> {
    if rules.words.is_empty() {
        return Ok(None);
    }
    if let Some(empty) = rules.words.iter().find(|one| one.word.trim().is_empty()) {
        return Err(RulesError::Empty(empty.name.clone()));
    }
    let words = rules.words.iter().map(|one| one.word.as_str());
    let bytes: usize = rules.words.iter().map(|one| one.word.len()).sum();
    // The table that is fastest to walk takes a kilobyte or so a byte of the words.
    let kind = (bytes <= TABLE_BYTES).then_some(AhoCorasickKind::DFA);
    let built = AhoCorasick::builder().ascii_case_insensitive(true).match_kind(MatchKind::LeftmostLongest).kind(kind).build(words);
    built.map(Some).map_err(|_| RulesError::TooLarge)
}

fn patterns(rules: &Rules) -> Result<Option<Regex>, RulesError> {
    if rules.patterns.is_empty() {
        return Ok(None);
    }
    let mut forms = Vec::with_capacity(rules.patterns.len());
    for one in &rules.patterns {
        let refused = || RulesError::Pattern(one.name.clone());
        let form = edges::in_ascii(regex_syntax::parse(&one.pattern).map_err(|_| refused())?);
        let regex = Regex::builder().configure(limits()).build_from_hir(&form).map_err(|_| refused())?;
        if regex.find("").is_some() {
            return Err(RulesError::Empty(one.name.clone()));
        }
        forms.push(form);
    }
    Regex::builder().configure(limits()).build_many_from_hir(&forms).map(Some).map_err(|_| RulesError::TooLarge)
}

fn limits() -> regex_automata::meta::Config {
    Regex::config().nfa_size_limit(Some(PATTERN_BYTES)).hybrid_cache_capacity(PATTERN_BYTES)
}

fn is_name(name: &str) -> bool {
    let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_uppercase());
    first && name.len() <= 32 && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

fn stands_alone(text: &[u8], start: usize, end: usize) -> bool {
    let letter = |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(u8::is_ascii_alphanumeric);
    !letter(start.checked_sub(1)) && !letter(Some(end))
}
