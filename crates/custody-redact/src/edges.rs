//! Word boundaries of a deployment's patterns, made such that an automaton can walk them.
//!
//! Whether `\b` holds beside a letter of another script cannot be told from one byte, so that an automaton gives up at the first such
//! letter of a text and a slower engine takes over. Beside an ASCII letter or digit of the pattern it is enough to look at ASCII: the only
//! difference is that `\bTCK` is then found in `éTCK` too. Other scripts' digits are ASCII once a text is folded, so that `\d` is `[0-9]`.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look};

/// The same pattern with those boundaries and digits in ASCII for which it makes no difference.
pub(crate) fn in_ascii(hir: Hir) -> Hir {
    match hir.into_kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Class(Class::Unicode(class)) if is_all_digits(&class) => Hir::class(Class::Unicode(ascii_digits())),
        HirKind::Class(class) => Hir::class(class),
        HirKind::Look(look) => Hir::look(look),
        HirKind::Repetition(mut repetition) => {
            repetition.sub = Box::new(in_ascii(*repetition.sub));
            Hir::repetition(repetition)
        }
        HirKind::Capture(mut capture) => {
            capture.sub = Box::new(in_ascii(*capture.sub));
            Hir::capture(capture)
        }
        HirKind::Alternation(parts) => Hir::alternation(parts.into_iter().map(in_ascii).collect()),
        HirKind::Concat(parts) => concat(parts.into_iter().map(in_ascii).collect()),
    }
}

fn concat(mut parts: Vec<Hir>) -> Hir {
    for place in 0..parts.len() {
        let before = place.checked_sub(1).and_then(|before| parts.get(before)).is_some_and(|part| is_ascii(part, Side::End));
        let after = parts.get(place + 1).is_some_and(|part| is_ascii(part, Side::Start));
        if let Some(part) = parts.get_mut(place)
            && (before || after)
            && matches!(part.kind(), HirKind::Look(Look::WordUnicode))
        {
            *part = Hir::look(Look::WordAscii);
        }
    }
    Hir::concat(parts)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Start,
    End,
}

/// Whether a part of a pattern always begins or ends with an ASCII letter, digit or `_`.
fn is_ascii(hir: &Hir, side: Side) -> bool {
    match hir.kind() {
        HirKind::Literal(literal) => {
            let byte = if side == Side::Start { literal.0.first() } else { literal.0.last() };
            byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        }
        HirKind::Class(Class::Unicode(class)) => !class.ranges().is_empty() && class.ranges().iter().all(is_word_range),
        HirKind::Repetition(repetition) => repetition.min > 0 && is_ascii(&repetition.sub, side),
        HirKind::Capture(capture) => is_ascii(&capture.sub, side),
        HirKind::Alternation(parts) => parts.iter().all(|part| is_ascii(part, side)),
        HirKind::Concat(parts) => {
            let part = if side == Side::Start { parts.first() } else { parts.last() };
            part.is_some_and(|part| is_ascii(part, side))
        }
        HirKind::Empty | HirKind::Class(Class::Bytes(_)) | HirKind::Look(_) => false,
    }
}

/// Letters, digits or `_` of ASCII, or a letter that is one of them once a text is folded.
fn is_word_range(range: &ClassUnicodeRange) -> bool {
    let (start, end) = (range.start(), range.end());
    let within = |low: char, high: char| low <= start && end <= high;
    within('0', '9')
        || within('A', 'Z')
        || within('a', 'z')
        || within('_', '_')
        || within('\u{17f}', '\u{17f}')
        || within('\u{212a}', '\u{212a}')
}

/// `\d`: the digits of all scripts.
fn is_all_digits(class: &ClassUnicode) -> bool {
    let has = |zero: char, nine: char| class.ranges().iter().any(|range| range.start() == zero && range.end() == nine);
    let first = class.ranges().first().is_some_and(|range| range.start() == '0');
    first && has('0', '9') && has('\u{660}', '\u{669}') && class.ranges().iter().all(|range| range.start().is_numeric())
}

fn ascii_digits() -> ClassUnicode {
    ClassUnicode::new([ClassUnicodeRange::new('0', '9')])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_are_ascii_only_where_that_finds_no_less() {
        let same = |pattern: &str, other: &str| {
            assert_eq!(in_ascii(regex_syntax::parse(pattern).unwrap()), in_ascii(regex_syntax::parse(other).unwrap()), "{pattern}");
        };
        same(r"\bTCK-\d{4,6}\b", r"(?-u:\b)TCK-[0-9]{4,6}(?-u:\b)");
        same(r"\b(?:ab|c[d-f]+)\b", r"(?-u:\b)(?:ab|c[d-f]+)(?-u:\b)");
        for kept in [r"\bélan\b|x", r"\b\p{L}+", r"a?\b", r"\b-"] {
            let kept = regex_syntax::parse(kept).unwrap();
            assert!(in_ascii(kept).properties().look_set().contains(Look::WordUnicode));
        }
    }
}
