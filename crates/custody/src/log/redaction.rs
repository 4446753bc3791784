//! Redaction of the log, built at the first line.
//!
//! It looks for everything that is looked for by default, and leaves the addresses of this machine and of private networks: which broker
//! or store does not answer must be told, and no line names a caller's address.

use std::{borrow::Cow, net::IpAddr};

use custody_redact::{Entity, Redactor, Span, standard};

/// What stands in place of one find may bring its neighbours within a rule's reach.
const ROUNDS: usize = 4;

/// Longer values are cut before they are read: a line is for people.
const LONGEST: usize = 16 << 10;

/// What stands for a text that can't be checked; deny by default.
const UNREADABLE: &str = "[not shown]";

/// The text with each find replaced by its marker.
pub fn redacted(text: &str) -> Cow<'_, str> {
    redacted_after(text, 0)
}

/// The text after `from`, with each find replaced by its marker; what stands before is read for what it says of the value, as in
/// `password=…`, and left out.
pub fn redacted_after(text: &str, from: usize) -> Cow<'_, str> {
    let Some(redactor) = standard() else { return Cow::Borrowed(UNREADABLE) };
    let text = text.get(..text.floor_char_boundary(LONGEST)).unwrap_or_default();
    let mut left = Cow::Borrowed(text);
    for _ in 0..ROUNDS {
        let spans = redactor.find(&left);
        let replaced = replace(redactor, &left, from, &spans);
        let Some(replaced) = replaced else { break };
        left = Cow::Owned(replaced);
    }
    match left {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(from..).unwrap_or(UNREADABLE)),
        Cow::Owned(text) => Cow::Owned(text.get(from..).unwrap_or(UNREADABLE).to_owned()),
    }
}

/// Nothing where there is nothing to replace.
fn replace(redactor: &Redactor, text: &str, from: usize, spans: &[Span]) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for span in spans.iter().filter(|span| span.end > from) {
        let start = span.start.max(from);
        let value = text.get(start..span.end)?;
        if span.entity == Entity::IpAddress && is_of_the_house(value) {
            continue;
        }
        out.push_str(text.get(copied..start)?);
        out.push('[');
        out.push_str(redactor.name(span));
        out.push(']');
        copied = span.end;
    }
    if copied == 0 {
        return None;
    }
    out.push_str(text.get(copied..)?);
    Some(out)
}

/// An address that names a machine of this network, and no one outside.
fn is_of_the_house(address: &str) -> bool {
    match address.parse() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_private() || address.is_unspecified() || address.is_link_local(),
        Ok(IpAddr::V6(address)) => {
            address.is_loopback() || address.is_unspecified() || address.is_unique_local() || address.is_unicast_link_local()
        }
        Err(_) => false,
    }
}
