//! What a pattern demands before anybody walks it: whether it cannot match without a digit, and how near that digit must stand.
//!
//! Most words of ordinary text have no digit in or near them, and most forms need one; knowing which saves most of the work.

use regex_syntax::hir::{Class, ClassUnicodeRange, Hir, HirKind, Repetition};

use crate::blocks::SIGHT;

/// Beyond so many characters a digit is not looked for.
const NEAR: usize = 12;
const FAR: usize = SIGHT - 1;

/// When a form is worth trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shape {
    /// At any word.
    Word,
    /// At a word that holds a digit; nothing but letters can stand before it.
    NumberedWord,
    /// Where a digit follows soon.
    NumberedSoon,
    /// Where a digit follows in the same line or so.
    NumberedLine,
}

impl Shape {
    /// Each shape, in order.
    pub(crate) const ALL: [Self; 4] = [Self::Word, Self::NumberedWord, Self::NumberedSoon, Self::NumberedLine];

    /// How many characters may stand before the digit.
    pub(crate) const fn reach(self) -> usize {
        match self {
            Self::Word | Self::NumberedWord => 0,
            Self::NumberedSoon => NEAR,
            Self::NumberedLine => FAR,
        }
    }
}

/// The shape of a pattern; one that cannot be read is tried at any word.
pub(crate) fn of(pattern: &str) -> Shape {
    let Ok(hir) = regex_syntax::parse(pattern) else { return Shape::Word };
    let way = Way::through(&hir);
    match way {
        Way { plain: Some(_), .. } => Shape::Word,
        Way { leaves: false, before, .. } if before <= FAR => Shape::NumberedWord,
        Way { before, .. } if before <= NEAR => Shape::NumberedSoon,
        Way { before, .. } if before <= FAR => Shape::NumberedLine,
        _ => Shape::Word,
    }
}

/// The ways through a part of a pattern, as far as their first digit.
#[derive(Clone, Copy)]
struct Way {
    /// Characters of the longest way without any digit; none when each way has one.
    plain: Option<usize>,
    /// Characters before the first digit, at most.
    before: usize,
    /// Whether something other than an ASCII letter can stand there.
    leaves: bool,
}

impl Way {
    const NOTHING: Self = Self { plain: Some(0), before: 0, leaves: false };
    const DIGIT: Self = Self { plain: None, before: 0, leaves: false };

    fn through(hir: &Hir) -> Self {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => Self::NOTHING,
            HirKind::Literal(literal) => std::str::from_utf8(&literal.0)
                .map_or(Self::far(), |text| text.chars().fold(Self::NOTHING, |way, character| way.then(Self::over(character, character)))),
            HirKind::Class(Class::Unicode(class)) => {
                let ranges = class.ranges().iter().map(|range: &ClassUnicodeRange| Self::over(range.start(), range.end()));
                ranges.reduce(Self::or).unwrap_or(Self::far())
            }
            HirKind::Class(Class::Bytes(_)) => Self::far(),
            HirKind::Repetition(repetition) => Self::repeated(repetition),
            HirKind::Capture(capture) => Self::through(&capture.sub),
            HirKind::Concat(parts) => parts.iter().fold(Self::NOTHING, |way, part| way.then(Self::through(part))),
            HirKind::Alternation(parts) => parts.iter().map(Self::through).reduce(Self::or).unwrap_or(Self::NOTHING),
        }
    }

    /// Nothing can be said.
    const fn far() -> Self {
        Self { plain: Some(usize::MAX), before: usize::MAX, leaves: true }
    }

    /// One character of a range.
    fn over(start: char, end: char) -> Self {
        if start.is_ascii_digit() && end.is_ascii_digit() {
            return Self::DIGIT;
        }
        // The other cases of `s` and `k`, which stand for themselves once a text is folded.
        if start == end && matches!(start, '\u{17f}' | '\u{212a}') {
            return Self { leaves: false, ..Self::over('s', 's') };
        }
        let letters = start.is_ascii_lowercase() && end.is_ascii_lowercase() || start.is_ascii_uppercase() && end.is_ascii_uppercase();
        Self { plain: Some(1), before: 0, leaves: !letters }
    }

    fn repeated(repetition: &Repetition) -> Self {
        let once = Self::through(&repetition.sub);
        let most = repetition.max.map_or(usize::MAX, |most| most as usize);
        let plain = once.plain.map(|plain| plain.saturating_mul(most));
        let before = once.plain.unwrap_or(0).saturating_mul(most.saturating_sub(1)).saturating_add(once.before);
        let plain = if repetition.min == 0 { Some(plain.unwrap_or(0)) } else { plain };
        Self { plain, before, leaves: once.leaves }
    }

    fn then(self, next: Self) -> Self {
        let Some(plain) = self.plain else { return self };
        Self {
            plain: next.plain.map(|more| plain.saturating_add(more)),
            before: self.before.max(plain.saturating_add(next.before)),
            leaves: self.leaves || next.leaves,
        }
    }

    fn or(self, other: Self) -> Self {
        let plain = match (self.plain, other.plain) {
            (Some(one), Some(two)) => Some(one.max(two)),
            (one, two) => one.or(two),
        };
        Self { plain, before: self.before.max(other.before), leaves: self.leaves || other.leaves }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_says_what_must_be_there() {
        let cases = [
            (r"[0-9]{3}-[0-9]{2}", Shape::NumberedWord),
            (r"[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,30}", Shape::NumberedWord),
            (r"(?i:[a-z]{0,3}[0-9]{5}|u1[a-z]{7})", Shape::NumberedWord),
            (r"[A-Z]{2} ?[0-9]{2}", Shape::NumberedSoon),
            (r"\+ ?[1-9]{3}", Shape::NumberedSoon),
            (r"[a-f0-9]{32}-us", Shape::Word),
            (r"[A-Z0-9]{7}[0-9]", Shape::NumberedWord),
            (r"\p{Lu}[a-z]{1,20}(?: [A-Z][a-z]{1,18}){0,2} [0-9]", Shape::NumberedLine),
            (r"Mr [A-Z]", Shape::Word),
            (r"(?:[0-9]{1,3} )?Main", Shape::Word),
            (r"a.{1,400}[0-9]", Shape::Word),
        ];
        for (pattern, shape) in cases {
            assert_eq!(of(pattern), shape, "{pattern}");
        }
    }
}
