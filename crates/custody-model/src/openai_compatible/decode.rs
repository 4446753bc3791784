//! Server-sent events of the OpenAI chat form.

use custody_dialect::{
    StreamEvent,
    openai::{StreamDecoder, StreamLimits},
};
use hyper::body::Bytes;

use crate::{ModelError, streaming::Decode};

const MAX_LINE: usize = 1 << 20;

pub(super) struct Lines(StreamDecoder);

impl Lines {
    pub(super) fn new(limit: usize) -> Self {
        Self(StreamDecoder::new(StreamLimits { line_bytes: MAX_LINE.min(limit), stream_bytes: limit }))
    }
}

impl Decode for Lines {
    fn feed(&mut self, bytes: &Bytes, events: &mut Vec<StreamEvent>) -> Result<(), ModelError> {
        self.0.feed(bytes, events).map_err(ModelError::of_upstream)
    }

    fn is_done(&self) -> bool {
        self.0.is_done()
    }

    fn end(&mut self) -> Result<(), ModelError> {
        self.0.end().map_err(ModelError::of_upstream)
    }
}
