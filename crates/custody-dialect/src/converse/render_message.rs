//! A conversation as Converse wants it: the system's text apart, then turns of user and assistant one after the other. Messages of
//! one side that follow one another become one turn; a tool's result stands in a user's turn.

use std::borrow::Cow;

use custody_types::SensitiveText;
use serde::Serialize;

use super::{
    check::{fitting_tool_use_id, is_tool_name, missing},
    render_block::{WireBlock, WireDocument, WireImage, WireReasoning, WireSource, WireToolResult, WireToolUse, input_of},
};
use crate::{
    CachePoint, Content, Document, DocumentFormat, DocumentSource, ImageFormat, ImageSource, Message, Part, RequestError,
    RequestErrorCode as Code, Role, SensitiveJson, ToolCall,
};

/// A conversation, ready to be written.
#[derive(Default)]
pub(super) struct Conversation<'a> {
    pub(super) system: Vec<WireBlock<'a>>,
    pub(super) turns: Vec<Turn<'a>>,
    pub(super) uses_tools: bool,
    documents: usize,
}

/// What one side says before the other does.
#[derive(Serialize)]
pub(super) struct Turn<'a> {
    role: &'static str,
    content: Vec<WireBlock<'a>>,
}

/// Writes the messages.
pub(super) fn conversation(messages: &[Message]) -> Result<Conversation<'_>, RequestError> {
    let mut whole = Conversation::default();
    for (at, message) in messages.iter().enumerate() {
        whole.add(message, &format!("messages[{at}]"))?;
    }
    if whole.turns.is_empty() {
        return Err(RequestError::new(Code::Empty, "messages", "must say something"));
    }
    Ok(whole)
}

impl<'a> Conversation<'a> {
    fn add(&mut self, message: &'a Message, place: &str) -> Result<(), RequestError> {
        if message.name.is_some() {
            return Err(unsupported(place, ".name", "is not known to this capability's model"));
        }
        let mut blocks = match message.role {
            Role::Tool => self.tool_result(message, place)?,
            Role::System | Role::Developer | Role::User | Role::Assistant => self.content(&message.content, place)?,
        };
        blocks.extend(message.refusal.as_ref().and_then(said));
        blocks.extend(self.calls(message, place)?);
        blocks.extend(message.cache_point.map(cache_point));
        let role = match message.role {
            Role::System | Role::Developer => return self.add_system(blocks, place),
            Role::User | Role::Tool => "user",
            Role::Assistant => "assistant",
        };
        match self.turns.last_mut() {
            Some(last) if last.role == role => last.content.extend(blocks),
            _ if blocks.is_empty() => {}
            _ => self.turns.push(Turn { role, content: blocks }),
        }
        Ok(())
    }

    fn add_system(&mut self, blocks: Vec<WireBlock<'a>>, place: &str) -> Result<(), RequestError> {
        if !blocks.iter().all(|block| matches!(block, WireBlock::Text(_) | WireBlock::CachePoint(_))) {
            return Err(unsupported(place, ".content", "may hold text only"));
        }
        self.system.extend(blocks);
        Ok(())
    }

    fn content(&mut self, content: &'a Content, place: &str) -> Result<Vec<WireBlock<'a>>, RequestError> {
        match content {
            Content::None => Ok(Vec::new()),
            Content::Text(text) => Ok(said(text).into_iter().collect()),
            Content::Parts(parts) => {
                let blocks = parts.iter().enumerate().map(|(at, part)| self.part(part, &format!("{place}.content[{at}]")));
                blocks.filter_map(Result::transpose).collect()
            }
        }
    }

    fn part(&mut self, part: &'a Part, place: &str) -> Result<Option<WireBlock<'a>>, RequestError> {
        Ok(match part {
            Part::Text(text) | Part::Refusal(text) => said(text),
            Part::Image(image) => Some(self::image(image, place)?),
            Part::Document(document) => Some(self.document(document)),
            Part::Json(json) => Some(WireBlock::Json(json.raw())),
            Part::Reasoning(reasoning) => Some(WireBlock::ReasoningContent(WireReasoning::from(reasoning))),
            Part::CachePoint(point) => Some(cache_point(*point)),
        })
    }

    fn document(&mut self, document: &'a Document) -> WireBlock<'a> {
        self.documents += 1;
        let source = match &document.source {
            DocumentSource::Base64(data) => WireSource::Bytes(Cow::Borrowed(data.expose())),
            DocumentSource::Text(text) => WireSource::Text(text.expose()),
            DocumentSource::Blocks(blocks) => {
                WireSource::Content(blocks.iter().map(|text| WireBlock::Text(Cow::Borrowed(text.expose()))).collect())
            }
        };
        WireBlock::Document(WireDocument {
            format: document.format.map(DocumentFormat::as_str),
            name: format!("document-{}", self.documents),
            source,
            context: document.context.as_ref().map(SensitiveText::expose),
        })
    }

    /// A result is one block; a cache point among its parts stands behind it.
    fn tool_result(&mut self, message: &'a Message, place: &str) -> Result<Vec<WireBlock<'a>>, RequestError> {
        self.uses_tools = true;
        let id = message.tool_call_id.as_ref().ok_or_else(|| missing(place, "tool_call_id"))?;
        let all = self.content(&message.content, place)?;
        let (points, content): (Vec<_>, Vec<_>) = all.into_iter().partition(|block| matches!(block, WireBlock::CachePoint(_)));
        let status = message.tool_failed.then_some("error");
        let result = WireToolResult { tool_use_id: fitting_tool_use_id(id.expose()), content, status };
        Ok(std::iter::once(WireBlock::ToolResult(result)).chain(points).collect())
    }

    fn calls(&mut self, message: &'a Message, place: &str) -> Result<Vec<WireBlock<'a>>, RequestError> {
        let calls = message.calls(place)?;
        self.uses_tools |= !calls.is_empty();
        calls.iter().enumerate().map(|(at, call)| tool_use(call, &format!("{place}.tool_calls[{at}].function"))).collect()
    }
}

fn tool_use<'a>(call: &ToolCall, place: &str) -> Result<WireBlock<'a>, RequestError> {
    if !is_tool_name(call.name.expose()) {
        return Err(RequestError::new(Code::InvalidValue, format!("{place}.name"), "must be 1 to 64 of A-Z a-z 0-9 _ -"));
    }
    let input = input_of(call.arguments.expose()).filter(|input| input.get().starts_with('{'));
    let input = input.ok_or_else(|| RequestError::new(Code::InvalidValue, format!("{place}.arguments"), "must hold a JSON object"))?;
    Ok(WireBlock::ToolUse(WireToolUse::new(fitting_tool_use_id(call.id.expose()), call, input).into_owned()))
}

/// The service refuses blank texts.
fn said(text: &SensitiveText) -> Option<WireBlock<'_>> {
    (!text.expose().trim().is_empty()).then(|| WireBlock::Text(Cow::Borrowed(text.expose())))
}

fn image<'a>(image: &SensitiveJson, place: &str) -> Result<WireBlock<'a>, RequestError> {
    match ImageSource::of(image, &format!("{place}.image_url"))? {
        ImageSource::Base64 { format, data } => {
            let bytes = Cow::Owned(data.expose().to_owned());
            Ok(WireBlock::Image(WireImage { format: ImageFormat::as_str(format), source: WireSource::Bytes(bytes) }))
        }
        ImageSource::Url(_) => {
            Err(unsupported(place, ".image_url.url", "must hold the image itself: this capability's model fetches none"))
        }
    }
}

fn cache_point<'a>(point: CachePoint) -> WireBlock<'a> {
    WireBlock::CachePoint(point.into())
}

fn unsupported(place: &str, member: &str, reason: &'static str) -> RequestError {
    RequestError::new(Code::UnsupportedField, [place, member].concat(), reason)
}
