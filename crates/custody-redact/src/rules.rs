//! What to look for and what to put in its place, as a value that configuration can hold.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::entity::Entity;

/// What to find and what to do with it. The default finds everything but plain dates and web addresses, and masks it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// The kinds to look for.
    pub entities: BTreeSet<Entity>,
    /// What to do with a kind; those not named are masked.
    pub actions: BTreeMap<Entity, Action>,
    /// Words and phrases of the deployment's own, without regard to the case of ASCII letters.
    pub words: Vec<CustomWord>,
    /// Patterns of the deployment's own, in the syntax of Rust's `regex`.
    pub patterns: Vec<CustomPattern>,
}

/// What stands in redacted text instead of what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// `[CARD]`
    Mask,
    /// `[CARD:1111]`: the last four digits of a number that has at least eight; anything else is masked.
    LastFour,
    /// `[CARD:eapgkfmhbnlocidj]`: the same letters for the same value under the caller's key.
    Pseudonym,
}

/// A word or phrase to find wherever it stands as a word.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomWord {
    /// Its name in markers and counts: capitals, digits and `_`.
    pub name: String,
    /// The word.
    pub word: String,
}

/// A pattern to find anywhere in folded text, in which other scripts' digits are `0` to `9`. Patterns are walked at the speed of the rules
/// that ship, except where `\b` stands beside something of the pattern that need not be an ASCII letter or digit: such a pattern is about
/// ten times slower in text of other scripts.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomPattern {
    /// Its name in markers and counts: capitals, digits and `_`.
    pub name: String,
    /// The pattern.
    pub pattern: String,
}

/// Rules that cannot be used. Words and patterns may be confidential, so that only names are told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// The name would not stand in a marker.
    #[error("`{0}` is not a name of 1 to 32 capitals, digits and `_` that begins with a capital")]
    Name(String),
    /// Nothing to look for.
    #[error("the word or pattern of `{0}` is empty or matches nothing but emptiness")]
    Empty(String),
    /// Not a pattern.
    #[error("the pattern of `{0}` is not a regular expression without look-around and back-references, or is too large")]
    Pattern(String),
    /// More words and patterns than are searched at once.
    #[error("more than 10000 words and patterns, or patterns too large together")]
    TooLarge,
}

impl Rules {
    /// Whether something that is looked for becomes a pseudonym. The deployment's own words and patterns are looked for in any case.
    pub(crate) fn ask_for_pseudonyms(&self) -> bool {
        let is_looked_for = |entity: &Entity| match entity {
            Entity::Custom => !self.words.is_empty() || !self.patterns.is_empty(),
            other => self.entities.contains(other),
        };
        self.actions.iter().any(|(entity, action)| *action == Action::Pseudonym && is_looked_for(entity))
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            entities: Entity::ALL.iter().copied().filter(|entity| entity.is_default()).collect(),
            actions: BTreeMap::new(),
            words: Vec::new(),
            patterns: Vec::new(),
        }
    }
}

impl std::fmt::Debug for CustomWord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CustomWord").field("name", &self.name).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for CustomPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CustomPattern").field("name", &self.name).finish_non_exhaustive()
    }
}
