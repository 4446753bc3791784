//! One content block of a Converse message.

use custody_types::SensitiveText;

use super::{
    check::{is_tool_name, is_tool_use_id, missing, not_served, only_member},
    parse_media::{cache_point, document, image},
    parse_message::{guard_content, tool_message},
};
use crate::{
    Message, Part, Reasoning, RequestError, RequestErrorCode as Code, Role, ToolCall,
    fields::{Field, join, showable},
    media::check_base64,
};

/// Blocks of the service model that are not served; each could change what an answer is or where text goes.
const UNSUPPORTED: [&str; 6] = ["video", "audio", "citationsContent", "searchResult", "toolAddition", "toolRemoval"];

/// What a block says.
pub(super) enum Block {
    Part(Part),
    Call(ToolCall),
    Result(Box<Message>),
}

/// Reads one block of a message of `role`.
pub(super) fn parse_block(block: Field<'_, '_>, role: Role, max_depth: usize) -> Result<Block, RequestError> {
    let (name, raw, path) = only_member(block)?;
    let field = Field { raw, path: &path };
    let only = |wanted: Role, reason| if role == wanted { Ok(()) } else { Err(field.error(Code::UnsupportedPart, reason)) };
    match name.as_ref() {
        "text" => field.text().map(Part::Text).map(Block::Part),
        "cachePoint" => cache_point(field).map(Part::CachePoint).map(Block::Part),
        "image" => {
            only(Role::User, "belongs into a user's message only")?;
            image(field).map(Block::Part)
        }
        "document" => {
            only(Role::User, "belongs into a user's message only")?;
            document(field).map(Part::Document).map(Block::Part)
        }
        "toolResult" => {
            only(Role::User, "belongs into a user's message only")?;
            tool_result(field, max_depth).map(Box::new).map(Block::Result)
        }
        "toolUse" => {
            only(Role::Assistant, "belongs into an assistant's message only")?;
            tool_use(field, max_depth).map(Block::Call)
        }
        "reasoningContent" => {
            only(Role::Assistant, "belongs into an assistant's message only")?;
            reasoning(field).map(Part::Reasoning).map(Block::Part)
        }
        "guardContent" => Err(guard_content(block.path)),
        unsupported if UNSUPPORTED.contains(&unsupported) => Err(field.error(Code::UnsupportedPart, "is not served by this gateway")),
        _ => Err(block.unknown(&name)),
    }
}

fn tool_use(whole: Field<'_, '_>, max_depth: usize) -> Result<ToolCall, RequestError> {
    let (mut id, mut name, mut input) = (None, None, None);
    for (key, raw) in whole.object()?.0 {
        let path = join(whole.path, showable(&key));
        let Some(field) = (Field { raw, path: &path }).present() else { continue };
        match key.as_ref() {
            "toolUseId" => id = Some(tool_use_id(field)?),
            "name" => name = Some(tool_name(field)?),
            "input" => input = Some(SensitiveText::new(field.keep(max_depth)?.expose())),
            "type" => return Err(not_served(field)),
            _ => return Err(whole.unknown(&key)),
        }
    }
    let id = id.ok_or_else(|| missing(whole.path, "toolUseId"))?;
    let name = name.ok_or_else(|| missing(whole.path, "name"))?;
    Ok(ToolCall { id, name, arguments: input.ok_or_else(|| missing(whole.path, "input"))? })
}

fn tool_result(whole: Field<'_, '_>, max_depth: usize) -> Result<Message, RequestError> {
    let (mut id, mut content, mut failed) = (None, None, false);
    for (key, raw) in whole.object()?.0 {
        let path = join(whole.path, showable(&key));
        let Some(field) = (Field { raw, path: &path }).present() else { continue };
        match key.as_ref() {
            "toolUseId" => id = Some(tool_use_id(field)?),
            "status" => failed = is_failed(field)?,
            "content" => content = Some(result_content(field, max_depth)?),
            "type" => return Err(not_served(field)),
            _ => return Err(whole.unknown(&key)),
        }
    }
    let id = id.ok_or_else(|| missing(whole.path, "toolUseId"))?;
    let content = content.ok_or_else(|| missing(whole.path, "content"))?;
    Ok(tool_message(id, content, failed))
}

fn result_content(list: Field<'_, '_>, max_depth: usize) -> Result<Vec<Part>, RequestError> {
    let parse = |(at, raw)| {
        let place = format!("{}[{at}]", list.path);
        let block = Field { raw, path: &place };
        let (name, raw, path) = only_member(block)?;
        let field = Field { raw, path: &path };
        match name.as_ref() {
            "text" => field.text().map(Part::Text),
            "json" => field.keep(max_depth).map(Part::Json),
            "image" => image(field),
            "document" => document(field).map(Part::Document),
            "video" | "searchResult" => Err(field.error(Code::UnsupportedPart, "is not served by this gateway")),
            _ => Err(block.unknown(&name)),
        }
    };
    list.array()?.into_iter().enumerate().map(parse).collect()
}

fn is_failed(field: Field<'_, '_>) -> Result<bool, RequestError> {
    match field.string()?.as_ref() {
        "success" => Ok(false),
        "error" => Ok(true),
        _ => Err(field.error(Code::InvalidValue, "must be success or error")),
    }
}

fn reasoning(union: Field<'_, '_>) -> Result<Reasoning, RequestError> {
    let (name, raw, path) = only_member(union)?;
    let field = Field { raw, path: &path };
    match name.as_ref() {
        "reasoningText" => reasoning_text(field),
        "redactedContent" => {
            let bytes = field.text()?;
            check_base64(field, bytes.expose())?;
            Ok(Reasoning::Redacted(bytes))
        }
        _ => Err(union.unknown(&name)),
    }
}

fn reasoning_text(whole: Field<'_, '_>) -> Result<Reasoning, RequestError> {
    let (mut text, mut signature) = (None, None);
    for (key, raw) in whole.object()?.0 {
        let path = join(whole.path, showable(&key));
        let Some(field) = (Field { raw, path: &path }).present() else { continue };
        match key.as_ref() {
            "text" => text = Some(field.text()?),
            "signature" => signature = Some(field.text()?),
            _ => return Err(whole.unknown(&key)),
        }
    }
    Ok(Reasoning::Text { text: text.ok_or_else(|| missing(whole.path, "text"))?, signature })
}

fn tool_use_id(field: Field<'_, '_>) -> Result<SensitiveText, RequestError> {
    let id = field.text()?;
    if is_tool_use_id(id.expose()) { Ok(id) } else { Err(field.error(Code::InvalidValue, "must be 1 to 64 of A-Z a-z 0-9 _ . : -")) }
}

pub(super) fn tool_name(field: Field<'_, '_>) -> Result<SensitiveText, RequestError> {
    let name = field.text()?;
    if is_tool_name(name.expose()) { Ok(name) } else { Err(field.error(Code::InvalidValue, "must be 1 to 64 of A-Z a-z 0-9 _ -")) }
}
