//! The events of a Converse stream, as the service model has them.

use serde::Serialize;

use super::{render_block::WireToolUseStart, usage::WireUsage};

#[derive(Serialize)]
pub(super) struct MessageStart {
    pub(super) role: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BlockStart<'a> {
    pub(super) start: Start<'a>,
    pub(super) content_block_index: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Start<'a> {
    ToolUse(WireToolUseStart<'a>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BlockDelta<'a> {
    pub(super) delta: WireDelta<'a>,
    pub(super) content_block_index: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum WireDelta<'a> {
    Text(&'a str),
    ToolUse { input: &'a str },
    ReasoningContent(WireReasoning<'a>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum WireReasoning<'a> {
    Text(&'a str),
    RedactedContent(&'a str),
    Signature(&'a str),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BlockStop {
    pub(super) content_block_index: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MessageStop {
    pub(super) stop_reason: &'static str,
}

#[derive(Serialize)]
pub(super) struct Metadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usage: Option<WireUsage>,
    pub(super) metrics: Metrics,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metrics {
    pub(super) latency_ms: u64,
}
