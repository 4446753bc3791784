//! Escapes inside text: `%40`, `\u0040`, `\n`. Decoded once; what they decode to is not decoded again.

/// The character an escape at the start of the text stands for, and how many bytes the escape takes.
pub(super) fn decode(text: &str) -> Option<(char, usize)> {
    match text.as_bytes() {
        [b'%', high, low, ..] => percent(text.as_bytes(), hex(*high)? * 16 + hex(*low)?),
        [b'\\', b'u', ..] => unicode(text),
        [b'\\', letter, ..] => simple(*letter).map(|character| (character, 2)),
        _ => None,
    }
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// One percent-encoded character: one byte, or the two to four bytes of its UTF-8 form.
fn percent(bytes: &[u8], first: u8) -> Option<(char, usize)> {
    let length = match first {
        0x20..0x7F => 1,
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return None,
    };
    let mut encoded = [0_u8; 4];
    for (place, triple) in encoded.iter_mut().zip(bytes.chunks(3)).take(length) {
        let [b'%', high, low] = triple else { return None };
        *place = hex(*high)? * 16 + hex(*low)?;
    }
    let decoded = std::str::from_utf8(encoded.get(..length)?).ok()?;
    Some((decoded.chars().next()?, length * 3))
}

/// `\u0040`, and a pair of surrogates.
fn unicode(text: &str) -> Option<(char, usize)> {
    let first = four_digits(text, 0)?;
    if let Some(character) = char::from_u32(first) {
        return Some((character, 6));
    }
    let second = four_digits(text, 6)?;
    let units = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
    let character = char::decode_utf16(units).next()?.ok()?;
    Some((character, 12))
}

fn four_digits(text: &str, at: usize) -> Option<u32> {
    let escape = text.get(at..at + 6)?;
    let digits = escape.strip_prefix("\\u")?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
}

fn simple(letter: u8) -> Option<char> {
    match letter {
        b'n' | b'r' | b't' => Some('\n'),
        b'"' => Some('"'),
        b'/' => Some('/'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_once() {
        assert_eq!(decode("%40x"), Some(('@', 3)));
        assert_eq!(decode("%C3%A9"), Some(('é', 6)));
        assert_eq!(decode("\\u0040"), Some(('@', 6)));
        assert_eq!(decode("\\ud83d\\ude00"), Some(('😀', 12)));
        assert_eq!(decode("\\n"), Some(('\n', 2)));
        assert_eq!(decode("%2"), None);
        assert_eq!(decode("%ff%00"), None);
        assert_eq!(decode("\\ud83d"), None);
    }
}
