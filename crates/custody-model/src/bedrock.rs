//! Amazon Bedrock, by Converse and ConverseStream.
//!
//! ```text
//! neutral request ─▶ dialect, request ─▶ exchange ─(SDK: identity, signature, endpoint, TLS)─▶ Bedrock
//! neutral answer  ◀─ dialect │ stream ◀─ body ◀─ exchange │ errors ◀─ SDK ◀──┘
//!
//! plain:   connect ≤ connect │ head ≤ total                    │ body: each read ≤ idle, all ≤ total
//! stream:  connect ≤ connect │ head and first content ≤ first_token │ each read ≤ idle, all ≤ total │ usage ≤ 2 s after the end
//! ```
//! A call is one attempt; the SDK's own retries are off. What the route adds (guardrail, price class, labels) is the operator's
//! word: a caller can neither set nor see it.

mod config;
mod control;
mod endpoint;
mod errors;
mod exchange;
mod guardrail;
mod metadata;
mod profile;
mod request;
mod route;
mod stream;
mod target;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use aws_sdk_bedrockruntime::Client;
use custody_dialect::converse::parse_answer;
use custody_types::ModelName;
use tokio::time::{Instant, timeout_at};

pub use config::BedrockConfig;
pub use control::{LookUpError, ProfileClient};
pub use guardrail::{Guardrail, GuardrailStream, GuardrailTrace};
pub use profile::{ProfileFacts, Reach};
pub use route::BedrockRoute;
pub use target::{Target, TargetKind, UnknownTargetError};

use crate::{
    ErrorKind, Model, ModelAnswer, ModelCall, ModelError, ModelStream, Provider, TimeoutPhase,
    body::{self, Deadlines},
    streaming,
    timeouts::Timeouts,
};
use exchange::{Answer, Exchange};

/// A client for one Region. Cheap to clone; clones share their connections and credentials.
#[derive(Clone)]
pub struct BedrockClient {
    client: Client,
    region: Arc<str>,
    url: Arc<str>,
    timeouts: Timeouts,
    max_answer_bytes: usize,
}

/// One route's way through a client.
#[derive(Debug, Clone)]
pub struct Bedrock {
    client: BedrockClient,
    route: Arc<BedrockRoute>,
}

impl BedrockClient {
    pub(crate) fn new(client: Client, region: String, url: String, timeouts: Timeouts, max_answer_bytes: usize) -> Self {
        Self { client, region: region.into(), url: url.into(), timeouts, max_answer_bytes }
    }

    /// The way of one route.
    #[must_use]
    pub fn route(&self, route: BedrockRoute) -> Bedrock {
        Bedrock { client: self.clone(), route: Arc::new(route) }
    }

    async fn converse(&self, model: &ModelName, exchange: &Arc<Exchange>) -> Result<(), ModelError> {
        let call = self.client.converse().model_id(model.as_str()).customize().interceptor(exchange.hooks());
        call.send().await.map(drop).map_err(|error| errors::of_sdk(&error))
    }

    async fn converse_stream(&self, model: &ModelName, exchange: &Arc<Exchange>) -> Result<(), ModelError> {
        let call = self.client.converse_stream().model_id(model.as_str()).customize().interceptor(exchange.hooks());
        call.send().await.map(drop).map_err(|error| errors::of_sdk(&error))
    }
}

#[async_trait]
impl Model for Bedrock {
    fn provider(&self) -> Provider {
        Provider::Bedrock
    }

    async fn call(&self, call: ModelCall) -> Result<ModelAnswer, ModelError> {
        let deadlines = Deadlines::start(&self.client.timeouts);
        let exchange = Exchange::new(request::render(&call, &self.route, false)?);
        let sent = self.client.converse(&call.model, &exchange);
        let Answer { facts, body } = answered(sent, &exchange, deadlines.total, TimeoutPhase::Total).await?;
        let body = body::read_whole(body, &deadlines, self.client.max_answer_bytes).await;
        let answer = body.and_then(|body| parse_answer(&body).map_err(ModelError::of_upstream));
        let answer = answer.map_err(|error| error.with_facts(&facts))?;
        Ok(ModelAnswer { answer, facts })
    }

    async fn stream(&self, call: ModelCall) -> Result<ModelStream, ModelError> {
        let deadlines = Deadlines::start(&self.client.timeouts);
        let exchange = Exchange::new(request::render(&call, &self.route, true)?);
        let sent = self.client.converse_stream(&call.model, &exchange);
        let Answer { facts, body } = answered(sent, &exchange, deadlines.first_token, TimeoutPhase::FirstToken).await?;
        Ok(streaming::stream(body, stream::Steps::new(self.client.max_answer_bytes), facts, deadlines))
    }
}

/// Waits for a head that promises an answer.
async fn answered(
    sent: impl Future<Output = Result<(), ModelError>>,
    exchange: &Exchange,
    by: Instant,
    phase: TimeoutPhase,
) -> Result<Answer, ModelError> {
    timeout_at(by, sent).await.map_err(|_| ModelError::new(ErrorKind::TimedOut(phase)))??;
    exchange.take_answer().ok_or_else(|| ModelError::new(ErrorKind::Failed))
}

impl fmt::Debug for BedrockClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BedrockClient").field("region", &self.region).field("url", &self.url).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
