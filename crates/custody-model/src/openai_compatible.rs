//! Any server that speaks the OpenAI chat form: OpenAI itself, vLLM, llama.cpp, a gateway before a gateway.
//!
//! ```text
//! plain:   connect ≤ connect │ head ≤ total                    │ body: each read ≤ idle, all ≤ total
//! stream:  connect ≤ connect │ head and first content ≤ first_token │ each read ≤ idle, all ≤ total
//! ```

mod client;
mod config;
mod decode;
mod head;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use custody_dialect::openai::{UpstreamCall, parse_chat_answer, render_chat_request};
use hyper::{Request, Response, body::Incoming, header::HeaderValue};
use tokio::time::{Instant, timeout_at};

pub use config::{BuildModelError, KeyReference, OpenAiConfig};

use crate::{
    ErrorKind, Model, ModelAnswer, ModelCall, ModelError, ModelStream, Provider, TimeoutPhase,
    body::{self, Deadlines},
    streaming,
};
use client::{Client, RequestBody};
use config::Settings;

/// A client for one server. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct OpenAiCompatible {
    client: Client,
    settings: Arc<Settings>,
}

#[async_trait]
impl Model for OpenAiCompatible {
    fn provider(&self) -> Provider {
        Provider::OpenAiCompatible
    }

    async fn call(&self, call: ModelCall) -> Result<ModelAnswer, ModelError> {
        let deadlines = Deadlines::start(&self.settings.timeouts);
        let response = self.send(&call, false, deadlines.total, TimeoutPhase::Total).await?;
        let facts = head::facts(&response);
        let body = body::read_whole(response.into_body(), &deadlines, self.settings.max_answer_bytes).await;
        let answer = body.and_then(|body| parse_chat_answer(&body).map_err(ModelError::of_upstream));
        let answer = answer.map_err(|error| error.with_facts(&facts))?;
        Ok(ModelAnswer { answer, facts })
    }

    async fn stream(&self, call: ModelCall) -> Result<ModelStream, ModelError> {
        let deadlines = Deadlines::start(&self.settings.timeouts);
        let response = self.send(&call, true, deadlines.first_token, TimeoutPhase::FirstToken).await?;
        let facts = head::facts(&response);
        let decoder = decode::Lines::new(self.settings.max_answer_bytes);
        Ok(streaming::stream(response.into_body(), decoder, facts, deadlines))
    }
}

impl OpenAiCompatible {
    /// Sends the request and waits for a head that promises an answer.
    async fn send(&self, call: &ModelCall, stream: bool, by: Instant, phase: TimeoutPhase) -> Result<Response<Incoming>, ModelError> {
        let request = self.request(call, stream)?;
        let sent = timeout_at(by, self.client.send(request)).await.map_err(|_| ModelError::new(ErrorKind::TimedOut(phase)))?;
        let response = sent.map_err(|error| ModelError::new(client::kind_of(&error)))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(head::refusal(response, by).await)
    }

    fn request(&self, call: &ModelCall, stream: bool) -> Result<Request<RequestBody>, ModelError> {
        let upstream = UpstreamCall {
            model: call.model.as_str(),
            end_user: call.end_user.as_deref(),
            stream,
            old_max_tokens: self.settings.old_max_tokens,
        };
        let body = render_chat_request(&call.request, &upstream);
        let mut request = Request::post(self.settings.uri.clone())
            .header("content-type", "application/json")
            .header("accept", if stream { "text/event-stream" } else { "application/json" })
            .header("user-agent", concat!("custody/", env!("CARGO_PKG_VERSION")));
        if let Ok(id) = HeaderValue::from_str(&call.request_id) {
            request = request.header("x-request-id", id);
        }
        if let Some(key) = &self.settings.authorization {
            request = request.header("authorization", key.clone());
        }
        request.body(RequestBody::from(body)).map_err(|_| ModelError::new(ErrorKind::Unsendable))
    }
}

impl fmt::Debug for OpenAiCompatible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAiCompatible").field("uri", &self.settings.uri).finish_non_exhaustive()
    }
}
