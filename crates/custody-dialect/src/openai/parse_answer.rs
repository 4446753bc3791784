//! A provider's whole answer, and its error bodies.

use custody_types::SensitiveText;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{ChatAnswer, FinishReason, ProviderError, RawUsage, ToolCall, UpstreamError, labels::label};

/// Reads a `chat.completion`. Fields that this version does not know are passed over: a provider may add some at any time.
///
/// # Errors
/// [`UpstreamError::Garbage`] where it is not one, [`UpstreamError::NoChoice`] where it has no answer in it, and
/// [`UpstreamError::InStream`] where it is an error under a status of success.
pub fn parse_chat_answer(body: &[u8]) -> Result<ChatAnswer, UpstreamError> {
    let wire: WireAnswer<'_> = serde_json::from_slice(body).map_err(|_| UpstreamError::Garbage)?;
    if let Some(error) = wire.error.filter(|error| is_truthy(error)) {
        return Err(UpstreamError::InStream(provider_error(error)));
    }
    let choice = wire.choices.unwrap_or_default().into_iter().find(|choice| choice.index == 0).ok_or(UpstreamError::NoChoice)?;
    let message = choice.message.ok_or(UpstreamError::NoChoice)?;
    Ok(ChatAnswer {
        upstream_id: label(wire.id.as_deref()),
        model_used: label(wire.model.as_deref()),
        text: message.content,
        refusal: message.refusal,
        tool_calls: message.tool_calls.unwrap_or_default().into_iter().map(ToolCall::from).collect(),
        finish: choice.finish_reason.as_deref().map(FinishReason::from_wire),
        usage: wire.usage.and_then(RawUsage::from_json),
        ..ChatAnswer::default()
    })
}

/// Reads what a provider says about a failure; an unreadable body says nothing.
#[must_use]
pub fn parse_error_body(body: &[u8]) -> ProviderError {
    let wire: Option<WireError<'_>> = serde_json::from_slice(body).ok();
    wire.and_then(|wire| wire.error).map(provider_error).unwrap_or_default()
}

pub(super) fn is_truthy(error: &RawValue) -> bool {
    !matches!(error.get(), "null" | "false" | "0" | "\"\"" | "{}" | "[]")
}

pub(super) fn provider_error(error: &RawValue) -> ProviderError {
    let detail: ErrorDetail<'_> = serde_json::from_str(error.get()).unwrap_or_default();
    ProviderError { kind: word(detail.kind), code: word(detail.code) }
}

/// A code may be a text or a number.
fn word(value: Option<&RawValue>) -> Option<custody_types::Text> {
    label(Some(value?.get().trim_matches('"'))).filter(|word| word.as_ref() != "null")
}

#[derive(Deserialize)]
struct WireError<'a> {
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
struct ErrorDetail<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow, default)]
    code: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireAnswer<'a> {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    choices: Option<Vec<WireChoice>>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireChoice {
    #[serde(default)]
    index: u32,
    message: Option<WireMessage>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct WireMessage {
    #[serde(default)]
    content: Option<SensitiveText>,
    #[serde(default)]
    refusal: Option<SensitiveText>,
    #[serde(default)]
    tool_calls: Option<Vec<WireToolCall>>,
}

#[derive(Deserialize)]
struct WireToolCall {
    #[serde(default)]
    id: Option<SensitiveText>,
    function: WireFunction,
}

#[derive(Deserialize)]
struct WireFunction {
    name: SensitiveText,
    #[serde(default)]
    arguments: Option<SensitiveText>,
}

impl From<WireToolCall> for ToolCall {
    fn from(call: WireToolCall) -> Self {
        let WireFunction { name, arguments } = call.function;
        Self { id: call.id.unwrap_or_default(), name, arguments: arguments.unwrap_or_default() }
    }
}
