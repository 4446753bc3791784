//! The rules that ship: a form, a check, and what must stand near it. Adding an identifier is adding a line.

mod accounts;
mod contact;
mod identifiers;
mod language;
mod machines;
mod names;
mod secrets;

use crate::checks::any;
use crate::context::Topic;
use crate::entity::Entity;

/// One form of one entity. The pattern is anchored where a word begins and is bounded in length.
#[derive(Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) entity: Entity,
    pub(crate) pattern: &'static str,
    pub(crate) check: fn(&[u8]) -> bool,
    pub(crate) part: Part,
    pub(crate) need: Need,
    /// Whether digits joined to either end by a hyphen or dot make it part of something else.
    pub(crate) apart: bool,
    /// Whether it is sought only where a digit stands in its first word, though the pattern alone does not demand one.
    pub(crate) numbered: bool,
    /// Which of two overlapping candidates is believed.
    pub(crate) weight: u8,
}

/// Which part of what the pattern matched is the entity.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Whole,
    /// What follows the first `:` or `=`, without quotes.
    Value,
    /// What follows the last space, without quotes.
    LastWord,
    /// From the first capital after the first space on.
    Name,
    /// From the first digit on.
    Number,
    /// The digits it begins with.
    Leading,
    /// Between `://` and `@`.
    UserInfo,
    /// As far as the line that ends the key.
    Pem,
}

/// What must be near a candidate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Nothing,
    /// A word of one of these topics.
    Near(u64),
    /// The same, or nothing else in the whole text: a field that holds just this value.
    NearOrAlone(u64),
}

impl Rule {
    const fn new(entity: Entity, pattern: &'static str, check: fn(&[u8]) -> bool) -> Self {
        Self { entity, pattern, check, part: Part::Whole, need: Need::Nothing, apart: true, numbered: false, weight: 50 }
    }

    const fn form(entity: Entity, pattern: &'static str) -> Self {
        Self::new(entity, pattern, any)
    }

    const fn near(mut self, topics: &[Topic]) -> Self {
        self.need = Need::Near(bits(topics));
        self
    }

    const fn near_or_alone(mut self, topics: &[Topic]) -> Self {
        self.need = Need::NearOrAlone(bits(topics));
        self
    }

    const fn part(mut self, part: Part) -> Self {
        self.part = part;
        self
    }

    const fn weight(mut self, weight: u8) -> Self {
        self.weight = weight;
        self
    }

    /// Without a digit in its first word it is a word.
    const fn numbered(mut self) -> Self {
        self.numbered = true;
        self
    }

    /// Digits may be joined to it.
    const fn joined(mut self) -> Self {
        self.apart = false;
        self
    }
}

/// A set of topics as bits, in constants.
const fn bits(topics: &[Topic]) -> u64 {
    let mut rest = topics;
    let mut set = 0;
    while let [first, others @ ..] = rest {
        set |= first.bit();
        rest = others;
    }
    set
}

/// Every rule of the given entities.
pub(crate) fn rules(entities: u32) -> Vec<Rule> {
    let tables = [
        accounts::RULES,
        contact::RULES,
        identifiers::RULES,
        identifiers::OTHERS,
        language::RULES,
        names::RULES,
        machines::RULES,
        secrets::RULES,
    ];
    tables.into_iter().flatten().filter(|rule| entities & rule.entity.bit() != 0).copied().collect()
}
