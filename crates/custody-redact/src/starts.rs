//! What can begin at a byte, told from it and the one before it.

#[derive(Clone, Copy)]
pub(crate) enum Start {
    No,
    Word,
    /// A capital inside a word: `dbPassword`.
    Hump,
    At,
    Bracket,
}

/// What can begin at a place.
#[inline]
pub(crate) fn start_at(text: &[u8], at: usize) -> Start {
    let byte = text.get(at).copied().unwrap_or(b' ');
    let before = at.checked_sub(1).and_then(|before| text.get(before)).copied().unwrap_or(b' ');
    let wordy = before.is_ascii_alphanumeric() || before >= 0x80;
    match byte {
        b'A'..=b'Z' if before.is_ascii_lowercase() => Start::Hump,
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' if before.is_ascii_alphanumeric() => Start::No,
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => Start::Word,
        b'@' => Start::At,
        b'[' => Start::Bracket,
        b'+' | b'(' | b':' if !wordy && before != byte => Start::Word,
        b'-' if before != b'-' => Start::Word,
        0xC0.. if !wordy => Start::Word,
        _ => Start::No,
    }
}
