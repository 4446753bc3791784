//! Redaction of the log, built at the first line.
//!
//! It looks for everything that is looked for by default, and leaves the addresses of this machine and of private networks: which broker
//! or store does not answer must be told, and no line names a caller's address.

use std::{borrow::Cow, net::IpAddr, ops::Range};

use custody_redact::{Entity, Redacted, Span, standard};

/// A longer value is cut: a line is for people.
const LONGEST: usize = 16 << 10;

/// So much behind the cut is read, for values that reach over it: more than any that the rules know.
const BEHIND: usize = 16 << 10;

/// So much before the cut is not shown either, in case a value is longer than that.
const NOT_SHOWN: usize = 256;

/// Stands where a value was cut.
const CUT: &str = " (cut)";

/// What stands for a text that can't be checked; deny by default.
const UNREADABLE: &str = "[not shown]";

/// The text with each find replaced by its marker.
pub fn redacted(text: &str) -> Cow<'_, str> {
    redacted_after(text, 0)
}

/// The text after `from`, with each find replaced by its marker; what stands before is read for what it says of the value, as in
/// `password=…`, and left out.
pub fn redacted_after(text: &str, from: usize) -> Cow<'_, str> {
    let cut = text.len() - from.min(text.len()) > LONGEST;
    let shown = if cut { from..boundary(text, from + LONGEST - NOT_SHOWN) } else { from..text.len() };
    let read = text.get(..boundary(text, shown.end.saturating_add(NOT_SHOWN + BEHIND))).unwrap_or_default();
    let Some(redacted) = redacted_part(read, shown.clone()) else { return Cow::Borrowed(UNREADABLE) };
    if redacted.counts.is_empty() && !cut {
        return text.get(shown).map_or(Cow::Borrowed(UNREADABLE), Cow::Borrowed);
    }
    let mut left = redacted.text;
    if cut {
        left.push_str(CUT);
    }
    Cow::Owned(left)
}

/// Nothing where it can't be checked.
fn redacted_part(text: &str, part: Range<usize>) -> Option<Redacted> {
    standard()?.redact_part(text, part, &is_of_the_house)
}

fn boundary(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at.min(text.len()))
}

/// An address that names a machine of this network, and no one outside.
fn is_of_the_house(span: &Span, address: &str) -> bool {
    if span.entity != Entity::IpAddress {
        return false;
    }
    match address.parse() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_private() || address.is_unspecified() || address.is_link_local(),
        Ok(IpAddr::V6(address)) => {
            address.is_loopback() || address.is_unspecified() || address.is_unique_local() || address.is_unicast_link_local()
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AKIAQYLPMN5HHHFPZAM2";

    #[test]
    fn a_value_that_reaches_over_the_cut_is_not_begun() {
        for shift in 0..KEY.len() + 2 {
            for end in [LONGEST, LONGEST - NOT_SHOWN] {
                let text = format!("{} {KEY} {}", "x".repeat(end - 1 - shift), "y ".repeat(20_000));
                let shown = redacted(&text);
                assert!(!shown.contains("AKI") && shown.ends_with(CUT) && shown.len() <= LONGEST, "{end}, {shift}: {}", &shown[16_000..]);
            }
        }
    }

    #[test]
    fn a_long_key_over_the_cut_is_not_begun() {
        let body = "q7Zt0Xk2Lm9RvB4nHs6WyDc1PfJg8TaEu3Ko5Mi\n".repeat(40);
        for before in [LONGEST - 1_200, LONGEST - 400, LONGEST - 100] {
            let text =
                format!("{} -----BEGIN PRIVATE KEY-----\n{body}-----END PRIVATE KEY-----\n{}", "x".repeat(before), "y ".repeat(9_000));
            assert!(!redacted(&text).contains("q7Zt"), "{before}");
        }
    }

    #[test]
    fn a_short_text_is_shown_to_its_end_and_what_cannot_be_read_is_not() {
        assert_eq!(redacted("from 10.1.2.3 and 203.0.113.9"), "from 10.1.2.3 and [IP_ADDRESS]");
        assert_eq!(redacted_after("password=correct-horse", 9), "[PASSWORD]");
        let longest = "x ".repeat(LONGEST / 2);
        assert_eq!(redacted(&longest), longest);
        assert_eq!(redacted_after("é", 1), UNREADABLE);
        assert_eq!(redacted_after("a", 2), UNREADABLE);
    }

    #[test]
    fn an_address_of_the_house_stays_beside_one_that_does_not() {
        assert_eq!(redacted("127.0.0.1, 203.0.113.9, ::1, ann@example.org"), "127.0.0.1, [IP_ADDRESS], ::1, [EMAIL]");
    }
}
