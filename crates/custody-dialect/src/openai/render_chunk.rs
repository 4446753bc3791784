//! A streamed answer for the caller, chunk by chunk.
//!
//! ```text
//! data: {"id":…,"object":"chat.completion.chunk","created":…,"model":…,"choices":[{"index":0,"delta":…,"finish_reason":…}]}
//! …
//! data: {…,"choices":[],"usage":{…}}        only where the caller asked for usage
//! data: [DONE]
//! ```

use serde::Serialize;

use super::{
    AnswerHead, ErrorBody,
    render_answer::{render_error, to_bytes},
    usage::WireUsage,
};
use crate::{ChatAnswer, Delta, FinishReason, RawUsage, ToolCallDelta};

/// Writes the chunks of one answer. What all chunks share is written once, at the start.
#[derive(Debug, Clone)]
pub struct ChunkWriter {
    prefix: Vec<u8>,
    include_usage: bool,
    started: bool,
}

impl ChunkWriter {
    /// A writer for one answer; `include_usage` is what the caller asked for.
    #[must_use]
    pub fn new(head: &AnswerHead<'_>, include_usage: bool) -> Self {
        let shared = Shared { id: head.id, object: "chat.completion.chunk", created: head.created, model: head.model };
        let mut prefix = b"data: ".to_vec();
        prefix.extend(to_bytes(&shared, 192));
        prefix.pop();
        prefix.extend_from_slice(b",\"choices\":[");
        Self { prefix, include_usage, started: false }
    }

    /// Appends one piece of the answer to `out`. The first one also says that the assistant speaks. Reasoning has no place in
    /// this form; a piece of nothing else is passed over.
    pub fn delta(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        if delta.is_only_reasoning() {
            return;
        }
        let role = (!self.started).then_some("assistant");
        self.started = true;
        let tool_calls = delta.tool_calls.iter().map(WireToolCall::from).collect();
        let wire = WireDelta {
            role,
            content: delta.text.as_ref().map(|text| text.expose()),
            refusal: delta.refusal.as_ref().map(|text| text.expose()),
            tool_calls,
        };
        let choice = Choice { index: 0, delta: wire, logprobs: (), finish_reason: delta.finish.map(finish_word) };
        out.extend_from_slice(&self.prefix);
        append(&choice, out);
        out.extend_from_slice(if self.include_usage { b"],\"usage\":null}\n\n" } else { b"]}\n\n" });
    }

    /// Appends the chunk that carries usage, where the caller asked for it.
    pub fn usage(&self, usage: &RawUsage, out: &mut Vec<u8>) {
        self.wire_usage(&WireUsage::from(usage), out);
    }

    /// The same for a whole answer, from the normalised counts where the provider spoke another arithmetic. Appends nothing where
    /// the usage is not known.
    pub fn answer_usage(&self, answer: &ChatAnswer, out: &mut Vec<u8>) {
        if let Some(usage) = WireUsage::of(answer.usage.as_ref(), answer.counts.as_ref()) {
            self.wire_usage(&usage, out);
        }
    }

    fn wire_usage(&self, usage: &WireUsage, out: &mut Vec<u8>) {
        if self.include_usage {
            out.extend_from_slice(&self.prefix);
            out.extend_from_slice(b"],\"usage\":");
            append(usage, out);
            out.extend_from_slice(b"}\n\n");
        }
    }

    /// Appends the end mark.
    pub fn done(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    /// Appends an error, after which nothing may follow.
    pub fn error(&self, error: &ErrorBody<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"data: ");
        out.extend(render_error(error));
        out.extend_from_slice(b"\n\n");
    }
}

/// Clients know a closed set of reasons; what has no name there reads as a plain stop.
pub(super) const fn finish_word(finish: FinishReason) -> &'static str {
    match finish {
        FinishReason::MalformedOutput | FinishReason::MalformedToolUse | FinishReason::Other => "stop",
        known => known.as_str(),
    }
}

/// Our own types can't fail to serialise into memory; should one ever, the chunk is dropped as a whole.
fn append(value: &impl Serialize, out: &mut Vec<u8>) {
    let before = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(before);
        out.extend_from_slice(b"null");
    }
}

#[derive(Serialize)]
struct Shared<'a> {
    id: &'a str,
    object: &'static str,
    created: i64,
    model: &'a str,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    delta: WireDelta<'a>,
    logprobs: (),
    finish_reason: Option<&'static str>,
}

#[derive(Serialize)]
struct WireDelta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<WireToolCall<'a>>,
}

#[derive(Serialize)]
struct WireToolCall<'a> {
    index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    function: WireFunction<'a>,
}

#[derive(Serialize)]
struct WireFunction<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arguments: Option<&'a str>,
}

impl<'a> From<&'a ToolCallDelta> for WireToolCall<'a> {
    fn from(call: &'a ToolCallDelta) -> Self {
        let id = call.id.as_ref().map(|text| text.expose());
        let name = call.name.as_ref().map(|text| text.expose());
        let arguments = call.arguments.as_ref().map(|text| text.expose());
        Self { index: call.index, id, kind: id.map(|_| "function"), function: WireFunction { name, arguments } }
    }
}
