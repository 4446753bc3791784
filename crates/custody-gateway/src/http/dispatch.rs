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
        (_, path) if known => wrong_method(path),
        _ => error_response(&Refusal::invalid(404, "unknown_path", "this gateway serves POST /v1/chat/completions and GET /v1/models")),
    }
}

/// The request runs in a task of its own: a caller who hangs up drops only the waiting for it. The permit counts it until its
/// outcome is durable, and shutting down waits for all permits.
async fn governed(gateway: Arc<Inner>, operation: &'static str, request: Request<Incoming>) -> Response<AnswerBody> {
    let Ok(permit) = Arc::clone(&gateway.in_flight).try_acquire_owned() else {
        gateway.metrics.overloaded();
        return error_response(&Refusal::overloaded());
    };
    let (reply, answer) = Reply::new();
    let arrival = Arrival::new(operation, request);
    tokio::spawn(async move {
        match operation {
            "models" => side::models(&gateway, arrival, reply).await,
            _ => flow::govern(&gateway, arrival, reply).await,
        }
        drop(permit);
    });
    answer.await.unwrap_or_else(|_| error_response(&Refusal::defect()))
}

fn wrong_method(path: &str) -> Response<AnswerBody> {
    let allowed = if path == CHAT { "POST" } else { "GET" };
    let mut response = error_response(&Refusal::invalid(405, "wrong_method", format!("use {allowed} here")));
    response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static(allowed));
    response
}
