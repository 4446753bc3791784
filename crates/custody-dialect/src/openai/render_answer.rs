//! Answers, model lists and errors for the caller.

use serde::Serialize;

use super::usage::WireUsage;
use crate::{ChatAnswer, ToolCall};

/// What the gateway, and not the model, says about an answer.
#[derive(Debug, Clone, Copy)]
pub struct AnswerHead<'a> {
    /// The answer's id: `chatcmpl-` and the request's id.
    pub id: &'a str,
    /// Seconds since 1970.
    pub created: i64,
    /// The capability's name; a caller never learns more than it asked for (D9).
    pub model: &'a str,
}

/// A capability in the list of `GET /v1/models`.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ModelEntry<'a> {
    /// The capability's name.
    pub id: &'a str,
    /// Seconds since 1970.
    pub created: i64,
    /// Who owns it.
    pub owned_by: &'a str,
}

/// An error as the OpenAI API writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ErrorBody<'a> {
    /// A sentence for the caller; no payload text.
    pub message: &'a str,
    /// The family: `invalid_request_error`, `authentication_error`, `permission_error`, `server_error`, …
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// Where the request is wrong.
    pub param: Option<&'a str>,
    /// The stable code.
    pub code: &'a str,
}

/// Writes a `chat.completion`.
#[must_use]
pub fn render_chat_answer(head: &AnswerHead<'_>, answer: &ChatAnswer) -> Vec<u8> {
    let message = WireMessage {
        role: "assistant",
        content: answer.text.as_ref().map(|text| text.expose()),
        refusal: answer.refusal.as_ref().map(|text| text.expose()),
        tool_calls: answer.tool_calls.iter().map(WireToolCall::from).collect(),
    };
    let finish_reason = answer.finish.map_or("stop", super::render_chunk::finish_word);
    let body = WireAnswer {
        id: head.id,
        object: "chat.completion",
        created: head.created,
        model: head.model,
        choices: [WireChoice { index: 0, message, logprobs: (), finish_reason }],
        usage: WireUsage::of(answer.usage.as_ref(), answer.counts.as_ref()),
    };
    to_bytes(&body, answer.output_bytes() + 512)
}

/// Writes the body of `GET /v1/models`.
#[must_use]
pub fn render_models(models: &[ModelEntry<'_>]) -> Vec<u8> {
    #[derive(Serialize)]
    struct Entry<'a> {
        object: &'static str,
        #[serde(flatten)]
        entry: &'a ModelEntry<'a>,
    }
    #[derive(Serialize)]
    struct List<'a> {
        object: &'static str,
        data: Vec<Entry<'a>>,
    }
    let data = models.iter().map(|entry| Entry { object: "model", entry }).collect();
    to_bytes(&List { object: "list", data }, models.len() * 128 + 64)
}

/// Writes an error body; inside a stream it is the data of one event.
#[must_use]
pub fn render_error(error: &ErrorBody<'_>) -> Vec<u8> {
    #[derive(Serialize)]
    struct Wire<'a> {
        error: &'a ErrorBody<'a>,
    }
    to_bytes(&Wire { error }, 256)
}

/// JSON into a fresh buffer. Our own types can't fail to serialise into memory; should one ever, the body is empty and not half.
pub(super) fn to_bytes(value: &impl Serialize, capacity: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(capacity);
    if serde_json::to_writer(&mut bytes, value).is_err() {
        bytes.clear();
    }
    bytes
}

#[derive(Serialize)]
struct WireAnswer<'a> {
    id: &'a str,
    object: &'static str,
    created: i64,
    model: &'a str,
    choices: [WireChoice<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<WireUsage>,
}

#[derive(Serialize)]
struct WireChoice<'a> {
    index: u32,
    message: WireMessage<'a>,
    logprobs: (),
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct WireMessage<'a> {
    role: &'static str,
    content: Option<&'a str>,
    refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<WireToolCall<'a>>,
}

#[derive(Serialize)]
struct WireToolCall<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    function: WireFunction<'a>,
}

#[derive(Serialize)]
struct WireFunction<'a> {
    name: &'a str,
    arguments: &'a str,
}

impl<'a> From<&'a ToolCall> for WireToolCall<'a> {
    fn from(call: &'a ToolCall) -> Self {
        let function = WireFunction { name: call.name.expose(), arguments: call.arguments.expose() };
        Self { id: call.id.expose(), kind: "function", function }
    }
}
