//! Event-stream messages, read as an AWS client reads them.
//!
//! ```text
//! u32 length   u32 length of headers   u32 CRC   headers   payload   u32 CRC
//! header: u8 length, name, u8 type (7: string), u16 length, value
//! ```

use custody_dialect::{StreamEvent, UpstreamError, converse::StreamDecoder, openai::StreamLimits};
use serde_json::Value;

/// One message.
#[derive(Debug)]
pub(super) struct Frame {
    /// `event` or `exception`.
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) payload: Value,
}

pub(super) fn frames(mut bytes: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let (length, headers) = (number(bytes), number(&bytes[4..]));
        frames.push(frame(&bytes[12..12 + headers], &bytes[12 + headers..length - 4]));
        bytes = &bytes[length..];
    }
    frames
}

pub(super) fn names(frames: &[Frame]) -> Vec<&str> {
    frames.iter().map(|frame| frame.name.as_str()).collect()
}

/// All text of the answer.
pub(super) fn text(frames: &[Frame]) -> String {
    frames.iter().filter_map(|frame| frame.payload["delta"]["text"].as_str()).collect()
}

/// The same bytes through the decoder that speaks to providers, which checks the check sums.
pub(super) fn checked(bytes: &[u8]) -> Result<Vec<StreamEvent>, UpstreamError> {
    let mut decoder = StreamDecoder::new(StreamLimits::default());
    let mut events = Vec::new();
    decoder.feed(bytes, &mut events)?;
    decoder.end()?;
    Ok(events)
}

fn frame(mut headers: &[u8], payload: &[u8]) -> Frame {
    let mut frame = Frame { kind: String::new(), name: String::new(), payload: serde_json::from_slice(payload).unwrap() };
    while !headers.is_empty() {
        let (name, rest) = headers[1..].split_at(usize::from(headers[0]));
        assert_eq!(rest[0], 7, "a string");
        let length = usize::from(u16::from_be_bytes([rest[1], rest[2]]));
        let value = std::str::from_utf8(&rest[3..3 + length]).unwrap().to_owned();
        match name {
            b":message-type" => frame.kind = value,
            b":event-type" | b":exception-type" => frame.name = value,
            b":content-type" => assert_eq!(value, "application/json"),
            _ => panic!("{name:?}"),
        }
        headers = &rest[3 + length..];
    }
    frame
}

fn number(bytes: &[u8]) -> usize {
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize
}
