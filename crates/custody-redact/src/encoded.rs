//! Base64 inside text: decoded once, within bounds, so that what hides in it is found.

use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::*;

/// Shorter runs hold no identifier; of longer ones the beginning is read.
const SHORTEST: usize = 16;
const LONGEST: usize = 8192;

const CONFIG: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true);
const PLAIN: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG);

/// How many bytes from here on are of base64's alphabet, as far as they are read.
pub(crate) fn run_length(text: &[u8], start: usize) -> usize {
    let run = text.get(start..).unwrap_or_default().iter().take(LONGEST);
    run.take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')).count()
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
