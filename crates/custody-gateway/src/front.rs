//! The forms in which callers speak: OpenAI's chat completions and Bedrock's Converse. The flow is one for both and knows neither;
//! what differs stands here.
//!
//! ```text
//!                  OpenAi                              Converse
//! asked by         POST /v1/chat/completions           POST /model/{modelId}/converse, …/converse-stream
//! capability in    the body's `model`                  the path
//! streamed by      the body's `stream`                 the path
//! pieces           server-sent events, then [DONE]     event-stream frames; messageStop and metadata come last
//! refusal          {"error":{…}}                       x-amzn-errortype and {"message":…}, see `refused`
//! request id       x-request-id                        x-request-id and x-amzn-requestid
//! ```
//! Nothing is decided here: a front says what was asked, and how what was decided is told.

mod asked;
mod pieces;
mod refused;

pub(crate) use asked::Asked;
pub(crate) use pieces::PieceWriter;
pub(crate) use refused::Refused;

use custody_dialect::{
    ChatAnswer,
    converse::{self, EVENT_STREAM},
    openai::{self, AnswerHead},
};

/// The form that a caller speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Front {
    #[default]
    OpenAi,
    Converse,
}

/// What a form calls the things that a refusal may have to name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names {
    pub(crate) capability: &'static str,
    pub(crate) output_limit: &'static str,
    pub(crate) system: &'static str,
    pub(crate) tags: &'static str,
}

impl Front {
    pub(crate) const ALL: [Self; 2] = [Self::OpenAi, Self::Converse];

    /// The word in the request event.
    pub(crate) const fn dialect(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Converse => "converse",
        }
    }

    pub(crate) const fn names(self) -> &'static Names {
        match self {
            Self::OpenAi => &Names { capability: "model", output_limit: "max_completion_tokens", system: "messages", tags: "metadata" },
            Self::Converse => {
                &Names { capability: "modelId", output_limit: "inferenceConfig.maxTokens", system: "system", tags: "requestMetadata" }
            }
        }
    }

    /// The headers that carry the request's id.
    pub(crate) const fn id_headers(self) -> &'static [&'static str] {
        match self {
            Self::OpenAi => &["x-request-id"],
            Self::Converse => &["x-request-id", "x-amzn-requestid"],
        }
    }

    /// Content type of a streamed answer.
    pub(crate) const fn stream_type(self) -> &'static str {
        match self {
            Self::OpenAi => "text/event-stream",
            Self::Converse => EVENT_STREAM,
        }
    }

    /// A whole answer. Converse tells how long it took and not which capability answered.
    pub(crate) fn answer(self, head: &AnswerHead<'_>, answer: &ChatAnswer, latency_ms: u64) -> Vec<u8> {
        match self {
            Self::OpenAi => openai::render_chat_answer(head, answer),
            Self::Converse => converse::render_answer(answer, latency_ms),
        }
    }
}
