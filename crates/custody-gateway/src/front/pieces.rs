//! A streamed answer in the caller's form, piece by piece.

use custody_dialect::{
    ChatAnswer, Delta, FinishReason,
    converse::EventWriter,
    openai::{AnswerHead, ChunkWriter},
};

use super::Front;

/// Writes the pieces of one answer.
pub(crate) enum PieceWriter {
    OpenAi(ChunkWriter),
    Converse(EventWriter),
}

impl PieceWriter {
    /// A writer for one answer. Converse always tells its usage; an OpenAI caller may have asked for it.
    pub(crate) fn new(front: Front, head: &AnswerHead<'_>, include_usage: bool) -> Self {
        match front {
            Front::OpenAi => Self::OpenAi(ChunkWriter::new(head, include_usage)),
            Front::Converse => Self::Converse(EventWriter::new()),
        }
    }

    /// Whether the form has a place for the piece: OpenAI's has none for reasoning.
    pub(crate) fn takes(&self, delta: &Delta) -> bool {
        match self {
            Self::OpenAi(_) => delta.has_content() && !delta.is_only_reasoning(),
            Self::Converse(_) => delta.has_content(),
        }
    }

    /// Appends the content of a piece. Its finish reason is part of the end.
    pub(crate) fn content(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        match self {
            Self::Converse(writer) => writer.delta(delta, out),
            Self::OpenAi(writer) if delta.finish.is_none() => writer.delta(delta, out),
            Self::OpenAi(writer) => writer.delta(&Delta { finish: None, ..delta.clone() }, out),
        }
    }

    /// Appends the end: why the model stopped, what was used, and the form's end mark.
    pub(crate) fn end(&mut self, answer: &ChatAnswer, latency_ms: u64, out: &mut Vec<u8>) {
        let finish = answer.finish.unwrap_or(FinishReason::Stop);
        match self {
            Self::OpenAi(writer) => {
                writer.delta(&Delta { finish: Some(finish), ..Delta::default() }, out);
                writer.answer_usage(answer, out);
                writer.done(out);
            }
            Self::Converse(writer) => {
                writer.stop(finish, out);
                writer.metadata(answer, latency_ms, out);
            }
        }
    }
}
