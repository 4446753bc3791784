//! A streamed answer for a Converse caller, event by event.
//!
//! ```text
//! messageStart (contentBlockStart? contentBlockDelta* contentBlockStop)* messageStop metadata
//! ```
//! Only a tool's block has a start event. A block ends when another begins, so blocks follow one another; the places are counted
//! from 0. Usage comes after the stop (REFERENCE 1.3).

use super::{
    check::shown_tool_use_id,
    exception::{Exception, exception_body},
    frame,
    render_block::WireToolUseStart,
    usage::WireUsage,
    wire_event::{BlockDelta, BlockStart, BlockStop, MessageStart, MessageStop, Metadata, Metrics, Start, WireDelta, WireReasoning},
};
use crate::{ChatAnswer, Delta, FinishReason, ReasoningDelta, ToolCallDelta};

/// Writes the events of one answer.
#[derive(Debug, Clone, Default)]
pub struct EventWriter {
    started: bool,
    open: Option<Open>,
    next: u32,
    tools: Vec<(u32, u32)>,
}

/// The block that is being written, and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Text(u32),
    Reasoning { block: u32, at: u32 },
    Tool { call: u32, at: u32 },
}

impl EventWriter {
    /// A writer for one answer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends one piece of the answer to `out`. Its finish reason is not written: [`EventWriter::stop`] is.
    pub fn delta(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        self.start(out);
        if let Some(reasoning) = &delta.reasoning {
            self.reasoning(reasoning, out);
        }
        for text in [&delta.text, &delta.refusal].into_iter().flatten() {
            let at = self.text_block(out);
            block_delta(at, WireDelta::Text(text.expose()), out);
        }
        for call in &delta.tool_calls {
            self.tool(call, out);
        }
    }

    /// Appends the end of the message.
    pub fn stop(&mut self, finish: FinishReason, out: &mut Vec<u8>) {
        self.start(out);
        self.close(out);
        frame::event("messageStop", &MessageStop { stop_reason: finish.stop_reason() }, out);
    }

    /// Appends what comes last: usage, where it is known, and how long the call took.
    pub fn metadata(&self, answer: &ChatAnswer, latency_ms: u64, out: &mut Vec<u8>) {
        let metadata = Metadata { usage: WireUsage::of(answer), metrics: Metrics { latency_ms } };
        frame::event("metadata", &metadata, out);
    }

    /// Appends an error, after which nothing may follow; `message` must hold no payload text.
    pub fn exception(&self, exception: Exception, message: &str, out: &mut Vec<u8>) {
        frame::exception(exception.stream_name(), exception_body(message), out);
    }

    fn start(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.started, true) {
            frame::event("messageStart", &MessageStart { role: "assistant" }, out);
        }
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if let Some(Open::Text(at) | Open::Reasoning { at, .. } | Open::Tool { at, .. }) = self.open.take() {
            frame::event("contentBlockStop", &BlockStop { content_block_index: at }, out);
        }
    }

    fn open(&mut self, block: impl Fn(u32) -> Open, out: &mut Vec<u8>) -> u32 {
        self.close(out);
        let at = self.next;
        self.next = self.next.saturating_add(1);
        self.open = Some(block(at));
        at
    }

    fn text_block(&mut self, out: &mut Vec<u8>) -> u32 {
        match self.open {
            Some(Open::Text(at)) => at,
            _ => self.open(Open::Text, out),
        }
    }

    fn reasoning(&mut self, delta: &ReasoningDelta, out: &mut Vec<u8>) {
        let at = match self.open {
            Some(Open::Reasoning { block, at }) if block == delta.index => at,
            _ => self.open(|at| Open::Reasoning { block: delta.index, at }, out),
        };
        let text = delta.text.as_ref().map(|text| WireReasoning::Text(text.expose()));
        let redacted = delta.redacted.as_ref().map(|bytes| WireReasoning::RedactedContent(bytes.expose()));
        let signature = delta.signature.as_ref().map(|signature| WireReasoning::Signature(signature.expose()));
        for piece in [text, redacted, signature].into_iter().flatten() {
            block_delta(at, WireDelta::ReasoningContent(piece), out);
        }
    }

    /// A piece for a call whose block has ended goes to that block all the same: a client finds it by its place.
    fn tool(&mut self, delta: &ToolCallDelta, out: &mut Vec<u8>) {
        let known = self.tools.iter().find(|(call, _)| *call == delta.index).map(|(_, at)| *at);
        let at = known.unwrap_or_else(|| self.open_tool(delta, out));
        if let Some(input) = delta.arguments.as_ref().filter(|input| !input.is_empty()) {
            block_delta(at, WireDelta::ToolUse { input: input.expose() }, out);
        }
    }

    fn open_tool(&mut self, delta: &ToolCallDelta, out: &mut Vec<u8>) -> u32 {
        let at = self.open(|at| Open::Tool { call: delta.index, at }, out);
        self.tools.push((delta.index, at));
        let id = shown_tool_use_id(delta.id.as_ref().map_or("", |id| id.expose()), delta.index);
        let name = delta.name.as_ref().map_or("", |name| name.expose());
        let start = WireToolUseStart { tool_use_id: id, name: name.into() };
        let start = BlockStart { start: Start::ToolUse(start), content_block_index: at };
        frame::event("contentBlockStart", &start, out);
        at
    }
}

fn block_delta(at: u32, delta: WireDelta<'_>, out: &mut Vec<u8>) {
    frame::event("contentBlockDelta", &BlockDelta { delta, content_block_index: at }, out);
}
