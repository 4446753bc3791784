//! What is not a governed request: health, readiness, metrics, and the list of capabilities a caller may use.

use bytes::Bytes;
use custody_dialect::openai::{ModelEntry, render_models};
use hyper::{Response, StatusCode, header};

use super::{AnswerHeaders, Arrival, Reply, body::AnswerBody};
use crate::{flow, gateway::Inner};

pub(super) fn text(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<AnswerBody> {
    let builder = Response::builder().status(status).header(header::CONTENT_TYPE, kind);
    builder.body(AnswerBody::Whole(Some(body.into()))).unwrap_or_else(|_| Response::new(AnswerBody::Whole(None)))
}

/// Ready means: a request that came now could be recorded.
pub(super) fn readiness(gateway: &Inner) -> Response<AnswerBody> {
    match gateway.why_not_ready() {
        None => text(StatusCode::OK, "text/plain", "ready\n"),
        Some(reason) => text(StatusCode::SERVICE_UNAVAILABLE, "text/plain", format!("not ready: {reason}\n")),
    }
}

pub(super) fn metrics(gateway: &Inner) -> Response<AnswerBody> {
    gateway.protection.refresh();
    let mut lines = gateway.metrics.render(&gateway.recorder.stats());
    if let Some(more) = &gateway.more_metrics {
        lines.extend(more().into_bytes());
    }
    text(StatusCode::OK, "text/plain; version=0.0.4", lines)
}

/// The capabilities that this caller may invoke, by the same policies that decide when it does.
pub(super) async fn models(gateway: &Inner, arrival: Arrival, mut reply: Reply) {
    let Some((request_id, key)) = flow::identify_only(gateway, arrival, &mut reply).await else { return };
    let workspace = &gateway.workspace;
    let allowed = workspace.capabilities.values().filter(|capability| gateway.verdicts.may_invoke(workspace, &key, capability).allowed);
    let entries: Vec<ModelEntry<'_>> = allowed
        .map(|capability| ModelEntry {
            id: capability.name.as_str(),
            created: gateway.started_at.micros() / 1_000_000,
            owned_by: &capability.owner,
        })
        .collect();
    reply.answer(&AnswerHeaders { request_id, ..AnswerHeaders::default() }, render_models(&entries).into());
}
