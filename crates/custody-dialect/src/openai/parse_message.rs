//! One message of a caller's body.

use serde_json::value::RawValue;

use super::parse_part::parse_part;
use crate::{
    Content, ImageSource, Message, Part, RequestError, RequestErrorCode as Code, Role,
    fields::{Field, join, showable},
};

pub(super) fn parse_message(raw: &RawValue, at: usize, max_depth: usize) -> Result<Message, RequestError> {
    let place = format!("messages[{at}]");
    let whole = Field { raw, path: &place };
    let mut role = None;
    let mut message = Message::new(Role::User, Content::None);
    for (name, raw) in whole.object()?.0 {
        let path = join(&place, showable(&name));
        let Some(field) = (Field { raw, path: &path }).present() else { continue };
        match name.as_ref() {
            "role" => role = Some(parse_role(field)?),
            "content" => message.content = parse_content(field, max_depth)?,
            "name" => message.name = Some(field.text()?),
            "tool_call_id" => message.tool_call_id = Some(field.text()?),
            "refusal" => message.refusal = Some(field.text()?),
            "tool_calls" => message.tool_calls = tool_calls(field, max_depth)?,
            // An answer's own remarks, which clients send back with the answer; they say nothing to a model.
            "annotations" => drop(field.array()?),
            "audio" | "function_call" => return Err(field.error(Code::UnsupportedField, "is not served by this gateway")),
            _ => return Err(whole.unknown(&name)),
        }
    }
    message.role = role.ok_or_else(|| RequestError::new(Code::MissingField, join(&place, "role"), "is required"))?;
    check_role(&place, &message)?;
    check_images(&place, &message)?;
    Ok(message)
}

fn parse_role(field: Field<'_, '_>) -> Result<Role, RequestError> {
    match field.string()?.as_ref() {
        "system" => Ok(Role::System),
        "developer" => Ok(Role::Developer),
        "user" => Ok(Role::User),
        "assistant" => Ok(Role::Assistant),
        "tool" => Ok(Role::Tool),
        _ => Err(field.error(Code::UnknownRole, "must be system, developer, user, assistant or tool")),
    }
}

/// What each role must bring, and what it must not.
fn check_role(place: &str, message: &Message) -> Result<(), RequestError> {
    let error = |code, name, reason| Err(RequestError::new(code, join(place, name), reason));
    let assistant = message.role == Role::Assistant;
    let speaks = message.content != Content::None;
    if message.role == Role::Tool && message.tool_call_id.is_none() {
        return error(Code::MissingField, "tool_call_id", "is required in a tool's message");
    }
    if message.role != Role::Tool && message.tool_call_id.is_some() {
        return error(Code::UnsupportedField, "tool_call_id", "belongs into a tool's message only");
    }
    if !assistant && (message.tool_calls.is_some() || message.refusal.is_some()) {
        return error(Code::UnsupportedField, "tool_calls", "and `refusal` belong into an assistant's message only");
    }
    if !speaks && !(assistant && (message.tool_calls.is_some() || message.refusal.is_some())) {
        return error(Code::MissingField, "content", "is required");
    }
    let pictures = |part: &Part| matches!(part, Part::Image(_) | Part::Document(_));
    if message.role != Role::User && matches!(&message.content, Content::Parts(parts) if parts.iter().any(pictures)) {
        return error(Code::UnsupportedPart, "content", "may hold images in a user's message only");
    }
    Ok(())
}

/// An image is kept as it was written, so it is read here only to refuse what no route could say.
fn check_images(place: &str, message: &Message) -> Result<(), RequestError> {
    let Content::Parts(parts) = &message.content else { return Ok(()) };
    for (at, part) in parts.iter().enumerate() {
        if let Part::Image(image) = part {
            ImageSource::of(image, &format!("{place}.content[{at}].image_url"))?;
        }
    }
    Ok(())
}

fn parse_content(field: Field<'_, '_>, max_depth: usize) -> Result<Content, RequestError> {
    if field.raw.get().starts_with('"') {
        return field.text().map(Content::Text);
    }
    if !field.raw.get().starts_with('[') {
        return Err(field.error(Code::WrongType, "must be a string or an array of parts"));
    }
    let items = field.array()?;
    if items.is_empty() {
        return Err(field.error(Code::Empty, "must have at least one part"));
    }
    let parse = |(at, raw)| parse_part(Field { raw, path: &format!("{}[{at}]", field.path) }, max_depth);
    items.into_iter().enumerate().map(parse).collect::<Result<_, _>>().map(Content::Parts)
}

fn tool_calls(field: Field<'_, '_>, max_depth: usize) -> Result<Option<crate::SensitiveJson>, RequestError> {
    let items = field.array()?;
    for (at, raw) in items.iter().enumerate() {
        Field { raw, path: &format!("{}[{at}]", field.path) }.object()?;
    }
    if items.is_empty() { Ok(None) } else { field.keep(max_depth).map(Some) }
}
