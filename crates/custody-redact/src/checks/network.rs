//! Addresses of machines, telephone numbers.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::Digits;

/// Four numbers below 256, with a prefix length or not; written the way machines do (no leading zeros).
pub(crate) fn ipv4(text: &[u8]) -> bool {
    with_prefix(text, 32).is_some_and(|address| address.parse::<Ipv4Addr>().is_ok())
}

/// Any form of RFC 4291, with a zone or prefix length or not.
pub(crate) fn ipv6(text: &[u8]) -> bool {
    let Some(address) = with_prefix(text, 128) else { return false };
    let address = address.split_once('%').map_or(address, |(address, _)| address);
    address.parse::<Ipv6Addr>().is_ok()
}

fn with_prefix(text: &[u8], most: u8) -> Option<&str> {
    let text = std::str::from_utf8(text).ok()?;
    match text.split_once('/') {
        Some((address, length)) => length.parse::<u8>().is_ok_and(|length| length <= most).then_some(address),
        None => Some(text),
    }
}

/// The digits of a telephone number without those of its extension.
fn subscriber(text: &[u8]) -> Digits {
    let end = text.iter().position(u8::is_ascii_alphabetic).unwrap_or(text.len());
    Digits::of(text.get(..end).unwrap_or_default())
}

/// A country code people have, and a length of ITU-T E.164.
pub(crate) fn international(text: &[u8]) -> bool {
    let digits = subscriber(text);
    let code = match digits.number(0, 2) {
        0 if text.first() == Some(&b'0') => digits.number(2, 4),
        number => number,
    };
    (8..=17).contains(&digits.len()) && code >= 10 && !digits.is_filler()
}

/// North America: area and exchange begin with 2 to 9.
pub(crate) fn north_american(text: &[u8]) -> bool {
    let digits = subscriber(text);
    let skip = usize::from(digits.len() == 11);
    digits.len() == 10 + skip && digits.at(skip) >= 2 && digits.at(skip + 3) >= 2 && !digits.is_filler()
}

/// Any number of six to thirteen digits that a word near it calls a telephone.
pub(crate) fn local(text: &[u8]) -> bool {
    let digits = subscriber(text);
    (6..=13).contains(&digits.len()) && !digits.is_filler()
}

/// At least two kinds of characters in a hardware address that is not all zeros.
pub(crate) fn mac(text: &[u8]) -> bool {
    text.iter().any(|byte| byte.is_ascii_hexdigit() && *byte != b'0')
}
