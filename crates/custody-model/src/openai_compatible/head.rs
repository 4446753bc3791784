//! What the head of a provider's response says.

use custody_dialect::openai::parse_error_body;
use custody_types::Text;
use http_body_util::{BodyExt, Limited};
use hyper::{HeaderMap, Response, body::Incoming};
use tokio::time::{Instant, timeout_at};

use crate::{AnswerFacts, ErrorKind, ModelError, response_head};

/// An error body is a few hundred bytes; more is not worth reading.
const MAX_ERROR_BODY: usize = 64 << 10;
const REQUEST_ID_HEADERS: [&str; 4] = ["x-request-id", "request-id", "x-amzn-requestid", "apim-request-id"];

pub(super) fn facts(response: &Response<Incoming>) -> AnswerFacts {
    AnswerFacts { http_status: response.status().as_u16(), provider_request_id: request_id(response.headers()) }
}

/// Reads the body of an error, so that its code is known and the connection can be used again.
pub(super) async fn refusal(response: Response<Incoming>, by: Instant) -> ModelError {
    let facts = facts(&response);
    let retry_after = response_head::retry_after(|name| response.headers().get(name)?.to_str().ok());
    let body = timeout_at(by, Limited::new(response.into_body(), MAX_ERROR_BODY).collect()).await;
    let body = body.ok().and_then(Result::ok).map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let kind = ErrorKind::Refused { status: facts.http_status };
    let error = ModelError { retry_after, provider_error: parse_error_body(&body), ..ModelError::new(kind) };
    error.with_facts(&facts)
}

fn request_id(headers: &HeaderMap) -> Option<Text> {
    let found = REQUEST_ID_HEADERS.iter().find_map(|name| headers.get(*name))?;
    response_head::label(found.to_str().ok()?)
}
