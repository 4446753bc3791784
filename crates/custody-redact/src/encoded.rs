//! Base64 inside text: decoded once, within bounds, so that what hides in it is found.

use std::ops::Range;

use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::*;

/// Shorter runs hold no identifier.
pub(crate) const SHORTEST: usize = 16;

const CONFIG: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true);
const PLAIN: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG);

/// The run of base64's alphabets that begins at a word's start. A word that goes on with an earlier one (`lib` in `usr/lib`) begins
/// none.
#[cold]
pub(crate) fn run(text: &[u8], start: usize) -> Option<Range<usize>> {
    let before = text.get(..start)?.iter().rev().find(|byte| !is_joining(**byte));
    if before.is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    let length = text.get(start..)?.iter().take_while(|byte| is_of_alphabet(**byte)).count();
    #[cfg(test)]
    crate::tests::work(length);
    Some(start..start + length)
}

/// Where the run that a place stands in ends.
pub(crate) fn run_end(text: &[u8], at: usize, most: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().take(most).take_while(|byte| is_of_alphabet(**byte)).count()
}

fn is_of_alphabet(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || is_joining(byte)
}

fn is_joining(byte: u8) -> bool {
    matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// The text that a run encodes, if it is text.
pub(crate) fn decode(run: &[u8]) -> Option<String> {
    let whole = if run.len() % 4 == 1 { run.len() - 1 } else { run.len() };
    let run = run.get(..whole)?;
    if run.len() < SHORTEST {
        return None;
    }
    let engine = if run.iter().any(|byte| matches!(byte, b'-' | b'_')) { &URL_SAFE } else { &PLAIN };
    // The first bytes tell text from what only looks like base64.
    let head = engine.decode(run.get(..12)?).ok()?;
    if head.iter().any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace()) {
        return None;
    }
    let text = String::from_utf8(engine.decode(run).ok()?).ok()?;
    let readable = !text.chars().any(|character| character.is_control() && !character.is_whitespace());
    readable.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_decoded_and_noise_is_not() {
        assert_eq!(decode(b"bXkgbWFpbCBpcyBhbm5AZXhhbXBsZS5vcmc").as_deref(), Some("my mail is ann@example.org"));
        assert_eq!(decode(b"usrlocallibexecpath"), None);
        assert_eq!(decode(b"short"), None);
    }
}
