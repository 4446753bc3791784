//! How a server is: which models it lists, and how busy it says it is (PAT-04). Asked beside the calls, never for one of them.

use std::time::Duration;

use custody_types::{Fault, FaultOwner, Retry};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::{Request, Uri, body::Bytes};
use serde::Deserialize;
use tokio::time::timeout;

use super::{OpenAiCompatible, client::RequestBody, exposition};

/// Neither a list of models nor a page of figures comes near this.
const MAX_BODY: usize = 1 << 20;

/// The models that a server serves, by their own names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModelList(Vec<String>);

/// How busy a server is, as far as it says so.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Capacity {
    /// Requests that are being answered.
    pub running: Option<f64>,
    /// Requests that wait for a place.
    pub waiting: Option<f64>,
    /// Share of the key-value cache in use, from 0 to 1; of the fullest, where there are several.
    pub cache_usage: Option<f64>,
}

/// A server did not say how it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum ProbeError {
    /// No connection, or one that broke.
    #[error("the server can't be reached")]
    Unreachable,
    /// No whole answer in time.
    #[error("the server did not answer in time")]
    TimedOut,
    /// An answer with another status than success.
    #[error("the server refused with status {0}")]
    Refused(u16),
    /// More than an answer may have.
    #[error("the server's answer is too large")]
    TooLarge,
    /// Not what was asked for.
    #[error("the server's answer can't be read")]
    Garbage,
}

#[derive(Deserialize)]
struct Listed {
    /// Some servers write `null` for none.
    data: Option<Vec<ListedModel>>,
}

#[derive(Deserialize)]
struct ListedModel {
    id: String,
}

impl OpenAiCompatible {
    /// Asks `GET {base_url}/models`.
    ///
    /// # Errors
    /// What kept the list from being known.
    pub async fn list_models(&self, within: Duration) -> Result<ModelList, ProbeError> {
        let body = self.ask(&self.settings.addresses.models, "application/json", within).await?;
        let listed: Listed = serde_json::from_slice(&body).map_err(|_| ProbeError::Garbage)?;
        Ok(ModelList(listed.data.unwrap_or_default().into_iter().map(|model| model.id).collect()))
    }

    /// Asks `GET /metrics` at the root of the server, as vLLM answers it.
    ///
    /// # Errors
    /// What kept the figures from being known.
    pub async fn capacity(&self, within: Duration) -> Result<Capacity, ProbeError> {
        let body = self.ask(&self.settings.addresses.metrics, "text/plain", within).await?;
        let text = std::str::from_utf8(&body).map_err(|_| ProbeError::Garbage)?;
        let capacity = exposition::capacity(text);
        if capacity == Capacity::default() { Err(ProbeError::Garbage) } else { Ok(capacity) }
    }

    async fn ask(&self, uri: &Uri, accept: &'static str, within: Duration) -> Result<Bytes, ProbeError> {
        let request = self.settings.stated(Request::get(uri.clone()).header("accept", accept));
        let request = request.body(RequestBody::default()).map_err(|_| ProbeError::Unreachable)?;
        timeout(within, self.exchange(request)).await.unwrap_or(Err(ProbeError::TimedOut))
    }

    async fn exchange(&self, request: Request<RequestBody>) -> Result<Bytes, ProbeError> {
        let response = self.client.send(request).await.map_err(|_| ProbeError::Unreachable)?;
        if !response.status().is_success() {
            return Err(ProbeError::Refused(response.status().as_u16()));
        }
        let body = Limited::new(response.into_body(), MAX_BODY).collect().await;
        let of_body = |error: Box<dyn std::error::Error + Send + Sync>| {
            if error.is::<LengthLimitError>() { ProbeError::TooLarge } else { ProbeError::Unreachable }
        };
        Ok(body.map_err(of_body)?.to_bytes())
    }
}

impl ModelList {
    /// Whether a model of this name would be served. A server that tags its models, as Ollama does, takes a name without a tag
    /// for the latest.
    #[must_use]
    pub fn serves(&self, model: &str) -> bool {
        self.0.iter().any(|listed| listed == model || listed.strip_suffix(":latest") == Some(model))
    }
}

impl ProbeError {
    /// The reason, for a figure's label.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Refused(_) => "refused",
            Self::TooLarge => "too_large",
            Self::Garbage => "garbage",
        }
    }

    /// Whether no working server is there: nothing answers, or only an error of the server's own. A server that answers something
    /// else may well serve calls.
    #[must_use]
    pub const fn is_down(&self) -> bool {
        match self {
            Self::Unreachable | Self::TimedOut => true,
            Self::Refused(status) => *status >= 500,
            Self::TooLarge | Self::Garbage => false,
        }
    }
}

impl Fault for ProbeError {
    fn owner(&self) -> FaultOwner {
        FaultOwner::Upstream
    }

    fn retry(&self) -> Retry {
        Retry::After(Duration::ZERO)
    }

    fn code(&self) -> &'static str {
        self.reason()
    }
}
