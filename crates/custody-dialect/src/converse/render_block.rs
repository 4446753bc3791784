//! Content blocks as both requests and answers have them.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::{Reasoning, ToolCall};

/// A content block.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum WireBlock<'a> {
    Text(Cow<'a, str>),
    Json(&'a RawValue),
    Image(WireImage<'a>),
    Document(WireDocument<'a>),
    ToolUse(WireToolUse<'a>),
    ToolResult(WireToolResult<'a>),
    CachePoint(WireCachePoint),
    ReasoningContent(WireReasoning<'a>),
}

#[derive(Serialize)]
pub(super) struct WireImage<'a> {
    pub(super) format: &'static str,
    pub(super) source: WireSource<'a>,
}

#[derive(Serialize)]
pub(super) struct WireDocument<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<&'static str>,
    pub(super) name: String,
    pub(super) source: WireSource<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) context: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum WireSource<'a> {
    Bytes(Cow<'a, str>),
    Text(&'a str),
    Content(Vec<WireBlock<'a>>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireToolUse<'a> {
    #[serde(flatten)]
    pub(super) start: WireToolUseStart<'a>,
    pub(super) input: Box<RawValue>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireToolUseStart<'a> {
    pub(super) tool_use_id: Cow<'a, str>,
    pub(super) name: Cow<'a, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireToolResult<'a> {
    pub(super) tool_use_id: Cow<'a, str>,
    pub(super) content: Vec<WireBlock<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<&'static str>,
}

#[derive(Serialize)]
pub(super) struct WireCachePoint {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ttl: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum WireReasoning<'a> {
    ReasoningText {
        text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        signature: Option<&'a str>,
    },
    RedactedContent(&'a str),
}

impl From<crate::CachePoint> for WireCachePoint {
    fn from(point: crate::CachePoint) -> Self {
        Self { kind: "default", ttl: point.lifetime.map(crate::CacheLifetime::as_str) }
    }
}

impl<'a> From<&'a Reasoning> for WireReasoning<'a> {
    fn from(reasoning: &'a Reasoning) -> Self {
        match reasoning {
            Reasoning::Text { text, signature } => {
                Self::ReasoningText { text: text.expose(), signature: signature.as_ref().map(|signature| signature.expose()) }
            }
            Reasoning::Redacted(bytes) => Self::RedactedContent(bytes.expose()),
        }
    }
}

impl<'a> WireToolUse<'a> {
    /// A call with this input.
    pub(super) fn new(tool_use_id: Cow<'a, str>, call: &'a ToolCall, input: Box<RawValue>) -> Self {
        let start = WireToolUseStart { tool_use_id, name: Cow::Borrowed(call.name.expose()) };
        Self { start, input }
    }

    /// The same, apart from the call it was made of.
    pub(super) fn into_owned<'b>(self) -> WireToolUse<'b> {
        let WireToolUseStart { tool_use_id, name } = self.start;
        let start = WireToolUseStart { tool_use_id: Cow::Owned(tool_use_id.into_owned()), name: Cow::Owned(name.into_owned()) };
        WireToolUse { start, input: self.input }
    }
}

/// A call's arguments as JSON; `None` where they are none. No arguments are no members.
pub(super) fn input_of(arguments: &str) -> Option<Box<RawValue>> {
    let arguments = if arguments.trim().is_empty() { "{}" } else { arguments };
    serde_json::from_str(arguments).ok()
}
