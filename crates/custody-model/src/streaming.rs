//! A provider's stream as batches of events: what arrived together stays together, so that it can leave together.

use std::time::Duration;

use custody_dialect::StreamEvent;
use hyper::body::{Body, Bytes};
use tokio::time::{Instant, timeout_at};

use crate::{
    AnswerFacts, ErrorKind, ModelError, ModelStream, TimeoutPhase,
    body::{self, Deadlines},
};

/// After the end mark the body's own end follows at once. Waiting for it lets the connection be used again; a server that
/// keeps it open longer loses the connection and delays nobody.
const END_GRACE: Duration = Duration::from_millis(10);

/// What a model said is whole; a provider that does not state the usage within this time will hardly state it later, and the
/// caller waits for the end.
const USAGE_GRACE: Duration = Duration::from_secs(2);

/// Makes events of a provider's bytes.
pub(crate) trait Decode: Send + 'static {
    /// Takes bytes as they come; events that were whole before a mistake are kept.
    fn feed(&mut self, bytes: &Bytes, events: &mut Vec<StreamEvent>) -> Result<(), ModelError>;

    /// Whether the end of the answer was seen, and said as [`StreamEvent::Done`].
    fn is_done(&self) -> bool;

    /// Whether all but the usage was said.
    fn awaits_usage_only(&self) -> bool {
        false
    }

    /// Takes the end of the bytes.
    fn end(&mut self) -> Result<(), ModelError>;
}

struct Reading<B, D> {
    body: B,
    decoder: D,
    deadlines: Deadlines,
    facts: AnswerFacts,
    waiting_for_first: bool,
    usage_by: Option<Instant>,
    pending_error: Option<ModelError>,
    ended: bool,
}

pub(crate) fn stream<B, D>(body: B, decoder: D, facts: AnswerFacts, deadlines: Deadlines) -> ModelStream
where
    B: Body<Data = Bytes> + Unpin + Send + 'static,
    D: Decode,
    B::Error: Send,
{
    let reading = Reading {
        body,
        decoder,
        deadlines,
        facts: facts.clone(),
        waiting_for_first: true,
        usage_by: None,
        pending_error: None,
        ended: false,
    };
    let batches = futures::stream::unfold(reading, |mut reading| async move {
        let batch = reading.next().await?;
        Some((batch, reading))
    });
    ModelStream::new(facts, batches)
}

impl<B: Body<Data = Bytes> + Unpin, D: Decode> Reading<B, D> {
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
        let (by, phase) = self.wait();
        let bytes = match body::read(&mut self.body, by, phase).await {
            Err(error) if self.decoder.awaits_usage_only() && is_silence(&error) => None,
            read => read?,
        };
        let Some(bytes) = bytes else {
            self.ended = true;
            self.decoder.end()?;
            events.push(StreamEvent::Done);
            return Ok(());
        };
        self.decoder.feed(&bytes, events)?;
        if self.decoder.is_done() {
            self.ended = true;
            self.drain().await;
        }
        Ok(())
    }

    /// The end of the wait that begins now. One that is only for the usage is short, and not prolonged by what trickles in.
    fn wait(&mut self) -> (Instant, TimeoutPhase) {
        let (by, phase) = self.deadlines.next(self.waiting_for_first && !self.decoder.awaits_usage_only());
        if !self.decoder.awaits_usage_only() {
            return (by, phase);
        }
        let usage_by = *self.usage_by.get_or_insert_with(|| Instant::now() + USAGE_GRACE);
        (by.min(usage_by), phase)
    }

    async fn drain(&mut self) {
        let by = Instant::now() + END_GRACE;
        let end = async { while let Ok(Some(_)) = body::read(&mut self.body, by, TimeoutPhase::Idle).await {} };
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
        error.with_facts(&self.facts)
    }
}

fn is_content(event: &StreamEvent) -> bool {
    matches!(event, StreamEvent::Delta(delta) if delta.has_content())
}

/// Whether the provider said no more, rather than something wrong.
fn is_silence(error: &ModelError) -> bool {
    matches!(error.kind, ErrorKind::Cut | ErrorKind::TimedOut(_))
}
