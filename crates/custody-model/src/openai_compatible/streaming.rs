//! A provider's stream as batches of events: what arrived together stays together, so that it can leave together.

use std::time::Duration;

use custody_dialect::{
    StreamEvent,
    openai::{StreamDecoder, StreamLimits},
};
use hyper::{Response, body::Incoming};
use tokio::time::{Instant, timeout_at};

use super::{
    body::{self, Deadlines},
    head,
};
use crate::{AnswerFacts, ModelError, ModelStream};

/// After the end mark the body's own end follows at once. Waiting for it lets the connection be used again; a server that
/// keeps it open longer loses the connection and delays nobody.
const END_GRACE: Duration = Duration::from_millis(10);

const MAX_LINE: usize = 1 << 20;

struct Reading {
    body: Incoming,
    decoder: StreamDecoder,
    deadlines: Deadlines,
    facts: AnswerFacts,
    waiting_for_first: bool,
    pending_error: Option<ModelError>,
    ended: bool,
}

pub(super) fn stream(response: Response<Incoming>, facts: AnswerFacts, deadlines: Deadlines, limit: usize) -> ModelStream {
    let reading = Reading {
        body: response.into_body(),
        decoder: StreamDecoder::new(StreamLimits { line_bytes: MAX_LINE.min(limit), stream_bytes: limit }),
        deadlines,
        facts: facts.clone(),
        waiting_for_first: true,
        pending_error: None,
        ended: false,
    };
    let batches = futures::stream::unfold(reading, |mut reading| async move {
        let batch = reading.next().await?;
        Some((batch, reading))
    });
    ModelStream::new(facts, batches)
}

impl Reading {
    async fn next(&mut self) -> Option<Result<Vec<StreamEvent>, ModelError>> {
        if let Some(error) = self.pending_error.take() {
            return Some(Err(self.fail(error)));
        }
        if self.ended {
            return None;
        }
        let mut events = Vec::new();
        while events.is_empty() {
            if let Err(error) = self.read_into(&mut events).await {
                return Some(self.after_error(error, events));
            }
        }
        self.waiting_for_first &= !events.iter().any(is_content);
        Some(Ok(events))
    }

    async fn read_into(&mut self, events: &mut Vec<StreamEvent>) -> Result<(), ModelError> {
        let (by, phase) = self.deadlines.next(self.waiting_for_first);
        let Some(bytes) = body::read(&mut self.body, by, phase).await? else {
            self.ended = true;
            self.decoder.end().map_err(ModelError::of_upstream)?;
            events.push(StreamEvent::Done);
            return Ok(());
        };
        self.decoder.feed(&bytes, events).map_err(ModelError::of_upstream)?;
        if self.decoder.is_done() {
            self.ended = true;
            self.drain().await;
        }
        Ok(())
    }

    async fn drain(&mut self) {
        let by = Instant::now() + END_GRACE;
        let end = async { while let Ok(Some(_)) = body::read(&mut self.body, by, crate::TimeoutPhase::Idle).await {} };
        // The answer is whole either way.
        drop(timeout_at(by, end).await);
    }

    /// Events that were whole before the mistake are handed on first; they may carry usage.
    fn after_error(&mut self, error: ModelError, events: Vec<StreamEvent>) -> Result<Vec<StreamEvent>, ModelError> {
        if events.is_empty() {
            return Err(self.fail(error));
        }
        self.pending_error = Some(error);
        Ok(events)
    }

    fn fail(&mut self, error: ModelError) -> ModelError {
        self.ended = true;
        head::with_facts(error, &self.facts)
    }
}

fn is_content(event: &StreamEvent) -> bool {
    matches!(event, StreamEvent::Delta(delta) if delta.has_content())
}
