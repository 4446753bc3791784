//! Which path is what.

use hyper::Method;

use crate::front::{Asked, Front};

const CHAT: &str = "/v1/chat/completions";
const MODELS: &str = "/v1/models";
const FEEDBACK: &str = "/v1/feedback";
const CONVERSE_ROOT: &str = "/model/";

/// What a path leads to.
#[derive(Debug)]
pub(super) enum Target {
    /// The governed flow.
    Invoke(Asked),
    /// The list of the caller's capabilities.
    List,
    /// What a user says of an answer.
    Feedback,
    Health,
    Readiness,
    Metrics,
    /// Nowhere; the caller is told in the form it seems to speak.
    Nowhere(Front),
}

impl Target {
    pub(super) fn of(path: &str) -> Self {
        match path {
            CHAT => Self::Invoke(Asked::OpenAi),
            MODELS => Self::List,
            FEEDBACK => Self::Feedback,
            "/healthz" => Self::Health,
            "/readyz" => Self::Readiness,
            "/metrics" => Self::Metrics,
            _ => match path.strip_prefix(CONVERSE_ROOT) {
                Some(rest) => converse(rest).map_or(Self::Nowhere(Front::Converse), Self::Invoke),
                None => Self::Nowhere(Front::OpenAi),
            },
        }
    }

    pub(super) const fn front(&self) -> Front {
        match self {
            Self::Invoke(asked) => asked.front(),
            Self::Nowhere(front) => *front,
            Self::List | Self::Feedback | Self::Health | Self::Readiness | Self::Metrics => Front::OpenAi,
        }
    }

    /// The one method that the path takes.
    pub(super) const fn method(&self) -> Option<Method> {
        match self {
            Self::Invoke(_) | Self::Feedback => Some(Method::POST),
            Self::List | Self::Health | Self::Readiness | Self::Metrics => Some(Method::GET),
            Self::Nowhere(_) => None,
        }
    }
}

/// `{modelId}/converse` or `{modelId}/converse-stream`. A slash inside the name must be encoded, as AWS clients do.
fn converse(rest: &str) -> Option<Asked> {
    let (model_id, operation) = rest.split_once('/')?;
    let stream = match operation {
        "converse" => false,
        "converse-stream" => true,
        _ => return None,
    };
    Some(Asked::Converse { model_id: model_id.to_owned(), stream })
}
