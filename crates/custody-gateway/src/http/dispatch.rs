//! A request's first steps: where its path leads, whether there is room for it, and a task of its own. There is no path to a model
//! besides the flow (PATH-17).

use std::sync::Arc;

use hyper::{Method, Request, Response, StatusCode, body::Incoming, header};

use super::{Arrival, Reply, body::AnswerBody, reply::error_response, side, target::Target};
use crate::{
    flow,
    front::{Asked, Front},
    gateway::Inner,
    refusal::Refusal,
};

pub(super) async fn dispatch(gateway: Arc<Inner>, request: Request<Incoming>) -> Response<AnswerBody> {
    let target = Target::of(request.uri().path());
    let front = target.front();
    if let Some(method) = target.method().filter(|method| method != request.method()) {
        return wrong_method(&gateway, front, &method);
    }
    match target {
        Target::Invoke(asked) => invoke(gateway, asked, request).await,
        Target::List => list(gateway, request).await,
        Target::Feedback => feedback(gateway, request).await,
        Target::Health => side::text(StatusCode::OK, "text/plain", "ok\n"),
        Target::Readiness => side::readiness(&gateway),
        Target::Metrics => side::metrics(&gateway),
        Target::Nowhere(front) => turned_away(&gateway, front, &unknown_path(front)),
    }
}

async fn invoke(gateway: Arc<Inner>, asked: Asked, request: Request<Incoming>) -> Response<AnswerBody> {
    let arrival = Arrival::new("chat", asked, request);
    in_its_own_task(gateway, arrival, |gateway, arrival, reply| async move { flow::govern(&gateway, arrival, reply).await }).await
}

async fn list(gateway: Arc<Inner>, request: Request<Incoming>) -> Response<AnswerBody> {
    let arrival = Arrival::new("models", Asked::OpenAi, request);
    in_its_own_task(gateway, arrival, |gateway, arrival, reply| async move { side::models(&gateway, arrival, reply).await }).await
}

async fn feedback(gateway: Arc<Inner>, request: Request<Incoming>) -> Response<AnswerBody> {
    let arrival = Arrival::new("feedback", Asked::OpenAi, request);
    in_its_own_task(gateway, arrival, |gateway, arrival, reply| async move { flow::feedback(&gateway, arrival, reply).await }).await
}

/// The request runs in a task of its own: a caller who hangs up drops only the waiting for it. The permit counts it until its
/// outcome is durable, and shutting down waits for all permits.
async fn in_its_own_task<F>(
    gateway: Arc<Inner>,
    arrival: Arrival,
    run: impl FnOnce(Arc<Inner>, Arrival, Reply) -> F,
) -> Response<AnswerBody>
where
    F: Future<Output = ()> + Send + 'static,
{
    let front = arrival.wire.front;
    let Ok(permit) = Arc::clone(&gateway.in_flight).try_acquire_owned() else {
        return turned_away(&gateway, front, &Refusal::overloaded());
    };
    let (reply, answer) = Reply::new(front);
    let running = run(Arc::clone(&gateway), arrival, reply);
    tokio::spawn(async move {
        running.await;
        drop(permit);
    });
    // Nobody answered: the task ended by a defect that even the flow did not catch.
    answer.await.unwrap_or_else(|_| turned_away(&gateway, front, &Refusal::defect()))
}

/// An answer without a governed request: it is counted, and no event is written.
fn turned_away(gateway: &Inner, front: Front, refusal: &Refusal) -> Response<AnswerBody> {
    gateway.metrics.turned_away(refusal.code);
    error_response(front, refusal)
}

fn unknown_path(front: Front) -> Refusal {
    let message = match front {
        Front::OpenAi => "this gateway serves POST /v1/chat/completions, GET /v1/models and POST /v1/feedback",
        Front::Converse => "of Bedrock's operations this gateway serves Converse and ConverseStream",
    };
    Refusal::invalid(404, "unknown_path", message)
}

fn wrong_method(gateway: &Inner, front: Front, allowed: &Method) -> Response<AnswerBody> {
    let mut response = turned_away(gateway, front, &Refusal::invalid(405, "wrong_method", format!("use {allowed} here")));
    if let Ok(allowed) = header::HeaderValue::from_str(allowed.as_str()) {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}
