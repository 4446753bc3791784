//! Base64 inside text: decoded once, so that what hides in it is found, also where not all of it is text.

use std::ops::Range;

use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::*;
use zeroize::Zeroizing;

/// Shorter runs hold no identifier.
pub(crate) const SHORTEST: usize = 16;

/// Whether a run is text is told from so much of it, and from one character in so many that is none.
const HEAD: usize = 64;
const ONE_IN: usize = 8;

const CONFIG: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true);
const PLAIN: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);

/// The run of base64's alphabets that begins at a word's start. A word that goes on with an earlier one (`lib` in `usr/lib`) begins
/// none, and neither does a sign: the first byte of UTF-8 is below 0xF8, so that its base64 begins with a letter or digit.
#[cold]
pub(crate) fn run(text: &[u8], start: usize) -> Option<Range<usize>> {
    if !text.get(start)?.is_ascii_alphanumeric() {
        return None;
    }
    let joining = text.get(..start)?.iter().rev().take_while(|byte| is_joining(**byte)).count();
    work(joining);
    if start.checked_sub(joining + 1).and_then(|before| text.get(before)).is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    Some(start..end(text, start))
}

/// Where the run that a place stands in ends.
pub(crate) fn end(text: &[u8], at: usize) -> usize {
    let length = text.get(at..).unwrap_or_default().iter().take_while(|byte| is_of_alphabet(**byte)).count();
    work(length);
    at + length
}

/// Where the run that ends at a place begins, with the signs before it.
pub(crate) fn start(text: &[u8], at: usize) -> usize {
    let length = text.get(..at).unwrap_or_default().iter().rev().take_while(|byte| is_of_alphabet(**byte)).count();
    work(length);
    at - length
}

/// How many signs a run begins with.
pub(crate) fn signs(run: &[u8]) -> usize {
    run.iter().take_while(|byte| is_joining(**byte)).count()
}

fn is_of_alphabet(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || is_joining(byte)
}

fn is_joining(byte: u8) -> bool {
    matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// Whether a run, or one that begins like this, encodes text.
pub(crate) fn is_text(run: &[u8]) -> bool {
    let Some(bytes) = run.get(..HEAD.min(run.len())).filter(|head| head.len() >= SHORTEST).and_then(bytes) else { return false };
    work(bytes.len());
    let (mut seen, mut broken) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        seen += chunk.valid().chars().count();
        broken += chunk.valid().chars().filter(|character| character.is_control() && !character.is_whitespace()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    // What is cut off at the end is no fault.
    let cut = bytes.utf8_chunks().last().is_some_and(|last| !last.invalid().is_empty());
    (broken - usize::from(cut)) * ONE_IN <= seen
}

/// What a run encodes, with a space for each byte that is no text.
pub(crate) fn decode(run: &[u8]) -> Option<Zeroizing<String>> {
    let bytes = bytes(run)?;
    work(bytes.len());
    // No longer than the bytes, so that nothing is left behind by growing.
    let mut text = Zeroizing::new(String::with_capacity(bytes.len()));
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(' ');
        }
    }
    Some(text)
}

/// The bytes of a run in either alphabet, or in both.
fn bytes(run: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let whole = if run.len() % 4 == 1 { run.len() - 1 } else { run.len() };
    let mut plain = Zeroizing::new(run.get(..whole)?.to_vec());
    for byte in plain.iter_mut() {
        match byte {
            b'-' => *byte = b'+',
            b'_' => *byte = b'/',
            _ => {}
        }
    }
    let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(plain.len())]);
    let length = PLAIN.decode_slice(&plain[..], &mut bytes).ok()?;
    bytes.truncate(length);
    Some(bytes)
}

/// Counted in tests, where time is bounded without a clock.
#[inline]
fn work(steps: usize) {
    #[cfg(test)]
    crate::tests::work(steps);
    let _ = steps;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(run: &[u8]) -> Option<String> {
        is_text(run).then(|| decode(run)).flatten().map(|text| text.to_string())
    }

    #[test]
    fn text_is_decoded_and_noise_is_not() {
        assert_eq!(read(b"bXkgbWFpbCBpcyBhbm5AZXhhbXBsZS5vcmc").as_deref(), Some("my mail is ann@example.org"));
        assert_eq!(read(b"usrlocallibexecpath"), None);
        assert_eq!(read(b"short"), None);
    }

    #[test]
    fn a_run_begins_with_a_letter_or_digit_and_does_not_go_on_a_word() {
        let at = |text: &str, start: usize| run(text.as_bytes(), start).map(|range| text[range].to_owned());
        assert_eq!(at("--abc/d e", 2).as_deref(), Some("abc/d"));
        assert_eq!(at("--abc/d e", 1), None);
        assert_eq!(at("usr/-lib", 5), None);
    }

    #[test]
    fn one_byte_in_a_line_that_is_no_text_is_a_space() {
        let run = BASE64_STANDARD_NO_PAD.encode(b"the mail of this one\xff here is ann@example.org");
        assert_eq!(read(run.as_bytes()).as_deref(), Some("the mail of this one  here is ann@example.org"));
    }
}
