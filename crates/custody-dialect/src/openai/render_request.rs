//! A neutral request as the body for an OpenAI-compatible provider.

use serde::{Serialize, Serializer, ser::SerializeSeq};
use serde_json::value::RawValue;

use crate::{ChatRequest, Content, Message, Part, SensitiveJson};

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
        messages: Messages(&request.messages),
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
        user: call.end_user,
        stream: call.stream.then_some(true),
        stream_options: call.stream.then_some(StreamOptions { include_usage: true }),
    };
    super::render_answer::to_bytes(&body, request.content_bytes() + 512)
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Messages<'a>,
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

struct Messages<'a>(&'a [Message]);

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

struct WireContent<'a>(&'a Content);

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum WirePart<'a> {
    Text { text: &'a str },
    Refusal { refusal: &'a str },
    ImageUrl { image_url: &'a RawValue },
}

impl Serialize for Messages<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for message in self.0 {
            list.serialize_element(&WireMessage {
                role: message.role.as_str(),
                content: WireContent(&message.content),
                name: message.name.as_ref().map(|text| text.expose()),
                refusal: message.refusal.as_ref().map(|text| text.expose()),
                tool_calls: message.tool_calls.as_ref().map(SensitiveJson::raw),
                tool_call_id: message.tool_call_id.as_ref().map(|text| text.expose()),
            })?;
        }
        list.end()
    }
}

impl Serialize for WireContent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Content::None => serializer.serialize_none(),
            Content::Text(text) => serializer.serialize_str(text.expose()),
            Content::Parts(parts) => serializer.collect_seq(parts.iter().map(WirePart::from)),
        }
    }
}

impl<'a> From<&'a Part> for WirePart<'a> {
    fn from(part: &'a Part) -> Self {
        match part {
            Part::Text(text) => Self::Text { text: text.expose() },
            Part::Refusal(refusal) => Self::Refusal { refusal: refusal.expose() },
            Part::Image(image) => Self::ImageUrl { image_url: image.raw() },
        }
    }
}
