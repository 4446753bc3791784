//! The markers that stand in redacted text: written here, and recognised so that redacting again leaves them alone.
//!
//! ```text
//! [NAME]        masked            [NAME:1234]        its last four digits            [NAME:abcdefghijklmnop]        a pseudonym
//! ```
//! A pseudonym is sixteen letters from `a` to `p`: no digits, so that no rule takes it for an identifier.

use std::ops::Range;

/// No marker is longer.
pub(crate) const LONGEST: usize = 52;

/// A pseudonym's sixteen letters.
pub(crate) fn letters(key: u64) -> String {
    let nibble = |place: u32| u8::try_from(key >> (4 * place) & 15).unwrap_or(0);
    (0..16).rev().map(|place| char::from(b'a' + nibble(place))).collect()
}

/// How long the marker is that begins at this `[`, if one does. Only names that redaction writes count: what stands in brackets is
/// otherwise text like any other.
pub(crate) fn length(text: &[u8], is_known: impl Fn(&[u8]) -> bool) -> Option<usize> {
    let in_name = |byte: &&u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || **byte == b'_';
    let length = text.get(1..)?.iter().take(33).take_while(in_name).count();
    let name = text.get(1..1 + length)?;
    let rest = text.get(1 + length..)?;
    let payload = match rest {
        [b']', ..] => 0,
        [b':', payload @ ..] => 1 + payload_length(payload)?,
        _ => return None,
    };
    (rest.get(payload) == Some(&b']') && is_known(name)).then_some(1 + length + payload + 1)
}

/// Whether a range is a marker, begins inside one or ends inside one: what redaction wrote is no find.
pub(crate) fn is_touched(text: &[u8], range: &Range<usize>, is_known: impl Fn(&[u8]) -> bool) -> bool {
    let marker = |at: usize| text.get(at..).and_then(|rest| length(rest, &is_known)).map(|length| at + length);
    let around = |place: usize| {
        let near = text.get(place.saturating_sub(LONGEST)..place)?;
        let at = place - near.len() + near.iter().rposition(|byte| *byte == b'[')?;
        marker(at).filter(|end| *end > place)
    };
    marker(range.start) == Some(range.end) || around(range.start).is_some() || around(range.end).is_some()
}

fn payload_length(payload: &[u8]) -> Option<usize> {
    let digits = payload.iter().take(5).take_while(|byte| byte.is_ascii_digit()).count();
    let letters = payload.iter().take(17).take_while(|byte| matches!(byte, b'a'..=b'p')).count();
    match (digits, letters) {
        (4, _) => Some(4),
        (_, 16) => Some(16),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cuts_a_marker_is_told_from_what_holds_one() {
        let text = b"a [EMAIL] b [X] c";
        let touched = |start, end| is_touched(text, &(start..end), |name| name == b"EMAIL");
        assert!(touched(2, 9) && touched(3, 8) && touched(0, 4) && touched(8, 11));
        assert!(!touched(0, 2) && !touched(0, 9) && !touched(2, 10) && !touched(9, 12) && !touched(13, 14));
    }

    #[test]
    fn only_what_could_have_been_written_here_is_a_marker() {
        let length = |text: &str| length(text.as_bytes(), |name| matches!(name, b"EMAIL" | b"CARD"));
        assert_eq!(length("[EMAIL] x"), Some(7));
        assert_eq!(length("[CARD:1111]"), Some(11));
        assert_eq!(length(&format!("[CARD:{}]", letters(0x0123_4567_89ab_cdef))), Some(23));
        assert_eq!(length("[CARD:4111111111111111]"), None);
        assert_eq!(length("[GB82WEST12345698765432]"), None);
        assert_eq!(length("[EMAIL"), None);
        assert_eq!(length("[]"), None);
    }
}
