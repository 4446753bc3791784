//! Which bytes of a match are the entity: the value without its key, the name without its title.

use std::ops::Range;

use crate::table::Part;

/// Longer keys than this are not PEM.
const LONGEST_KEY: usize = 12 << 10;

/// The entity's bytes inside the match, if the match holds any.
pub(crate) fn of(text: &[u8], found: Range<usize>, part: Part) -> Option<Range<usize>> {
    let matched = text.get(found.clone())?;
    let at = |offset: usize| found.start + offset;
    match part {
        Part::Whole => Some(found),
        Part::Value => {
            let sign = matched.iter().position(|byte| matches!(byte, b':' | b'='))?;
            let value =
                after(matched, sign, |byte| matches!(byte, b':' | b'=' | b'>' | b'"' | b'\'' | b'`') || byte.is_ascii_whitespace())?;
            Some(at(value)..at(trimmed(matched)))
        }
        Part::LastWord => {
            let space = matched.iter().rposition(|byte| matches!(byte, b' ' | b'\n' | b':'))?;
            let value = after(matched, space, |byte| matches!(byte, b':' | b'"' | b'\'' | b' ' | b'\n'))?;
            Some(at(value)..at(trimmed(matched)))
        }
        Part::Name => {
            let space = matched.iter().position(u8::is_ascii_whitespace)?;
            let rest = std::str::from_utf8(matched.get(space..)?).ok()?;
            Some(at(space + rest.find(char::is_uppercase)?)..found.end)
        }
        Part::Number => Some(at(matched.iter().position(u8::is_ascii_digit)?)..found.end),
        Part::Leading => Some(found.start..at(matched.iter().take_while(|byte| byte.is_ascii_digit()).count())),
        Part::UserInfo => {
            let start = memchr::memmem::find(matched, b"://")? + 3;
            Some(at(start)..at(memchr::memrchr(b'@', matched)?))
        }
        Part::Pem => Some(found.start..found.end + pem_length(text.get(found.end..)?)),
    }
    .filter(|range| !range.is_empty())
}

/// The first place after `from` that is not skipped.
fn after(text: &[u8], from: usize, skip: impl Fn(u8) -> bool) -> Option<usize> {
    text.get(from..)?.iter().position(|byte| !skip(*byte)).map(|offset| from + offset)
}

/// Where the text ends without closing quotes and brackets.
fn trimmed(text: &[u8]) -> usize {
    let closing = text.iter().rev().take_while(|byte| matches!(byte, b'"' | b'\'' | b'`' | b')' | b'}' | b']' | b'.')).count();
    text.len() - closing
}

/// The key's body and its last line; without one, as far as the lines look like a key.
fn pem_length(rest: &[u8]) -> usize {
    let near = rest.get(..LONGEST_KEY).unwrap_or(rest);
    // A key has no such dashes inside; those of another key's first line end the search.
    let dashes = memchr::memmem::find(near, b"-----");
    #[cfg(test)]
    crate::tests::work(dashes.unwrap_or(near.len()));
    if let Some(end) = dashes.filter(|end| near.get(*end..).is_some_and(|line| line.starts_with(b"-----END "))) {
        let line = near.get(end + 9..).unwrap_or_default();
        let tail = memchr::memmem::find(line.get(..80).unwrap_or(line), b"-----").map_or(0, |tail| tail + 5);
        return end + 9 + tail;
    }
    near.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'\n' | b'\r')).count()
}
