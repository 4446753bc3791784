//! The alphabets and lengths of the service model.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::{
    RequestError, RequestErrorCode as Code,
    fields::{Field, join, showable},
};

const MAX_TOOL_WORD: usize = 64;

/// Whether the text may be a `toolUseId`.
pub(super) fn is_tool_use_id(id: &str) -> bool {
    (1..=MAX_TOOL_WORD).contains(&id.len()) && id.bytes().all(is_id_byte)
}

/// Whether the text may be a tool's name.
pub(super) fn is_tool_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=MAX_TOOL_WORD).contains(&name.len()) && name.bytes().all(allowed)
}

/// The id itself, or one that fits and is the same wherever the id stands, so that call and result still find each other. The end
/// of a long id is kept, because that is where ids differ.
pub(super) fn fitting_tool_use_id(id: &str) -> Cow<'_, str> {
    if is_tool_use_id(id) {
        return Cow::Borrowed(id);
    }
    let fitting: String = id.bytes().map(|byte| if is_id_byte(byte) { char::from(byte) } else { '_' }).collect();
    let from = fitting.len().saturating_sub(MAX_TOOL_WORD);
    match fitting.get(from..) {
        Some(end) if !end.is_empty() => Cow::Owned(end.to_owned()),
        _ => Cow::Borrowed("call"),
    }
}

/// The id under which a caller sees the call of an answer that stands at place `at`. Some servers give their calls no ids; without
/// one a caller could not tell two calls apart.
pub(super) fn shown_tool_use_id(id: &str, at: u32) -> Cow<'_, str> {
    if id.is_empty() { Cow::Owned(format!("call_{at}")) } else { fitting_tool_use_id(id) }
}

/// Whether the text may be a value of `requestMetadata`, or, unless it is empty, a key: `[a-zA-Z0-9\s:_@$#=/+,-.]{0,256}`, where `\s`
/// is ASCII's white space, the vertical tab included.
#[must_use]
pub fn is_metadata(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || b"\x0b:_@$#=/+,-.".contains(&byte);
    text.len() <= 256 && text.bytes().all(allowed)
}

fn is_id_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte)
}

/// A union of the service model: an object of which exactly one member is set.
pub(super) fn only_member<'a>(union: Field<'a, '_>) -> Result<(Cow<'a, str>, &'a RawValue, String), RequestError> {
    let mut members = union.object()?.0.into_iter().filter(|(_, raw)| raw.get() != "null");
    let Some((name, raw)) = members.next() else {
        return Err(union.error(Code::MissingField, "must have one member that says what it is"));
    };
    if members.next().is_some() {
        return Err(union.error(Code::ConflictingFields, "must have one member and no more"));
    }
    let path = join(union.path, showable(&name));
    Ok((name, raw, path))
}

pub(super) fn missing(path: &str, name: &str) -> RequestError {
    RequestError::new(Code::MissingField, join(path, name), "is required")
}

pub(super) fn not_served(field: Field<'_, '_>) -> RequestError {
    field.error(Code::UnsupportedField, "is not served by this gateway")
}

/// The one of `all` whose name the field holds.
pub(super) fn word_of<T: Copy>(field: Field<'_, '_>, all: &[T], name: fn(T) -> &'static str) -> Result<T, RequestError> {
    let word = field.string()?;
    let known = all.iter().copied().find(|one| name(*one) == word);
    known.ok_or_else(|| field.error(Code::InvalidValue, "is none of the values this field accepts"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_does_not_fit_becomes_one_that_does() {
        assert_eq!(fitting_tool_use_id("call_1"), "call_1");
        assert_eq!(fitting_tool_use_id("call 1/é"), "call_1___");
        assert_eq!(fitting_tool_use_id(""), "call");
        let long = format!("{}-end", "x".repeat(100));
        let fitting = fitting_tool_use_id(&long);
        assert!(is_tool_use_id(&fitting) && fitting.ends_with("-end"));
    }

    #[test]
    fn metadata_has_the_alphabet_of_the_service_model() {
        assert!(is_metadata("team a:b_c@d$e#f=g/h+i,j-k.l") && is_metadata("") && is_metadata("a \t\n\x0b\x0c\r"));
        assert!(
            !is_metadata("a;b") && !is_metadata("\u{1c}") && !is_metadata("\u{a0}") && !is_metadata("é") && !is_metadata(&"x".repeat(257))
        );
    }
}
