//! Any server that speaks the OpenAI chat form: OpenAI itself, vLLM, llama.cpp, a gateway before a gateway.
//!
//! ```text
//! plain:   connect ≤ connect │ head ≤ total                    │ body: each read ≤ idle, all ≤ total
//! stream:  connect ≤ connect │ head and first content ≤ first_token │ each read ≤ idle, all ≤ total
//! ```

mod client;
mod config;
mod decode;
mod exposition;
mod head;
pub mod headers;
mod probe;
mod tls;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use custody_dialect::openai::{UpstreamCall, parse_chat_answer, render_chat_request};
use hyper::{
    Request, Response,
    body::Incoming,
    header::{HeaderName, HeaderValue},
    http::request::Builder,
};
use tokio::time::{Instant, timeout_at};

pub use config::{BuildModelError, KeyReference, OpenAiConfig};
pub use probe::{Capacity, ModelList, ProbeError};

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
        let mut request = Request::post(self.settings.addresses.chat.clone())
            .header("content-type", "application/json")
            .header("accept", if stream { "text/event-stream" } else { "application/json" });
        if let Ok(id) = HeaderValue::from_str(&call.request_id) {
            request = request.header("x-request-id", id);
        }
        for (name, value) in call.labels.iter().flat_map(headers::labels) {
            request = request.header(name, value);
        }
        self.settings.stated(request).body(RequestBody::from(body)).map_err(|_| ModelError::new(ErrorKind::Unsendable))
    }
}

impl Settings {
    /// Adds what every request to this server carries.
    fn stated(&self, mut request: Builder) -> Builder {
        request = request.header("user-agent", concat!("custody/", env!("CARGO_PKG_VERSION")));
        let key = self.authorization.iter().map(|key| (HeaderName::from_static("authorization"), key.clone()));
        for (name, value) in key.chain(self.headers.iter().cloned()) {
            request = request.header(name, value);
        }
        request
    }
}

impl fmt::Debug for OpenAiCompatible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAiCompatible").field("uri", &self.settings.addresses.chat).finish_non_exhaustive()
    }
}
