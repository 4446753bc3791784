//! A streamed Converse answer, read by the dialect.

use custody_dialect::{StreamEvent, UpstreamError, converse::StreamDecoder, openai::StreamLimits};
use hyper::body::Bytes;

use super::errors;
use crate::{ModelError, streaming::Decode};

/// The largest message of a stream; pieces of text and arguments are a few hundred bytes.
const MAX_MESSAGE: usize = 1 << 20;

pub(super) struct Steps(StreamDecoder);

impl Steps {
    pub(super) fn new(limit: usize) -> Self {
        Self(StreamDecoder::new(StreamLimits { line_bytes: MAX_MESSAGE.min(limit), stream_bytes: limit }))
    }
}

impl Decode for Steps {
    fn feed(&mut self, bytes: &Bytes, events: &mut Vec<StreamEvent>) -> Result<(), ModelError> {
        self.0.feed(bytes, events).map_err(meaning)
    }

    fn is_done(&self) -> bool {
        self.0.is_done()
    }

    fn awaits_usage_only(&self) -> bool {
        self.0.is_whole()
    }

    fn end(&mut self) -> Result<(), ModelError> {
        self.0.end().map_err(meaning)
    }
}

/// An exception inside a stream has a name that says more than that there was one.
fn meaning(error: UpstreamError) -> ModelError {
    match error {
        UpstreamError::InStream(said) => errors::in_stream(said),
        other => ModelError::of_upstream(other),
    }
}
