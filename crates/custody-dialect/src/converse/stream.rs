//! A provider's Converse stream, read as it arrives.
//!
//! ```text
//! messageStart → Opened    contentBlockStart, contentBlockDelta → Delta    messageStop → Delta(finish)
//! metadata → Usage? Details Done    an exception → UpstreamError::InStream    anything else → nothing
//! ```
//! A stream that ends before messageStop was cut, whatever it said of its usage, which is kept. One that ends between messageStop and
//! metadata is whole, but its usage is not known. A missing messageStart, and metadata before messageStop, lose nothing.

use std::fmt;

use aws_smithy_eventstream::frame::read_message_from;
use aws_smithy_types::event_stream::Message;
use serde::Deserialize;

use super::{blocks::Blocks, facts::WireFacts};
use crate::{Delta, FinishReason, ProviderError, StreamEvent, UpstreamError, labels::label, openai::StreamLimits};

/// What says that an answer has begun.
const EVENTS: [&str; 6] = ["messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"];

/// Length of a frame, length of its headers, CRC-32 of both; every number big-endian.
const PRELUDE_BYTES: usize = 12;

/// Turns a stream into [`StreamEvent`]s: from its bytes, however they are split, or from its events, where another library took
/// the frames apart.
pub struct StreamDecoder {
    limits: StreamLimits,
    held: Vec<u8>,
    bytes: usize,
    blocks: Blocks,
    opened: bool,
    finished: bool,
    told: bool,
    done: bool,
}

impl StreamDecoder {
    /// A decoder for one stream; `line_bytes` bounds a message.
    #[must_use]
    pub fn new(limits: StreamLimits) -> Self {
        let (held, blocks) = (Vec::new(), Blocks::default());
        Self { limits, held, bytes: 0, blocks, opened: false, finished: false, told: false, done: false }
    }

    /// Takes more bytes and appends the events they complete to `out`.
    ///
    /// # Errors
    /// What is wrong with the stream; events before the mistake are in `out`. The decoder is not to be used after an error.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<StreamEvent>) -> Result<(), UpstreamError> {
        self.bytes = self.bytes.saturating_add(bytes.len());
        if self.bytes > self.limits.stream_bytes {
            return Err(UpstreamError::AnswerTooLong { limit: self.limits.stream_bytes });
        }
        let mut held = std::mem::take(&mut self.held);
        held.extend_from_slice(bytes);
        let mut rest = held.as_slice();
        while let Some(length) = frame_length(rest, self.limits.line_bytes)?.filter(|length| *length <= rest.len()) {
            let (mut frame, later) = rest.split_at(length);
            let message = read_message_from(&mut frame).map_err(|_| UpstreamError::Garbage)?;
            self.message(&message, out)?;
            rest = later;
        }
        let consumed = held.len().saturating_sub(rest.len());
        held.drain(..consumed);
        self.held = held;
        Ok(())
    }

    /// Takes one event and appends what it says to `out`.
    ///
    /// # Errors
    /// As [`StreamDecoder::feed`].
    pub fn event(&mut self, name: &str, payload: &[u8], out: &mut Vec<StreamEvent>) -> Result<(), UpstreamError> {
        if self.done {
            return Ok(());
        }
        if !self.opened && EVENTS.contains(&name) {
            self.opened = true;
            out.push(StreamEvent::Opened { upstream_id: None, model_used: None });
        }
        match name {
            "contentBlockStart" => out.extend(self.blocks.start(read(payload)?)?.map(StreamEvent::Delta)),
            "contentBlockDelta" => out.extend(self.blocks.delta(read(payload)?)?.map(StreamEvent::Delta)),
            "contentBlockStop" => out.extend(self.blocks.stop(&read(payload)?)?.map(StreamEvent::Delta)),
            "messageStop" => {
                let stop: WireStop = read(payload)?;
                self.finished = true;
                let finish = stop.stop_reason.as_deref().map_or(FinishReason::Other, FinishReason::from_stop_reason);
                out.push(StreamEvent::Delta(Delta { finish: Some(finish), ..Delta::default() }));
            }
            "metadata" => self.metadata(payload, out),
            _ => {}
        }
        if self.finished && self.told {
            out.push(StreamEvent::Done);
            self.done = true;
        }
        Ok(())
    }

    /// What an exception inside the stream means. Its message is not looked at: it may quote the payload.
    #[must_use]
    pub fn exception(name: &str) -> UpstreamError {
        UpstreamError::InStream(ProviderError { kind: label(Some(name)), code: None })
    }

    /// Whether the last event was seen: nothing more will come.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// Whether the message ended, and at most the facts about it are still to come.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.finished
    }

    /// Says that the connection ended.
    ///
    /// # Errors
    /// [`UpstreamError::Cut`] where the message did not.
    pub fn end(&self) -> Result<(), UpstreamError> {
        if (self.done || self.finished) && self.held.is_empty() { Ok(()) } else { Err(UpstreamError::Cut) }
    }

    fn message(&mut self, message: &Message, out: &mut Vec<StreamEvent>) -> Result<(), UpstreamError> {
        match header(message, ":message-type") {
            Some("event") => match header(message, ":event-type") {
                Some(name) => self.event(name, message.payload(), out),
                None => Ok(()),
            },
            Some("exception") => Err(Self::exception(header(message, ":exception-type").unwrap_or_default())),
            Some("error") => Err(Self::exception(header(message, ":error-code").unwrap_or_default())),
            _ => Ok(()),
        }
    }

    fn metadata(&mut self, payload: &[u8], out: &mut Vec<StreamEvent>) {
        let facts = WireFacts::of(payload);
        out.extend(facts.usage().map(StreamEvent::Usage));
        out.push(StreamEvent::Details(Box::new(facts.details())));
        self.told = true;
    }
}

impl fmt::Debug for StreamDecoder {
    /// The bytes of a message that is not whole yet are payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamDecoder").field("bytes", &self.bytes).field("done", &self.done).finish_non_exhaustive()
    }
}

fn header<'a>(message: &'a Message, name: &str) -> Option<&'a str> {
    let found = message.headers().iter().find(|header| header.name().as_str() == name)?;
    found.value().as_string().ok().map(|value| value.as_str())
}

fn read<'a, T: Deserialize<'a>>(payload: &'a [u8]) -> Result<T, UpstreamError> {
    serde_json::from_slice(payload).map_err(|_| UpstreamError::Garbage)
}

/// How long the frame is that `bytes` begins with; nothing until its prelude is there. What is no prelude is known by its own
/// checksum at once, so that garbage is not waited for as the rest of a frame.
fn frame_length(bytes: &[u8], limit: usize) -> Result<Option<usize>, UpstreamError> {
    let Some((numbers, checksum)) = bytes.get(..PRELUDE_BYTES).and_then(|prelude| prelude.split_at_checked(8)) else { return Ok(None) };
    if crc32fast::hash(numbers).to_be_bytes() != checksum {
        return Err(UpstreamError::Garbage);
    }
    let length = numbers.first_chunk().map(|length| u32::from_be_bytes(*length));
    match length.and_then(|length| usize::try_from(length).ok()) {
        Some(length) if length > limit => Err(UpstreamError::LineTooLong { limit }),
        Some(length) if length > PRELUDE_BYTES => Ok(Some(length)),
        _ => Err(UpstreamError::Garbage),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireStop {
    #[serde(default)]
    stop_reason: Option<String>,
}
