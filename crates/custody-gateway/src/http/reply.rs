//! The way back to the caller: one answer, one error, or a stream of pieces. A caller may hang up at any moment; the flow asks,
//! and goes on.

use std::time::Duration;

use bytes::Bytes;
use custody_log::Appended;
use custody_types::{PicoUsd, Text};
use hyper::{Response, StatusCode, header, http::response::Builder};
use tokio::sync::{mpsc, oneshot};

use super::body::AnswerBody;
use crate::{
    front::{Front, Refused},
    refusal::Refusal,
};

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
    front: Front,
    head: Option<oneshot::Sender<Response<AnswerBody>>>,
    pieces: Option<mpsc::Sender<Bytes>>,
    streaming: bool,
}

impl Reply {
    pub(super) fn new(front: Front) -> (Self, oneshot::Receiver<Response<AnswerBody>>) {
        let (head, receiver) = oneshot::channel();
        (Self { front, head: Some(head), pieces: None, streaming: false }, receiver)
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
        let builder = answer_head(self.front, headers, 200).header(header::CONTENT_TYPE, "application/json");
        self.respond(builder, AnswerBody::Whole(Some(body)));
    }

    /// A piece of a stream; the first one takes the headers with it. Says whether it was taken.
    pub(crate) async fn send(&mut self, headers: &AnswerHeaders, piece: Bytes) -> bool {
        if !self.streaming {
            let (sender, receiver) = mpsc::channel(PIECES_WAITING);
            let builder = answer_head(self.front, headers, 200).header(header::CONTENT_TYPE, self.front.stream_type());
            let builder = builder.header(header::CACHE_CONTROL, "no-cache");
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
        if self.streaming {
            self.finish(&AnswerHeaders::default(), self.front.refuse_rest(refusal).into()).await;
            return;
        }
        let headers = AnswerHeaders {
            request_id: request_id.clone(),
            evidence: evidence.copied(),
            overhead_us: Some(overhead_us),
            outcome: Some(refusal.class.as_str()),
            ..AnswerHeaders::default()
        };
        let refused = self.front.refuse(refusal);
        let builder = error_head(answer_head(self.front, &headers, refused.status), &refused, refusal.retry_after);
        self.respond(builder, AnswerBody::Whole(Some(refused.body.into())));
    }

    /// Hands the head over. Says whether somebody took it.
    fn respond(&mut self, builder: Builder, body: AnswerBody) -> bool {
        let response = builder.body(body).unwrap_or_else(|_| Response::new(AnswerBody::Whole(None)));
        self.head.take().is_some_and(|head| head.send(response).is_ok())
    }
}

/// An error outside the flow, such as an unknown path.
pub(super) fn error_response(front: Front, refusal: &Refusal) -> Response<AnswerBody> {
    let refused = front.refuse(refusal);
    let builder = error_head(Response::builder().status(refused.status), &refused, refusal.retry_after);
    let body = AnswerBody::Whole(Some(refused.body.into()));
    builder.body(body).unwrap_or_else(|_| Response::new(AnswerBody::Whole(None)))
}

fn answer_head(front: Front, headers: &AnswerHeaders, status: u16) -> Builder {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let builder = Response::builder().status(status);
    let mut builder = front.id_headers().iter().fold(builder, |builder, name| builder.header(*name, &*headers.request_id));
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

fn error_head(builder: Builder, refused: &Refused, retry_after: Option<Duration>) -> Builder {
    let builder = builder.header(header::CONTENT_TYPE, "application/json");
    let builder = refused.headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
    match retry_after {
        // Whole seconds (RFC 9110, 10.2.3), and never before it is worth trying.
        Some(wait) => builder.header(header::RETRY_AFTER, (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)),
        None => builder,
    }
}
