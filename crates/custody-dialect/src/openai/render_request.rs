//! A neutral request as the body for an OpenAI-compatible provider.

use serde::Serialize;
use serde_json::value::RawValue;

use super::render_content::WireContent;
use crate::{ChatRequest, Message, SensitiveJson, ServiceTier};

/// What the gateway decides about one call.
#[derive(Debug, Clone, Copy)]
pub struct UpstreamCall<'a> {
    /// The model, as the provider names it.
    pub model: &'a str,
    /// A pseudonym of the person behind the request, for the provider's abuse checks; the caller's own word is never passed on.
    pub end_user: Option<&'a str>,
    /// Whether the answer is to be streamed, whatever the caller asked for.
    pub stream: bool,
    /// Sends the output limit as `max_tokens`, which older servers expect, instead of `max_completion_tokens`.
    pub old_max_tokens: bool,
}

/// Writes the provider's body. A streamed call always asks for usage, whether the caller did or not: cost is exact (D11).
#[must_use]
pub fn render_chat_request(request: &ChatRequest, call: &UpstreamCall<'_>) -> Vec<u8> {
    let options = &request.options;
    let limit = options.max_output_tokens;
    let body = Body {
        model: call.model,
        messages: request.messages.iter().enumerate().map(WireMessage::new).collect(),
        max_tokens: limit.filter(|_| call.old_max_tokens),
        max_completion_tokens: limit.filter(|_| !call.old_max_tokens),
        temperature: options.temperature,
        top_p: options.top_p,
        presence_penalty: options.presence_penalty,
        frequency_penalty: options.frequency_penalty,
        seed: options.seed,
        stop: options.stop.iter().map(|text| text.expose()).collect(),
        reasoning_effort: options.reasoning_effort,
        tools: options.tools.as_ref().map(SensitiveJson::raw),
        tool_choice: options.tool_choice.as_ref().map(SensitiveJson::raw),
        parallel_tool_calls: options.parallel_tool_calls,
        response_format: options.response_format.as_ref().map(SensitiveJson::raw),
        service_tier: options.service_tier.and_then(tier_word),
        user: call.end_user,
        stream: call.stream.then_some(true),
        stream_options: call.stream.then_some(StreamOptions { include_usage: true }),
    };
    super::render_answer::to_bytes(&body, request.content_bytes() + 512)
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Vec<WireMessage<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presence_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frequency_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Serialize)]
struct WireMessage<'a> {
    role: &'static str,
    content: WireContent<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
}

impl<'a> WireMessage<'a> {
    fn new((at, message): (usize, &'a Message)) -> Self {
        Self {
            role: message.role.as_str(),
            content: WireContent::of(message, at),
            name: message.name.as_ref().map(|text| text.expose()),
            refusal: message.refusal.as_ref().map(|text| text.expose()),
            tool_calls: message.tool_calls.as_ref().map(SensitiveJson::raw),
            tool_call_id: message.tool_call_id.as_ref().map(|text| text.expose()),
        }
    }
}

/// Capacity bought before has no name here; it is the provider's own matter.
const fn tier_word(tier: ServiceTier) -> Option<&'static str> {
    match tier {
        ServiceTier::Priority | ServiceTier::Default | ServiceTier::Flex => Some(tier.as_str()),
        ServiceTier::Reserved => None,
    }
}
