//! Messages of `application/vnd.amazon.eventstream`.
//!
//! ```text
//! event      :event-type EVENT      :content-type application/json  :message-type event      payload: the event's JSON
//! exception  :exception-type NAME   :content-type application/json  :message-type exception  payload: {"message":…}
//! ```

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use serde::Serialize;

/// The content type of a Converse stream.
pub const EVENT_STREAM: &str = "application/vnd.amazon.eventstream";

/// Appends an event.
pub(super) fn event(name: &'static str, payload: &impl Serialize, out: &mut Vec<u8>) {
    // Our own types can't fail to serialise into memory; should one ever, the event is dropped as a whole.
    if let Ok(payload) = serde_json::to_vec(payload) {
        append([(":event-type", name), (":content-type", "application/json"), (":message-type", "event")], payload, out);
    }
}

/// Appends an exception.
pub(super) fn exception(name: &'static str, payload: Vec<u8>, out: &mut Vec<u8>) {
    append([(":exception-type", name), (":content-type", "application/json"), (":message-type", "exception")], payload, out);
}

fn append(headers: [(&'static str, &'static str); 3], payload: Vec<u8>, out: &mut Vec<u8>) {
    let header = |(name, value): (&'static str, &'static str)| Header::new(name, HeaderValue::String(value.into()));
    let message = Message::new_from_parts(headers.into_iter().map(header).collect(), payload);
    let before = out.len();
    if write_message_to(&message, out).is_err() {
        out.truncate(before);
    }
}
