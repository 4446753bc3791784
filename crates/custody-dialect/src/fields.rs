//! Typed reading of JSON values, with an error that names the place and never the value.

use std::{borrow::Cow, fmt};

use custody_types::SensitiveText;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{RequestError, RequestErrorCode as Code};

/// A value and the place where it stands.
#[derive(Clone, Copy)]
pub(crate) struct Field<'a, 'p> {
    pub(crate) raw: &'a RawValue,
    pub(crate) path: &'p str,
}

/// The fields of an object in the order in which they were written.
pub(crate) struct Fields<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

struct Items<'a>(Vec<&'a RawValue>);

/// The JSON value that a body of at most `most` bytes is.
pub(crate) fn body_value(body: &[u8], most: usize) -> Result<&RawValue, RequestError> {
    let whole = |code, reason| RequestError::new(code, "", reason);
    if body.len() > most {
        return Err(whole(Code::BodyTooLarge, "is longer than this gateway accepts"));
    }
    let text = std::str::from_utf8(body).map_err(|_| whole(Code::InvalidUtf8, "is not valid UTF-8"))?;
    serde_json::from_str(text).map_err(|_| whole(Code::NotJson, "is not valid JSON"))
}

impl<'a, 'p> Field<'a, 'p> {
    pub(crate) fn error(self, code: Code, reason: &'static str) -> RequestError {
        RequestError::new(code, self.path, reason)
    }

    /// The field, unless it is null, which stands for absent.
    pub(crate) fn present(self) -> Option<Self> {
        (self.raw.get() != "null").then_some(self)
    }

    pub(crate) fn string(self) -> Result<Cow<'a, str>, RequestError> {
        if !self.raw.get().starts_with('"') {
            return Err(self.error(Code::WrongType, "must be a string"));
        }
        let borrowed: Result<BorrowedText<'a>, _> = serde_json::from_str(self.raw.get());
        borrowed.map(|text| text.0).map_err(|_| self.error(Code::InvalidUtf8, "has an escape that is no Unicode character"))
    }

    pub(crate) fn text(self) -> Result<SensitiveText, RequestError> {
        self.string().map(|text| SensitiveText::new(text.into_owned()))
    }

    pub(crate) fn boolean(self) -> Result<bool, RequestError> {
        match self.raw.get() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(self.error(Code::WrongType, "must be true or false")),
        }
    }

    /// A whole number in the range that `reason` names.
    pub(crate) fn integer(self, range: std::ops::RangeInclusive<i64>, reason: &'static str) -> Result<i64, RequestError> {
        let text = self.raw.get();
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(self.error(Code::WrongType, "must be a whole number"));
        }
        let value = text.parse().ok().filter(|value| range.contains(value));
        value.ok_or_else(|| self.error(Code::OutOfRange, reason))
    }

    /// A number in the range that `reason` names.
    pub(crate) fn number(self, range: std::ops::RangeInclusive<f64>, reason: &'static str) -> Result<f64, RequestError> {
        if !self.raw.get().starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            return Err(self.error(Code::WrongType, "must be a number"));
        }
        let value = self.raw.get().parse().ok().filter(|value| range.contains(value));
        value.ok_or_else(|| self.error(Code::OutOfRange, reason))
    }

    pub(crate) fn object(self) -> Result<Fields<'a>, RequestError> {
        if !self.raw.get().starts_with('{') {
            return Err(self.error(Code::WrongType, "must be an object"));
        }
        let fields: Fields<'a> =
            serde_json::from_str(self.raw.get()).map_err(|_| self.error(Code::InvalidUtf8, "has a field name that is not Unicode"))?;
        match fields.duplicate() {
            true => Err(self.error(Code::DuplicateField, "has the same field twice")),
            false => Ok(fields),
        }
    }

    pub(crate) fn array(self) -> Result<Vec<&'a RawValue>, RequestError> {
        if !self.raw.get().starts_with('[') {
            return Err(self.error(Code::WrongType, "must be an array"));
        }
        let items: Result<Items<'a>, _> = serde_json::from_str(self.raw.get());
        items.map(|items| items.0).map_err(|_| self.error(Code::NotJson, "is not valid JSON"))
    }

    /// Keeps the JSON as it stands, if it is not nested too deep.
    pub(crate) fn keep(self, max_depth: usize) -> Result<crate::SensitiveJson, RequestError> {
        if depth(self.raw.get()) > max_depth {
            return Err(self.error(Code::TooDeep, "is nested too deep"));
        }
        Ok(crate::SensitiveJson::new(self.raw.to_owned()))
    }

    pub(crate) fn unknown(self, name: &str) -> RequestError {
        let reason = if showable(name).is_empty() { "has a field that is no part of this API" } else { "is no part of this API" };
        RequestError::new(Code::UnknownField, join(self.path, showable(name)), reason)
    }
}

impl Fields<'_> {
    fn duplicate(&self) -> bool {
        // Objects of this API are small; a caller who sends a huge one pays for a sort, not for a square.
        if self.0.len() <= 32 {
            return self.0.iter().enumerate().any(|(at, (name, _))| self.0.iter().skip(at + 1).any(|(other, _)| other == name));
        }
        let mut names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_ref()).collect();
        names.sort_unstable();
        names.windows(2).any(|pair| matches!(pair, [one, two] if one == two))
    }
}

/// `parent.name`, or the parent alone where the name may not be shown.
pub(crate) fn join(parent: &str, name: &str) -> String {
    match (parent, name) {
        ("", name) => name.to_owned(),
        (parent, "") => parent.to_owned(),
        (parent, name) => format!("{parent}.{name}"),
    }
}

/// A caller's field name is shown back only where it looks like one.
pub(crate) fn showable(name: &str) -> &str {
    let plain = name.len() <= 40 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain { name } else { "" }
}

fn depth(json: &str) -> usize {
    let (mut now, mut most, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                now += 1;
                most = most.max(now);
            }
            b'}' | b']' if !in_text => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}

/// `Cow<str>` in serde never borrows; this does where the text has no escapes.
struct BorrowedText<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for BorrowedText<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = BorrowedText<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(BorrowedText(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(BorrowedText(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;
        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(8);
                while let Some((name, value)) = map.next_entry::<BorrowedText<'de>, &'de RawValue>()? {
                    fields.push((name.0, value));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(FieldsVisitor)
    }
}

impl<'de> Deserialize<'de> for Items<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ItemsVisitor;
        impl<'de> Visitor<'de> for ItemsVisitor {
            type Value = Items<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some(item) = items.next_element()? {
                    all.push(item);
                }
                Ok(Items(all))
            }
        }
        deserializer.deserialize_seq(ItemsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_brackets_outside_texts_only() {
        assert_eq!(depth(r#"{"a":[{"b":"]}{[\"{"}]}"#), 3);
        assert_eq!(depth("1"), 0);
    }

    #[test]
    fn a_field_name_that_could_be_payload_is_not_shown() {
        assert_eq!(showable("top_k"), "top_k");
        assert_eq!(showable("my card is 4111"), "");
    }
}
