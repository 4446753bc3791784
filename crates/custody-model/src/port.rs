//! The port: what the gateway asks of a model, and what it gets.

use std::{fmt, pin::Pin, sync::Arc};

use async_trait::async_trait;
use custody_dialect::{ChatAnswer, ChatRequest, StreamEvent};
use custody_types::{ModelName, Text};
use futures::{Stream, StreamExt};

use crate::ModelError;

/// A model that can be called.
#[async_trait]
pub trait Model: Send + Sync + fmt::Debug {
    /// Who answers, for events and prices.
    fn provider(&self) -> Provider;

    /// Makes one attempt and waits for the whole answer.
    async fn call(&self, call: ModelCall) -> Result<ModelAnswer, ModelError>;

    /// Makes one attempt and returns once the provider agreed to answer; the answer then comes in pieces.
    async fn stream(&self, call: ModelCall) -> Result<ModelStream, ModelError>;
}

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// A server that speaks the OpenAI chat form.
    OpenAiCompatible,
    /// Amazon Bedrock.
    Bedrock,
    /// The simulator.
    Simulator,
}

/// One attempt. Cheap to clone, so that a second attempt costs no copy of the conversation.
#[derive(Debug, Clone)]
pub struct ModelCall {
    /// The conversation as it was assembled; its `model` and `stream` are not looked at.
    pub request: Arc<ChatRequest>,
    /// The model, as the provider names it.
    pub model: ModelName,
    /// A pseudonym of the person behind the request, if the provider is to have one.
    pub end_user: Option<Text>,
    /// What a provider is told that keeps labels beside its own log of the call; none for any other.
    pub labels: Option<CallLabels>,
    /// The gateway's request id, sent as `x-request-id` or as a label.
    pub request_id: Text,
}

/// Whom a call is for and what for, as a provider may know it (PATH-11, LOG-36): a pseudonym and the operator's own names, never
/// a caller's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallLabels {
    /// The tenant's pseudonym.
    pub tenant: Text,
    /// The product feature.
    pub feature: Text,
    /// The business workflow.
    pub workflow: Text,
    /// The capability.
    pub capability: Text,
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct ModelAnswer {
    /// What the model said.
    pub answer: ChatAnswer,
    /// What is known about the attempt.
    pub facts: AnswerFacts,
}

/// What is known about an attempt that was answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AnswerFacts {
    /// HTTP status of the provider; the simulator says 200.
    pub http_status: u16,
    /// The provider's id of the call, where it is a valid label.
    pub provider_request_id: Option<Text>,
}

/// An answer that comes in pieces. Dropping it ends the attempt.
pub struct ModelStream {
    facts: AnswerFacts,
    batches: Pin<Box<dyn Stream<Item = Result<Vec<StreamEvent>, ModelError>> + Send>>,
}

impl Provider {
    /// The name in events and price books.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAiCompatible => "openai_compatible",
            Self::Bedrock => "bedrock",
            Self::Simulator => "simulator",
        }
    }
}

impl ModelStream {
    /// Wraps the pieces of an answer.
    pub fn new(facts: AnswerFacts, batches: impl Stream<Item = Result<Vec<StreamEvent>, ModelError>> + Send + 'static) -> Self {
        Self { facts, batches: Box::pin(batches) }
    }

    /// What is known about the attempt.
    #[must_use]
    pub fn facts(&self) -> &AnswerFacts {
        &self.facts
    }

    /// The events that arrived together, at least one; `None` after the last. A whole answer's last batch ends with
    /// [`StreamEvent::Done`]; anything else ends with an error, after which `None` follows. Safe to cancel.
    pub async fn next(&mut self) -> Option<Result<Vec<StreamEvent>, ModelError>> {
        self.batches.next().await
    }
}

impl fmt::Debug for ModelStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelStream").field("facts", &self.facts).finish_non_exhaustive()
    }
}
