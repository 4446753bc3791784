//! What tells a secret from a placeholder: entropy, and the words people write where a secret would stand.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Words that mark an example or a reference to a secret kept elsewhere.
const PLACEHOLDERS: [&[u8]; 22] = [
    b"example",
    b"changeme",
    b"change_me",
    b"placeholder",
    b"your_",
    b"your-",
    b"yourpass",
    b"insert",
    b"redacted",
    b"xxxx",
    b"****",
    b"....",
    b"dummy",
    b"todo",
    b"undefined",
    b"null",
    b"none",
    b"getenv",
    b"environ",
    b"process.env",
    b"not_long_enough",
    b"<%",
];

/// Random enough for a token of a known form.
pub(crate) fn token(text: &[u8]) -> bool {
    bits_per_character(text) >= 3.0
}

/// A fixed form in which even regular characters are accepted, save one repeated.
pub(crate) fn formed(text: &[u8]) -> bool {
    bits_per_character(text) >= 2.2
}

/// Not the X's that people write over a token.
pub(crate) fn unmasked(text: &[u8]) -> bool {
    memchr::memmem::find(text, b"XXXX").is_none()
}

/// A value someone assigned to a password or key: not a placeholder, not code, not a sentence.
pub(crate) fn assigned(text: &[u8]) -> bool {
    let lower = text.to_ascii_lowercase();
    let placeholder = PLACEHOLDERS.iter().any(|word| memchr::memmem::find(&lower, word).is_some());
    let code = matches!(text.first(), Some(b'$' | b'%' | b'<' | b'{' | b'(' | b'[' | b'&')) || text.contains(&b'(');
    text.len() >= 6 && !placeholder && !code && bits_per_character(text) >= 2.0
}

/// A value of a header or a generic key: as [`assigned`], with digits among the letters.
pub(crate) fn mixed_value(text: &[u8]) -> bool {
    let digit = text.iter().any(u8::is_ascii_digit);
    let other = text.iter().any(|byte| !byte.is_ascii_digit() && byte.is_ascii_graphic());
    assigned(text) && digit && other && bits_per_character(text) >= 2.6
}

/// The first part decodes to a JSON object that names an algorithm or type.
pub(crate) fn jwt(text: &[u8]) -> bool {
    let header = text.split(|byte| *byte == b'.').next().unwrap_or_default();
    let decoded = URL_SAFE_NO_PAD.decode(header).or_else(|_| STANDARD_NO_PAD.decode(header)).unwrap_or_default();
    decoded.first() == Some(&b'{')
        && decoded.contains(&b':')
        && decoded.iter().rev().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'}')
}

/// Shannon's entropy of the characters, in bits.
fn bits_per_character(text: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in text {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let total = text.len() as f64;
    let share = |count: &u32| f64::from(*count) / total;
    counts.iter().filter(|count| **count > 0).map(|count| -share(count) * share(count).log2()).sum()
}
