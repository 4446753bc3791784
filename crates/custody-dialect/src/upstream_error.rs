//! What can be wrong with a provider's bytes.

use std::time::Duration;

use custody_types::{Fault, FaultOwner, Retry, Text};

/// A provider's answer could not be read, or said that it failed. No variant holds text of the answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// The bytes are not the JSON they should be.
    #[error("the provider's answer is not valid JSON of the expected form")]
    Garbage,
    /// There is no first choice with a message.
    #[error("the provider's answer has no choice with a message")]
    NoChoice,
    /// A line of a stream is longer than allowed.
    #[error("a line of the provider's stream is longer than {limit} bytes")]
    LineTooLong {
        /// The bound.
        limit: usize,
    },
    /// The answer is longer than allowed.
    #[error("the provider's answer is longer than {limit} bytes")]
    AnswerTooLong {
        /// The bound.
        limit: usize,
    },
    /// The stream ended before the model did.
    #[error("the provider's stream ended before the answer did")]
    Cut,
    /// The provider reported an error inside a stream.
    #[error("the provider reported an error inside the stream")]
    InStream(ProviderError),
}

/// What a provider says about its own failure: only words that are valid labels, never its message, which may quote the payload.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProviderError {
    /// The `type` of the error.
    pub kind: Option<Text>,
    /// The `code` of the error.
    pub code: Option<Text>,
}

impl Fault for UpstreamError {
    fn owner(&self) -> FaultOwner {
        FaultOwner::Upstream
    }

    fn retry(&self) -> Retry {
        match self {
            Self::LineTooLong { .. } | Self::AnswerTooLong { .. } => Retry::Never,
            Self::Garbage | Self::NoChoice | Self::Cut | Self::InStream(_) => Retry::After(Duration::from_secs(1)),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Garbage | Self::NoChoice => "upstream_garbage",
            Self::LineTooLong { .. } | Self::AnswerTooLong { .. } => "upstream_answer_too_large",
            Self::Cut => "upstream_cut",
            Self::InStream(_) => "upstream_error_in_stream",
        }
    }
}
