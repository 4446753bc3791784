//! A provider's streamed answer, read as it arrives.

use custody_types::SensitiveText;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::parse_answer::{is_truthy, provider_error};
use crate::{Delta, FinishReason, RawUsage, SseReader, StreamEvent, ToolCallDelta, UpstreamError, labels::label};

/// Bounds on one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamLimits {
    /// Longest line, and longest event, in bytes.
    pub line_bytes: usize,
    /// Longest stream in bytes, as it comes over the wire.
    pub stream_bytes: usize,
}

impl Default for StreamLimits {
    /// A chunk is some hundred bytes and a whole answer some hundred kilobytes; both have room for a thousand times that.
    fn default() -> Self {
        Self { line_bytes: 1 << 20, stream_bytes: 64 << 20 }
    }
}

/// Turns the bytes of a stream into [`StreamEvent`]s, however they are split.
#[derive(Debug)]
pub struct StreamDecoder {
    reader: SseReader,
    limits: StreamLimits,
    bytes: usize,
    state: State,
}

#[derive(Debug, Default)]
struct State {
    opened: bool,
    finished: bool,
    done: bool,
}

impl StreamDecoder {
    /// A decoder for one stream.
    #[must_use]
    pub fn new(limits: StreamLimits) -> Self {
        Self { reader: SseReader::new(limits.line_bytes), limits, bytes: 0, state: State::default() }
    }

    /// Takes more bytes and appends the events they complete to `out`. Bytes after the end mark are passed over.
    ///
    /// # Errors
    /// What is wrong with the stream; events before the mistake are in `out`. The decoder is not to be used after an error.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<StreamEvent>) -> Result<(), UpstreamError> {
        self.bytes = self.bytes.saturating_add(bytes.len());
        if self.bytes > self.limits.stream_bytes {
            return Err(UpstreamError::AnswerTooLong { limit: self.limits.stream_bytes });
        }
        let state = &mut self.state;
        self.reader.feed(bytes, |data| state.event(data, out))
    }

    /// Whether the end mark was seen: nothing more will come.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.state.done
    }

    /// Says that the connection ended. Some servers send no end mark; a finish reason is as good.
    ///
    /// # Errors
    /// [`UpstreamError::Cut`] where neither came.
    pub fn end(&self) -> Result<(), UpstreamError> {
        if self.state.done || self.state.finished { Ok(()) } else { Err(UpstreamError::Cut) }
    }
}

impl State {
    fn event(&mut self, data: &[u8], out: &mut Vec<StreamEvent>) -> Result<(), UpstreamError> {
        if self.done || data.is_empty() {
            return Ok(());
        }
        if data == b"[DONE]" {
            self.done = true;
            out.push(StreamEvent::Done);
            return Ok(());
        }
        let chunk: WireChunk<'_> = serde_json::from_slice(data).map_err(|_| UpstreamError::Garbage)?;
        if let Some(error) = chunk.error.filter(|error| is_truthy(error)) {
            return Err(UpstreamError::InStream(provider_error(error)));
        }
        self.chunk(chunk, out);
        Ok(())
    }

    fn chunk(&mut self, chunk: WireChunk<'_>, out: &mut Vec<StreamEvent>) {
        if !self.opened {
            self.opened = true;
            out.push(StreamEvent::Opened { upstream_id: chunk.id.and_then(plain), model_used: chunk.model.and_then(plain) });
        }
        if let Some(choice) = chunk.choices.unwrap_or_default().into_iter().find(|choice| choice.index == 0) {
            let delta = Delta::from(choice);
            self.finished |= delta.finish.is_some();
            if !delta.is_empty() {
                out.push(StreamEvent::Delta(delta));
            }
        }
        if let Some(usage) = chunk.usage.and_then(RawUsage::from_json) {
            out.push(StreamEvent::Usage(usage));
        }
    }
}

/// A JSON text without escapes, where it is a valid label; kept raw because it is needed in the first chunk only.
fn plain(raw: &RawValue) -> Option<custody_types::Text> {
    label(raw.get().strip_prefix('"')?.strip_suffix('"'))
}

#[derive(Deserialize)]
struct WireChunk<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    model: Option<&'a RawValue>,
    #[serde(default)]
    choices: Option<Vec<WireChoice>>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireChoice {
    #[serde(default)]
    index: u32,
    #[serde(default)]
    delta: Option<WireDelta>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Deserialize, Default)]
struct WireDelta {
    #[serde(default)]
    content: Option<SensitiveText>,
    #[serde(default)]
    refusal: Option<SensitiveText>,
    #[serde(default)]
    tool_calls: Option<Vec<WireToolCall>>,
}

#[derive(Deserialize)]
struct WireToolCall {
    #[serde(default)]
    index: u32,
    #[serde(default)]
    id: Option<SensitiveText>,
    #[serde(default)]
    function: Option<WireFunction>,
}

#[derive(Deserialize, Default)]
struct WireFunction {
    #[serde(default)]
    name: Option<SensitiveText>,
    #[serde(default)]
    arguments: Option<SensitiveText>,
}

impl From<WireChoice> for Delta {
    fn from(choice: WireChoice) -> Self {
        let delta = choice.delta.unwrap_or_default();
        Self {
            text: delta.content.filter(|text| !text.is_empty()),
            refusal: delta.refusal.filter(|text| !text.is_empty()),
            tool_calls: delta.tool_calls.unwrap_or_default().into_iter().map(ToolCallDelta::from).collect(),
            finish: choice.finish_reason.as_deref().map(FinishReason::from_wire),
            ..Self::default()
        }
    }
}

impl From<WireToolCall> for ToolCallDelta {
    fn from(call: WireToolCall) -> Self {
        let function = call.function.unwrap_or_default();
        Self { index: call.index, id: call.id, name: function.name, arguments: function.arguments }
    }
}
