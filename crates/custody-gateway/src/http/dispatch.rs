//! Which path is what. There is no path to a model besides the flow (PATH-17).

use std::sync::Arc;

use hyper::{Method, Request, Response, StatusCode, body::Incoming, header};

use super::{Arrival, Reply, body::AnswerBody, reply::error_response, side};
use crate::{flow, gateway::Inner, refusal::Refusal};

const CHAT: &str = "/v1/chat/completions";
const MODELS: &str = "/v1/models";
const SIDE_PATHS: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

pub(super) async fn dispatch(gateway: Arc<Inner>, request: Request<Incoming>) -> Response<AnswerBody> {
    let known = matches!(request.uri().path(), CHAT | MODELS) || SIDE_PATHS.contains(&request.uri().path());
    match (request.method(), request.uri().path()) {
        (&Method::POST, CHAT) => governed(gateway, "chat", request).await,
        (&Method::GET, MODELS) => governed(gateway, "models", request).await,
        (&Method::GET, "/healthz") => side::text(StatusCode::OK, "text/plain", "ok\n"),
        (&Method::GET, "/readyz") => side::readiness(&gateway),
        (&Method::GET, "/metrics") => side::metrics(&gateway),
        (_, path) if known => wrong_method(&gateway, path),
        _ => turned_away(&gateway, &unknown_path()),
    }
}

/// The request runs in a task of its own: a caller who hangs up drops only the waiting for it. The permit counts it until its
/// outcome is durable, and shutting down waits for all permits.
async fn governed(gateway: Arc<Inner>, operation: &'static str, request: Request<Incoming>) -> Response<AnswerBody> {
    let Ok(permit) = Arc::clone(&gateway.in_flight).try_acquire_owned() else {
        return turned_away(&gateway, &Refusal::overloaded());
    };
    let (reply, answer) = Reply::new();
    let arrival = Arrival::new(operation, request);
    let running = Arc::clone(&gateway);
    tokio::spawn(async move {
        match operation {
            "models" => side::models(&running, arrival, reply).await,
            _ => flow::govern(&running, arrival, reply).await,
        }
        drop(permit);
    });
    // Nobody answered: the task ended by a defect that even the flow did not catch.
    answer.await.unwrap_or_else(|_| turned_away(&gateway, &Refusal::defect()))
}

/// An answer without a governed request: it is counted, and no event is written.
fn turned_away(gateway: &Inner, refusal: &Refusal) -> Response<AnswerBody> {
    gateway.metrics.turned_away(refusal.code);
    error_response(refusal)
}

fn unknown_path() -> Refusal {
    Refusal::invalid(404, "unknown_path", "this gateway serves POST /v1/chat/completions and GET /v1/models")
}

fn wrong_method(gateway: &Inner, path: &str) -> Response<AnswerBody> {
    let allowed = if path == CHAT { "POST" } else { "GET" };
    let mut response = turned_away(gateway, &Refusal::invalid(405, "wrong_method", format!("use {allowed} here")));
    response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static(allowed));
    response
}
