//! The body of feedback: an object of known fields, each within its bounds. No refusal quotes it.

use std::{collections::BTreeSet, fmt, sync::Arc};

use custody_types::{RequestId, SensitiveText, Text};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value;

use crate::refusal::Refusal;

const MAX_BODY: usize = 64 << 10;
const MAX_COMMENT: usize = 16 << 10;
const MAX_REASONS: usize = 8;

/// As long as the name of a capability, or of a person in a chat request.
const MAX_NAME: usize = 512;

/// Feedback as it was written, within its bounds.
pub(super) struct Written {
    /// The request that it is about.
    pub(super) request_id: RequestId,
    /// The capability that answered it.
    pub(super) model: Option<String>,
    /// The person, as in the request.
    pub(super) user: Option<SensitiveText>,
    pub(super) rating: Option<&'static str>,
    pub(super) reasons: Vec<Text>,
    pub(super) comment: Option<SensitiveText>,
}

/// An object's fields in their order, so that one that comes twice is seen.
struct Fields(Vec<(String, Value)>);

pub(super) fn read(body: &[u8], allowed: &BTreeSet<Text>) -> Result<Written, Refusal> {
    if body.len() > MAX_BODY {
        return Err(Refusal::invalid(413, "body_too_large", format!("feedback has at most {MAX_BODY} bytes")));
    }
    let fields: Fields = serde_json::from_slice(body).map_err(|_| Refusal::invalid(400, "not_json", "the body is not a JSON object"))?;
    let mut seen = BTreeSet::new();
    let mut request_id = None;
    let mut written = (None, None, None, Vec::new(), None);
    for (name, value) in fields.0 {
        match name.as_str() {
            "request_id" => request_id = Some(read_request_id(&value)?),
            "model" => written.0 = read_text("model", value, MAX_NAME)?,
            "user" => written.1 = read_text("user", value, MAX_NAME)?.map(SensitiveText::new),
            "rating" => written.2 = read_rating(&value)?,
            "reasons" => written.3 = read_reasons(&value, allowed)?,
            "comment" => written.4 = read_text("comment", value, MAX_COMMENT)?.map(SensitiveText::new),
            _ => {
                let message = "a field is none of request_id, model, user, rating, reasons and comment";
                return Err(Refusal::invalid(400, "unknown_field", message));
            }
        }
        if !seen.insert(name) {
            return Err(Refusal::invalid(400, "duplicate_field", "a field is given twice"));
        }
    }
    let missing = || Refusal::invalid(400, "missing_field", "`request_id` is missing: the x-request-id of the answer").at("request_id");
    let request_id = request_id.ok_or_else(missing)?;
    let (model, user, rating, reasons, comment) = written;
    if rating.is_none() && reasons.is_empty() && comment.is_none() {
        return Err(Refusal::invalid(400, "missing_field", "feedback needs a rating, a reason or a comment"));
    }
    Ok(Written { request_id, model, user, rating, reasons, comment })
}

/// As this gateway writes ids, so that nobody's own text can stand in their place: a UUID of version 7, hyphenated, in lower case.
fn read_request_id(value: &Value) -> Result<RequestId, Refusal> {
    let message = "`request_id` is not a UUID of version 7 as x-request-id gives it";
    let refusal = || Refusal::invalid(400, "invalid_value", message).at("request_id");
    let text = value.as_str().ok_or_else(|| wrong_type("request_id", "a text"))?;
    let id: RequestId = text.parse().map_err(|_| refusal())?;
    let is_ours = id.as_uuid().get_version_num() == 7 && id.to_string() == text;
    if is_ours { Ok(id) } else { Err(refusal()) }
}

fn read_rating(value: &Value) -> Result<Option<&'static str>, Refusal> {
    match value {
        Value::Null => Ok(None),
        Value::String(word) if word == "up" => Ok(Some("up")),
        Value::String(word) if word == "down" => Ok(Some("down")),
        Value::String(_) => Err(Refusal::invalid(400, "invalid_value", "`rating` is neither up nor down").at("rating")),
        _ => Err(wrong_type("rating", "a text")),
    }
}

/// Only labels that the workspace lists: a reason is no place for words of one's own.
fn read_reasons(value: &Value, allowed: &BTreeSet<Text>) -> Result<Vec<Text>, Refusal> {
    let Some(items) = value.as_array() else {
        return if value.is_null() { Ok(Vec::new()) } else { Err(wrong_type("reasons", "a list of texts")) };
    };
    if items.len() > MAX_REASONS {
        return Err(Refusal::invalid(400, "out_of_range", format!("`reasons` has at most {MAX_REASONS} labels")).at("reasons"));
    }
    let mut reasons = BTreeSet::new();
    for item in items {
        let word = item.as_str().ok_or_else(|| wrong_type("reasons", "a list of texts"))?;
        let unknown = || {
            let message = "`reasons` has a label that [feedback] reasons of data-handling.toml does not list";
            Refusal::invalid(400, "invalid_value", message).at("reasons")
        };
        reasons.insert(Arc::clone(allowed.get(word).ok_or_else(unknown)?));
    }
    Ok(reasons.into_iter().collect())
}

fn read_text(name: &'static str, value: Value, most: usize) -> Result<Option<String>, Refusal> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        Value::String(text) if text.len() <= most => Ok(Some(text)),
        Value::String(_) => Err(Refusal::invalid(400, "out_of_range", format!("`{name}` has at most {most} bytes")).at(name)),
        _ => Err(wrong_type(name, "a text")),
    }
}

fn wrong_type(name: &'static str, wanted: &str) -> Refusal {
    Refusal::invalid(400, "wrong_type", format!("`{name}` is not {wanted}")).at(name)
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Taken;
        impl<'de> Visitor<'de> for Taken {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Taken)
    }
}
