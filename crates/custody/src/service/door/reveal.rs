//! `/v1/reveal`: kept text over HTTP, and the agreement of a second person; the same desk that `custody reveal` asks.
//!
//! | | Body | Answers |
//! | --- | --- | --- |
//! | `POST /v1/reveal` | `request_id`, `reason`; `part`, `redacted`, `approval_id` | 200 texts; 202 waits for a second person |
//! | `POST /v1/reveal/approve`, `/withdraw` | `approval_id` | 200 |
//! | `GET /v1/reveal/pending` | | 200 |
//!
//! Every refusal is `{"error": {"code", "message"}}`; the caller's key stands in `authorization: Bearer …`.

use custody_keeper::reveal::{ApproveAnswer, Asker, Form, PortError, Reveal, RevealDesk};
use custody_types::{FaultOwner, RequestId, SensitiveText};
use http_body_util::{BodyExt, Limited};
use hyper::{Method, Request, Response, StatusCode, body::Incoming, header};
use serde::Deserialize;

use super::{Body, text};
use crate::reveal::{Identified, RevealCounter, Shown, parse_part};

/// A reason and four ids take a few kilobytes at most.
const MAX_BODY: usize = 16 << 10;

/// What is asked.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Asked {
    request_id: Option<String>,
    reason: Option<SensitiveText>,
    part: Option<String>,
    redacted: bool,
    approval_id: Option<String>,
}

/// Which of the four.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Reveal,
    Approve,
    Withdraw,
    Pending,
}

/// Answers, where the path is one of these.
pub async fn answer(request: Request<Incoming>, counter: &RevealCounter) -> Response<Body> {
    let Some(action) = action(request.method(), request.uri().path()) else {
        return refusal(StatusCode::NOT_FOUND, "not_found", "nothing here; try POST /v1/reveal");
    };
    let key = bearer(&request);
    let body = Limited::new(request.into_body(), MAX_BODY).collect().await;
    let Ok(body) = body else {
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, "reveal_body_too_long", "the body is too long or did not arrive");
    };
    let body = body.to_bytes();
    let asked = if action == Action::Pending { Ok(Asked::default()) } else { serde_json::from_slice(&body) };
    let Ok(asked) = asked else {
        return refusal(StatusCode::BAD_REQUEST, "reveal_body_invalid", "the body is not the JSON object that this page takes");
    };
    let key = key.unwrap_or_default();
    match attend(counter, action, &asked, &key).await {
        Ok(shown) => shown_as(&shown),
        Err(Failed::Asked(message)) => refusal(StatusCode::BAD_REQUEST, "reveal_body_invalid", message),
        Err(Failed::Port(error)) => {
            tracing::warn!(code = error.code, "a reveal failed");
            refusal(status_of_failure(&error), error.code, &error.message)
        }
        Err(Failed::Desk(error)) => {
            tracing::warn!(error = format!("{error:#}"), "lake or vault cannot be used for a reveal");
            refusal(StatusCode::SERVICE_UNAVAILABLE, "reveal_unavailable", "lake or vault cannot be used at the moment")
        }
    }
}

enum Failed {
    Asked(&'static str),
    Port(PortError),
    Desk(anyhow::Error),
}

impl From<PortError> for Failed {
    fn from(error: PortError) -> Self {
        Self::Port(error)
    }
}

async fn attend(counter: &RevealCounter, action: Action, asked: &Asked, key: &SensitiveText) -> Result<Shown, Failed> {
    let request = asked.request_id.as_deref().map(str::parse::<RequestId>).transpose();
    let request = request.map_err(|_| Failed::Asked("`request_id` is not the id of a request"))?;
    let name = match action {
        Action::Reveal if asked.redacted => "reveal_redacted",
        Action::Reveal => "reveal",
        Action::Approve => "approve",
        Action::Withdraw => "withdraw",
        Action::Pending => "pending",
    };
    let asker = match counter.identify(key, name, request).await? {
        Identified::Known(asker) => asker,
        Identified::Unknown => return Ok(Shown::unidentified()),
    };
    let desk = counter.desk(name, &asker, request).await.map_err(Failed::Desk)?;
    let approval = asked.approval_id.as_deref();
    Ok(match action {
        Action::Pending => Shown::pending(desk.pending(&asker).await?),
        Action::Approve => ended(desk.approve(&asker, approval.unwrap_or_default()).await?, "approved"),
        Action::Withdraw => ended(desk.withdraw(&asker, approval.unwrap_or_default()).await?, "withdrawn"),
        Action::Reveal => {
            let request = request.ok_or(Failed::Asked("`request_id` is missing"))?;
            reveal(desk, &asker, request, asked).await?
        }
    })
}

async fn reveal(desk: &RevealDesk, asker: &Asker, request: RequestId, asked: &Asked) -> Result<Shown, Failed> {
    let part = asked.part.as_deref().map(parse_part).transpose();
    let part = part.map_err(|_| Failed::Asked("`part` is not one of prompt, response, tool_arguments, retrieved_text, feedback"))?;
    let form = if asked.redacted { Form::Redacted } else { Form::Full };
    let reason = asked.reason.clone().unwrap_or_default();
    let reveal = Reveal { request, part, form, reason, approval: asked.approval_id.clone() };
    Ok(Shown::answer(desk.reveal(asker, &reveal).await?))
}

fn ended(answer: ApproveAnswer, done: &'static str) -> Shown {
    match answer {
        ApproveAnswer::Done => Shown::done(done),
        ApproveAnswer::Denied(denial) => Shown::denied(denial),
    }
}

fn action(method: &Method, path: &str) -> Option<Action> {
    match (method, path) {
        (&Method::POST, "/v1/reveal") => Some(Action::Reveal),
        (&Method::POST, "/v1/reveal/approve") => Some(Action::Approve),
        (&Method::POST, "/v1/reveal/withdraw") => Some(Action::Withdraw),
        (&Method::GET, "/v1/reveal/pending") => Some(Action::Pending),
        _ => None,
    }
}

fn bearer(request: &Request<Incoming>) -> Option<SensitiveText> {
    let mut values = request.headers().get_all(header::AUTHORIZATION).iter();
    let value = values.next().filter(|_| values.next().is_none())?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| SensitiveText::new(token.trim()))
}

fn shown_as(shown: &Shown) -> Response<Body> {
    let status = match shown {
        Shown::Texts(..) | Shown::Waiting(_) | Shown::Done(_) => StatusCode::OK,
        Shown::Waits(_) => StatusCode::ACCEPTED,
        Shown::No(code, _) => status_of_denial(code),
    };
    let mut response = text(status, "application/json", format!("{}\n", shown.json()));
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}

fn status_of_denial(code: &str) -> StatusCode {
    match code {
        "invalid_api_key" => StatusCode::UNAUTHORIZED,
        "reveal_reason_missing" | "reveal_reason_too_long" => StatusCode::BAD_REQUEST,
        "reveal_nothing_here" | "reveal_approval_unknown" => StatusCode::NOT_FOUND,
        "reveal_rate_exceeded" => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::FORBIDDEN,
    }
}

fn status_of_failure(error: &PortError) -> StatusCode {
    match error.owner {
        FaultOwner::Caller => StatusCode::BAD_REQUEST,
        FaultOwner::Operator | FaultOwner::Upstream => StatusCode::SERVICE_UNAVAILABLE,
        FaultOwner::Product => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    let body = serde_json::json!({ "error": { "code": code, "message": message } });
    text(status, "application/json", format!("{body}\n"))
}

#[cfg(test)]
mod tests;
