//! Events as bytes, with one encoder for each thread.

use std::cell::RefCell;

use bytes::Bytes;
use custody_event::{Encoder, Event};

/// An event could not be written by its schema: a defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event does not follow its schema")]
pub(crate) struct Unencodable;

thread_local! {
    static ENCODER: RefCell<Option<Encoder>> = RefCell::new(Encoder::new());
}

/// All events, in order. The bytes of one call share one allocation.
pub(crate) fn all(events: &[Event]) -> Result<Vec<Bytes>, Unencodable> {
    ENCODER.with_borrow_mut(|encoder| {
        let encoder = encoder.as_mut().ok_or(Unencodable)?;
        let mut buffer = Vec::with_capacity(events.len() * 768);
        let mut ends = Vec::with_capacity(events.len());
        for event in events {
            encoder.encode_into(event, &mut buffer).map_err(|_| Unencodable)?;
            ends.push(buffer.len());
        }
        let whole = Bytes::from(buffer);
        let starts = std::iter::once(0).chain(ends.iter().copied());
        Ok(starts.zip(ends.iter().copied()).map(|(start, end)| whole.slice(start..end)).collect())
    })
}
