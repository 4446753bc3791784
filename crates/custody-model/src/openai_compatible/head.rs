//! What the head of a provider's response says.

use std::time::Duration;

use custody_dialect::openai::parse_error_body;
use custody_types::{ModelName, Text};
use http_body_util::{BodyExt, Limited};
use hyper::{HeaderMap, Response, body::Incoming};
use tokio::time::{Instant, timeout_at};

use crate::{AnswerFacts, ErrorKind, ModelError};

/// An error body is a few hundred bytes; more is not worth reading.
const MAX_ERROR_BODY: usize = 64 << 10;
/// Longer advice is no advice for one request.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3_600);
const REQUEST_ID_HEADERS: [&str; 4] = ["x-request-id", "request-id", "x-amzn-requestid", "apim-request-id"];

pub(super) fn facts(response: &Response<Incoming>) -> AnswerFacts {
    AnswerFacts { http_status: response.status().as_u16(), provider_request_id: request_id(response.headers()) }
}

pub(super) fn with_facts(error: ModelError, facts: &AnswerFacts) -> ModelError {
    ModelError { http_status: Some(facts.http_status), provider_request_id: facts.provider_request_id.clone(), ..error }
}

/// Reads the body of an error, so that its code is known and the connection can be used again.
pub(super) async fn refusal(response: Response<Incoming>, by: Instant) -> ModelError {
    let facts = facts(&response);
    let retry_after = retry_after(response.headers());
    let body = timeout_at(by, Limited::new(response.into_body(), MAX_ERROR_BODY).collect()).await;
    let body = body.ok().and_then(Result::ok).map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let kind = ErrorKind::Refused { status: facts.http_status };
    let error = ModelError { retry_after, provider_error: parse_error_body(&body), ..ModelError::new(kind) };
    with_facts(error, &facts)
}

/// `retry-after-ms`, else `retry-after` in seconds; its date form would need a clock and no provider sends it.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let seconds = number("retry-after-ms").map(|milliseconds| milliseconds / 1_000.0).or_else(|| number("retry-after"))?;
    Duration::try_from_secs_f64(seconds).ok().map(|wait| wait.min(MAX_RETRY_AFTER))
}

fn request_id(headers: &HeaderMap) -> Option<Text> {
    let found = REQUEST_ID_HEADERS.iter().find_map(|name| headers.get(*name))?;
    found.to_str().ok()?.parse::<ModelName>().ok().map(|label| label.text())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        [(hyper::header::HeaderName::from_static(name), value.parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn retry_advice_is_read_and_bounded() {
        assert_eq!(retry_after(&headers("retry-after", "2")), Some(Duration::from_secs(2)));
        assert_eq!(retry_after(&headers("retry-after-ms", "250")), Some(Duration::from_millis(250)));
        assert_eq!(retry_after(&headers("retry-after", "1e300")), None);
        assert_eq!(retry_after(&headers("retry-after", "-1")), None);
        assert_eq!(retry_after(&headers("retry-after", "99999")), Some(MAX_RETRY_AFTER));
        assert_eq!(retry_after(&headers("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")), None);
    }

    #[test]
    fn a_request_id_is_kept_only_as_a_label() {
        assert_eq!(request_id(&headers("x-request-id", "req_12-ab")).as_deref(), Some("req_12-ab"));
        assert_eq!(request_id(&headers("x-request-id", "the card is 4111")), None);
    }
}
