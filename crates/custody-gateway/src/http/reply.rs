//! The way back to the caller: one answer, one error, or a stream of pieces. A caller may hang up at any moment; the flow asks,
//! and goes on.

use std::time::Duration;

use bytes::Bytes;
use custody_dialect::openai::{ErrorBody, render_error};
use custody_log::Appended;
use custody_types::{PicoUsd, Text};
use hyper::{Response, StatusCode, header, http::response::Builder};
use tokio::sync::{mpsc, oneshot};

use super::body::AnswerBody;
use crate::refusal::{OutcomeClass, Refusal};

/// Pieces that may wait for the caller's connection. Beyond it the model is read no faster than the caller reads.
const PIECES_WAITING: usize = 16;

/// A caller who takes nothing for this long is gone.
const STALL: Duration = Duration::from_secs(30);

/// What the headers of an answer say.
#[derive(Debug, Clone, Default)]
pub(crate) struct AnswerHeaders {
    pub(crate) request_id: Text,
    pub(crate) route: Option<Text>,
    pub(crate) cost: Option<PicoUsd>,
    pub(crate) evidence: Option<Appended>,
    pub(crate) overhead_us: Option<u64>,
    pub(crate) outcome: Option<&'static str>,
}

/// The way back to one caller.
pub(crate) struct Reply {
    head: Option<oneshot::Sender<Response<AnswerBody>>>,
    pieces: Option<mpsc::Sender<Bytes>>,
    streaming: bool,
}

impl Reply {
    pub(super) fn new() -> (Self, oneshot::Receiver<Response<AnswerBody>>) {
        let (head, receiver) = oneshot::channel();
        (Self { head: Some(head), pieces: None, streaming: false }, receiver)
    }

    /// Whether a part of a stream may have reached the caller.
    pub(crate) const fn has_started(&self) -> bool {
        self.streaming
    }

    /// Whether nobody waits for the answer any more.
    pub(crate) fn is_gone(&self) -> bool {
        match (&self.head, &self.pieces) {
            (Some(head), _) => head.is_closed(),
            (None, Some(pieces)) => pieces.is_closed(),
            (None, None) => true,
        }
    }

    /// The whole answer.
    pub(crate) fn answer(&mut self, headers: &AnswerHeaders, body: Bytes) {
        let builder = answer_head(headers, 200).header(header::CONTENT_TYPE, "application/json");
        self.respond(builder, AnswerBody::Whole(Some(body)));
    }

    /// A piece of a stream; the first one takes the headers with it. Says whether it was taken.
    pub(crate) async fn send(&mut self, headers: &AnswerHeaders, piece: Bytes) -> bool {
        if !self.streaming {
            let (sender, receiver) = mpsc::channel(PIECES_WAITING);
            let builder =
                answer_head(headers, 200).header(header::CONTENT_TYPE, "text/event-stream").header(header::CACHE_CONTROL, "no-cache");
            self.streaming = self.respond(builder, AnswerBody::Pieces(receiver));
            self.pieces = self.streaming.then_some(sender);
        }
        let Some(pieces) = &self.pieces else { return false };
        let taken = pieces.send_timeout(piece, STALL).await.is_ok();
        if !taken {
            self.pieces = None;
        }
        taken
    }

    /// The last piece of a stream.
    pub(crate) async fn finish(&mut self, headers: &AnswerHeaders, piece: Bytes) {
        self.send(headers, piece).await;
        self.pieces = None;
    }

    /// An error in place of an answer, or of the rest of one.
    pub(crate) async fn refuse(&mut self, request_id: &Text, refusal: &Refusal, evidence: Option<&Appended>, overhead_us: u64) {
        let error = ErrorBody { message: &refusal.message, kind: refusal.kind, param: refusal.param.as_deref(), code: refusal.code };
        if self.streaming {
            let event = [b"data: ".as_slice(), &render_error(&error), b"\n\n"].concat();
            self.finish(&AnswerHeaders::default(), event.into()).await;
            return;
        }
        let headers = AnswerHeaders {
            request_id: request_id.clone(),
            evidence: evidence.copied(),
            overhead_us: Some(overhead_us),
            outcome: Some(refusal.class.as_str()),
            ..AnswerHeaders::default()
        };
        let builder = error_head(answer_head(&headers, refusal.status), refusal);
        self.respond(builder, AnswerBody::Whole(Some(render_error(&error).into())));
    }

    /// Hands the head over. Says whether somebody took it.
    fn respond(&mut self, builder: Builder, body: AnswerBody) -> bool {
        let response = builder.body(body).unwrap_or_else(|_| Response::new(AnswerBody::Whole(None)));
        self.head.take().is_some_and(|head| head.send(response).is_ok())
    }
}

/// An error outside the flow, such as an unknown path.
pub(super) fn error_response(refusal: &Refusal) -> Response<AnswerBody> {
    let error = ErrorBody { message: &refusal.message, kind: refusal.kind, param: refusal.param.as_deref(), code: refusal.code };
    let builder = error_head(Response::builder().status(refusal.status), refusal);
    let body = AnswerBody::Whole(Some(render_error(&error).into()));
    builder.body(body).unwrap_or_else(|_| Response::new(AnswerBody::Whole(None)))
}

fn answer_head(headers: &AnswerHeaders, status: u16) -> Builder {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut builder = Response::builder().status(status).header("x-request-id", &*headers.request_id);
    if let Some(route) = &headers.route {
        builder = builder.header("x-custody-route", &**route);
    }
    if let Some(cost) = headers.cost {
        builder = builder.header("x-custody-cost-usd", cost.to_string());
    }
    if let Some(evidence) = &headers.evidence {
        builder = builder.header("x-custody-evidence", format!("{}:{}", evidence.source, evidence.last_seq.get()));
    }
    if let Some(micros) = headers.overhead_us {
        builder = builder.header("x-custody-overhead-ms", format!("{}.{:03}", micros / 1000, micros % 1000));
    }
    if let Some(outcome) = headers.outcome {
        builder = builder.header("x-custody-outcome", outcome);
    }
    builder
}

/// Clients repeat 408, 409, 429 and 5xx by themselves; what would fail again says so.
fn error_head(builder: Builder, refusal: &Refusal) -> Builder {
    let builder = builder.header(header::CONTENT_TYPE, "application/json");
    match refusal.retry_after {
        Some(wait) => builder.header(header::RETRY_AFTER, wait.as_secs().max(1)),
        None if refusal.class == OutcomeClass::Refused || refusal.class == OutcomeClass::InvalidOutput => {
            builder.header("x-should-retry", "false")
        }
        None => builder,
    }
}
