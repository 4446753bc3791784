//! One Converse message, which may be several of ours: each tool result is a message of its own in the neutral form.

use custody_types::SensitiveText;

use super::{
    check::{missing, only_member},
    parse_block::{Block, parse_block},
    parse_media::cache_point,
};
use crate::{
    Content, Message, Part, RequestError, RequestErrorCode as Code, Role, ToolCall,
    fields::{Field, join, showable},
};

const OWN_GUARDRAILS: &str = "may hold no guardContent: this gateway decides what its guardrails look at";

/// Reads one message and appends what it says to `out`.
pub(super) fn parse_message(whole: Field<'_, '_>, max_depth: usize, out: &mut Vec<Message>) -> Result<(), RequestError> {
    let (mut role, mut content) = (None, None);
    for (name, raw) in whole.object()?.0 {
        let path = join(whole.path, showable(&name));
        let field = Field { raw, path: &path };
        match name.as_ref() {
            "role" => role = Some(parse_role(field)?),
            "content" => content = Some(field.array()?),
            _ => return Err(whole.unknown(&name)),
        }
    }
    let role = role.ok_or_else(|| missing(whole.path, "role"))?;
    let content = content.ok_or_else(|| missing(whole.path, "content"))?;
    let mut said = Said::default();
    for (at, raw) in content.into_iter().enumerate() {
        let path = format!("{}.content[{at}]", whole.path);
        said.add(parse_block(Field { raw, path: &path }, role, max_depth)?);
    }
    said.into_messages(whole.path, role, out)
}

/// Reads the request's `system`; `None` where the list is empty.
pub(super) fn parse_system(system: Field<'_, '_>) -> Result<Option<Message>, RequestError> {
    let mut parts = Vec::new();
    for (at, raw) in system.array()?.into_iter().enumerate() {
        let place = format!("{}[{at}]", system.path);
        let (name, raw, path) = only_member(Field { raw, path: &place })?;
        let field = Field { raw, path: &path };
        parts.push(match name.as_ref() {
            "text" => Part::Text(field.text()?),
            "cachePoint" => Part::CachePoint(cache_point(field)?),
            "guardContent" => return Err(guard_content(&place)),
            _ => return Err(Field { raw, path: &place }.unknown(&name)),
        });
    }
    let speaks = parts.iter().any(is_content);
    Ok(speaks.then(|| Message::new(Role::System, content_of(parts))))
}

pub(super) fn guard_content(place: &str) -> RequestError {
    RequestError::new(Code::UnsupportedPart, place, OWN_GUARDRAILS)
}

/// One text stands alone, which every server of OpenAI's form takes.
pub(super) fn content_of(parts: Vec<Part>) -> Content {
    match <[Part; 1]>::try_from(parts) {
        Ok([Part::Text(text)]) => Content::Text(text),
        Ok([part]) => Content::Parts(vec![part]),
        Err(parts) if parts.is_empty() => Content::None,
        Err(parts) => Content::Parts(parts),
    }
}

fn parse_role(field: Field<'_, '_>) -> Result<Role, RequestError> {
    match field.string()?.as_ref() {
        "user" => Ok(Role::User),
        "assistant" => Ok(Role::Assistant),
        "system" => Ok(Role::System),
        _ => Err(field.error(Code::UnknownRole, "must be user, assistant or system")),
    }
}

fn is_content(part: &Part) -> bool {
    !matches!(part, Part::CachePoint(_))
}

#[derive(Default)]
struct Said {
    parts: Vec<Part>,
    calls: Vec<ToolCall>,
    results: Vec<Message>,
    call_cache_point: Option<crate::CachePoint>,
    last_was_result: bool,
}

impl Said {
    fn add(&mut self, block: Block) {
        let after_result = std::mem::take(&mut self.last_was_result);
        match block {
            // A point behind a result or a call stays behind it; any other stays in its place.
            Block::Part(Part::CachePoint(point)) => match self.results.last_mut() {
                Some(result) if after_result => result.cache_point = Some(point),
                _ if !self.calls.is_empty() => self.call_cache_point = Some(point),
                _ => self.parts.push(Part::CachePoint(point)),
            },
            Block::Part(part) => self.parts.push(part),
            Block::Call(call) => self.calls.push(call),
            Block::Result(result) => {
                self.results.push(*result);
                self.last_was_result = true;
            }
        }
    }

    fn into_messages(self, place: &str, role: Role, out: &mut Vec<Message>) -> Result<(), RequestError> {
        let speaks = self.parts.iter().any(is_content) || !self.calls.is_empty();
        if !speaks && self.results.is_empty() {
            return Err(RequestError::new(Code::Empty, join(place, "content"), "must have at least one block that says something"));
        }
        out.extend(self.results);
        if speaks {
            let calls = if self.calls.is_empty() { None } else { ToolCall::all_to_json(&self.calls) };
            let content = content_of(self.parts);
            out.push(Message { tool_calls: calls, cache_point: self.call_cache_point, ..Message::new(role, content) });
        } else if let (Some(Part::CachePoint(point)), Some(last)) = (self.parts.last(), out.last_mut()) {
            last.cache_point = Some(*point);
        }
        Ok(())
    }
}

/// A tool's result as a message.
pub(super) fn tool_message(id: SensitiveText, content: Vec<Part>, failed: bool) -> Message {
    let content = match content_of(content) {
        Content::None => Content::Text(SensitiveText::default()),
        content => content,
    };
    Message { tool_call_id: Some(id), tool_failed: failed, ..Message::new(Role::Tool, content) }
}
