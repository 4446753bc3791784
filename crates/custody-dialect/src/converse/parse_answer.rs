//! A provider's whole Converse answer. Members that this version does not know are passed over: the service adds some at any time.

use custody_types::SensitiveText;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::facts::WireFacts;
use crate::{ChatAnswer, FinishReason, Reasoning, ToolCall, UpstreamError};

/// Reads the body of a Converse answer. Text blocks become one text, without a break between them; of cited text the text is kept.
///
/// # Errors
/// [`UpstreamError::Garbage`] where it is none, [`UpstreamError::NoChoice`] where it has no message in it.
pub fn parse_answer(body: &[u8]) -> Result<ChatAnswer, UpstreamError> {
    let wire: WireAnswer<'_> = serde_json::from_slice(body).map_err(|_| UpstreamError::Garbage)?;
    let message = wire.output.and_then(|output| output.message).ok_or(UpstreamError::NoChoice)?;
    let mut answer = ChatAnswer::default();
    message.content.unwrap_or_default().into_iter().for_each(|block| add(block, &mut answer));
    answer.finish = wire.stop_reason.as_deref().map(FinishReason::from_stop_reason);
    let facts = WireFacts::of(body);
    answer.usage = facts.usage();
    answer.details = facts.details();
    answer.model_used.clone_from(&answer.details.invoked_model);
    Ok(answer)
}

fn add(block: WireBlock<'_>, answer: &mut ChatAnswer) {
    let cited = block.citations_content.and_then(|cited| cited.content).unwrap_or_default();
    for text in block.text.into_iter().chain(cited.into_iter().filter_map(|one| one.text)) {
        answer.text.get_or_insert_default().push(text.expose());
    }
    if let Some(call) = block.tool_use {
        let arguments = SensitiveText::new(call.input.map_or("{}", RawValue::get));
        answer.tool_calls.push(ToolCall { id: call.tool_use_id.unwrap_or_default(), name: call.name, arguments });
    }
    if let Some(reasoning) = block.reasoning_content {
        let text = reasoning.reasoning_text.map(|thought| Reasoning::Text { text: thought.text, signature: thought.signature });
        answer.reasoning.extend(text.or(reasoning.redacted_content.map(Reasoning::Redacted)));
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAnswer<'a> {
    #[serde(borrow, default)]
    output: Option<WireOutput<'a>>,
    #[serde(default)]
    stop_reason: Option<String>,
}

#[derive(Deserialize)]
struct WireOutput<'a> {
    #[serde(borrow, default)]
    message: Option<WireMessage<'a>>,
}

#[derive(Deserialize)]
struct WireMessage<'a> {
    #[serde(borrow, default)]
    content: Option<Vec<WireBlock<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireBlock<'a> {
    #[serde(default)]
    text: Option<SensitiveText>,
    #[serde(borrow, default)]
    tool_use: Option<WireToolUse<'a>>,
    #[serde(default)]
    reasoning_content: Option<WireReasoning>,
    #[serde(default)]
    citations_content: Option<WireCited>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireToolUse<'a> {
    #[serde(default)]
    tool_use_id: Option<SensitiveText>,
    name: SensitiveText,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireReasoning {
    #[serde(default)]
    reasoning_text: Option<WireThought>,
    #[serde(default)]
    redacted_content: Option<SensitiveText>,
}

#[derive(Deserialize)]
struct WireThought {
    #[serde(default)]
    text: SensitiveText,
    #[serde(default)]
    signature: Option<SensitiveText>,
}

#[derive(Deserialize)]
struct WireCited {
    #[serde(default)]
    content: Option<Vec<WireCitedText>>,
}

#[derive(Deserialize)]
struct WireCitedText {
    #[serde(default)]
    text: Option<SensitiveText>,
}
