//! Streamed pieces on their way to the caller. Content goes out as it comes; the finish reason, the usage and the end mark wait
//! for the durable outcome, so that a client that saw the end can rely on the record.

use custody_dialect::{ChatAnswer, Delta};

use super::{
    case::{Case, size},
    route::Plan,
};
use crate::{
    front::PieceWriter,
    http::{AnswerHeaders, Reply},
    workspace::RouteConfig,
};

/// Pieces on their way.
pub(super) struct Relay {
    writer: PieceWriter,
    headers: AnswerHeaders,
    buffer: Vec<u8>,
    buffered_bytes: usize,
    delivered_bytes: usize,
}

impl Relay {
    pub(super) fn new(case: &Case, plan: &Plan) -> Self {
        let id = case.completion_id();
        let head = case.answer_head(&id, &plan.capability);
        let writer = PieceWriter::new(case.wire.front, &head, plan.chat.include_usage);
        let headers = AnswerHeaders { request_id: case.id_text.clone(), ..AnswerHeaders::default() };
        Self { writer, headers, buffer: Vec::new(), buffered_bytes: 0, delivered_bytes: 0 }
    }

    pub(super) fn route_taken(&mut self, route: &RouteConfig) {
        self.headers.route = Some(route.name.text());
    }

    /// Takes the content of a piece; its finish reason is kept back.
    pub(super) fn take(&mut self, delta: &Delta) {
        if !self.writer.takes(delta) {
            return;
        }
        self.buffered_bytes += delta.output_bytes();
        self.writer.content(delta, &mut self.buffer);
    }

    /// Hands over what was taken. Waits for the caller's connection, up to a bound.
    pub(super) async fn flush(&mut self, reply: &mut Reply) {
        if self.buffer.is_empty() {
            return;
        }
        let bytes = std::mem::take(&mut self.buffer);
        let taken = std::mem::take(&mut self.buffered_bytes);
        if reply.send(&self.headers, bytes.into()).await {
            self.delivered_bytes += taken;
        }
    }

    pub(super) fn delivered_bytes(&self) -> i64 {
        size(self.delivered_bytes)
    }

    /// The end of the stream, after the outcome is durable.
    pub(super) fn end(mut self, answer: &ChatAnswer, latency_ms: u64) -> Vec<u8> {
        self.writer.end(answer, latency_ms, &mut self.buffer);
        self.buffer
    }

    /// A whole answer as a stream, for a caller who asked for one and an answer that was kept back to be checked.
    pub(super) fn whole(mut self, answer: &ChatAnswer, latency_ms: u64) -> Vec<u8> {
        for delta in answer.deltas() {
            self.writer.content(&delta, &mut self.buffer);
        }
        self.end(answer, latency_ms)
    }
}
