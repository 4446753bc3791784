//! E-mail addresses, found from their `@` outwards.

use std::ops::Range;

/// RFC 5321: local part, label, whole.
const LONGEST_LOCAL: usize = 64;
const LONGEST_LABEL: usize = 63;
const LONGEST_DOMAIN: usize = 253;

/// The address around an `@`, if there is one. Looks at a bounded number of bytes.
pub(crate) fn around(text: &[u8], at: usize) -> Option<Range<usize>> {
    let start = local_start(text, at)?;
    let end = domain_end(text, at + 1)?;
    Some(start..end)
}

fn local_start(text: &[u8], at: usize) -> Option<usize> {
    let before = text.get(..at)?;
    let length = before.iter().rev().take(LONGEST_LOCAL + 1).take_while(|byte| is_local(**byte)).count();
    #[cfg(test)]
    crate::tests::work(length);
    let quiet = |byte: &&u8| matches!(**byte, b'.' | b'-' | b'\'' | b'+' | b'%' | b'_' | b'=' | b'&' | b'/');
    let skipped = before.get(at - length..)?.iter().take_while(|byte| quiet(byte) && **byte != b'_').count();
    (length > skipped && length <= LONGEST_LOCAL).then_some(at - length + skipped)
}

fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80 || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-' | b'\'' | b'&' | b'/')
}

/// Labels with dots between them; the last is letters, or an encoded name.
fn domain_end(text: &[u8], start: usize) -> Option<usize> {
    let mut end = None;
    let mut label = start;
    loop {
        let length = text.get(label..)?.iter().take(LONGEST_LABEL + 1).take_while(|byte| is_label(**byte)).count();
        #[cfg(test)]
        crate::tests::work(length + 1);
        let name = text.get(label..label + length)?;
        let name = name.strip_suffix(b"-").unwrap_or(name);
        if name.is_empty() || name.starts_with(b"-") || length > LONGEST_LABEL || label + length - start > LONGEST_DOMAIN {
            return end;
        }
        if label > start && is_top_level(name) {
            end = Some(label + name.len());
        } else if label > start {
            end = None;
        }
        if text.get(label + length) != Some(&b'.') {
            return end;
        }
        let dot = label + length;
        if !text.get(dot + 1).is_some_and(|byte| is_label(*byte)) {
            return end;
        }
        label = dot + 1;
    }
}

fn is_label(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte >= 0x80
}

fn is_top_level(name: &[u8]) -> bool {
    name.starts_with(b"xn--") || name.len() >= 2 && name.iter().all(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&str> {
        let at = text.find('@')?;
        around(text.as_bytes(), at).map(|range| &text[range])
    }

    #[test]
    fn addresses_end_where_the_sentence_goes_on() {
        assert_eq!(found("write to a.b+c@mail.example.org."), Some("a.b+c@mail.example.org"));
        assert_eq!(found("<o'neil@x-y.co.uk>"), Some("o'neil@x-y.co.uk"));
        assert_eq!(found("a@xn--d1acufc.xn--p1ai"), Some("a@xn--d1acufc.xn--p1ai"));
        assert_eq!(found("jürgen@müller.de, and"), Some("jürgen@müller.de"));
    }

    #[test]
    fn what_has_no_top_level_is_none() {
        assert_eq!(found("info@presidio."), None);
        assert_eq!(found("git@localhost"), None);
        assert_eq!(found("@example.org"), None);
        assert_eq!(found("a@1.2.3.4"), None);
    }
}
