//! A whole answer for a Converse caller.

use std::borrow::Cow;

use serde::Serialize;

use super::{
    check::shown_tool_use_id,
    render_block::{WireBlock, WireReasoning, WireToolUse, input_of},
    usage::WireUsage,
};
use crate::{ChatAnswer, ToolCall};

/// Writes the body: reasoning, then text, then tool calls. `latency_ms` is how long the caller's call took. Without a finish reason
/// the model is taken to have come to its end. A guardrail's trace is never passed on: it quotes what it found.
#[must_use]
pub fn render_answer(answer: &ChatAnswer, latency_ms: u64) -> Vec<u8> {
    let reasoning = answer.reasoning.iter().map(|block| WireBlock::ReasoningContent(WireReasoning::from(block)));
    let texts = [&answer.text, &answer.refusal].into_iter().flatten().filter(|text| !text.is_empty());
    let texts = texts.map(|text| WireBlock::Text(Cow::Borrowed(text.expose())));
    let calls = (0..).zip(&answer.tool_calls).map(tool_use);
    let content = reasoning.chain(texts).chain(calls).collect();
    let body = Body {
        output: Output { message: Message { role: "assistant", content } },
        stop_reason: answer.finish.map_or("end_turn", crate::FinishReason::stop_reason),
        usage: WireUsage::of(answer),
        metrics: Metrics { latency_ms },
    };
    let mut bytes = Vec::with_capacity(answer.output_bytes() + 512);
    // Our own types can't fail to serialise into memory; should one ever, the body is empty and not half.
    if serde_json::to_writer(&mut bytes, &body).is_err() {
        bytes.clear();
    }
    bytes
}

/// Arguments that are no JSON are kept as a JSON text, so that nothing the model said is lost.
fn tool_use((at, call): (u32, &ToolCall)) -> WireBlock<'_> {
    let arguments = call.arguments.expose();
    let input = input_of(arguments).or_else(|| serde_json::value::to_raw_value(arguments).ok());
    let id = shown_tool_use_id(call.id.expose(), at);
    WireBlock::ToolUse(WireToolUse::new(id, call, input.unwrap_or_default()))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    output: Output<'a>,
    stop_reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<WireUsage>,
    metrics: Metrics,
}

#[derive(Serialize)]
struct Output<'a> {
    message: Message<'a>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Vec<WireBlock<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metrics {
    latency_ms: u64,
}
