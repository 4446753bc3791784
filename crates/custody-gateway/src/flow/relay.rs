//! Streamed pieces on their way to the caller. Content goes out as it comes; the finish reason, the usage and the end mark wait
//! for the durable outcome, so that a client that saw the end can rely on the record.

use custody_dialect::{ChatAnswer, Delta, FinishReason, openai::ChunkWriter};

use super::{
    case::{Case, size},
    route::Plan,
};
use crate::{
    http::{AnswerHeaders, Reply},
    workspace::RouteConfig,
};

/// Pieces on their way.
pub(super) struct Relay {
    writer: ChunkWriter,
    headers: AnswerHeaders,
    buffer: Vec<u8>,
    buffered_bytes: usize,
    delivered_bytes: usize,
}

impl Relay {
    pub(super) fn new(case: &Case, plan: &Plan) -> Self {
        let id = case.completion_id();
        let head = case.answer_head(&id, &plan.capability);
        let writer = ChunkWriter::new(&head, plan.chat.include_usage);
        let headers = AnswerHeaders { request_id: case.id_text.clone(), ..AnswerHeaders::default() };
        Self { writer, headers, buffer: Vec::new(), buffered_bytes: 0, delivered_bytes: 0 }
    }

    pub(super) fn route_taken(&mut self, route: &RouteConfig) {
        self.headers.route = Some(route.name.text());
    }

    /// Takes the content of a piece; its finish reason is kept back, and this form has no place for reasoning.
    pub(super) fn take(&mut self, delta: &Delta) {
        if !delta.has_content() || delta.is_only_reasoning() {
            return;
        }
        self.buffered_bytes += delta.output_bytes();
        if delta.finish.is_none() {
            self.writer.delta(delta, &mut self.buffer);
        } else {
            self.writer.delta(&Delta { finish: None, ..delta.clone() }, &mut self.buffer);
        }
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
    pub(super) fn end(mut self, answer: &ChatAnswer) -> Vec<u8> {
        let finish = answer.finish.unwrap_or(FinishReason::Stop);
        self.writer.delta(&Delta { finish: Some(finish), ..Delta::default() }, &mut self.buffer);
        self.writer.answer_usage(answer, &mut self.buffer);
        self.writer.done(&mut self.buffer);
        self.buffer
    }

    /// A whole answer as a stream, for a caller who asked for one and an answer that was kept back to be checked.
    pub(super) fn whole(mut self, answer: &ChatAnswer) -> Vec<u8> {
        for delta in answer.deltas() {
            self.writer.delta(&delta, &mut self.buffer);
        }
        self.end(answer)
    }
}
