//! The markers that stand in redacted text: written here, and recognised so that redacting again leaves them alone.
//!
//! ```text
//! [NAME]        masked            [NAME:1234]        its last four digits            [NAME:abcdefghijklmnop]        a pseudonym
//! ```
//! A pseudonym is sixteen letters from `a` to `p`: no digits, so that no rule takes it for an identifier.

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
