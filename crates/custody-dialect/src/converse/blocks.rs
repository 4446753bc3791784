//! The content blocks of a provider's stream, as pieces of an answer.

use custody_types::SensitiveText;
use serde::Deserialize;

use crate::{Delta, ReasoningDelta, ToolCallDelta, UpstreamError};

/// Most blocks of one answer.
const MAX_BLOCKS: usize = 1_024;

/// Which of our tool calls and reasoning blocks stands at which place of the message.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    tools: Vec<u32>,
    reasoning: Vec<u32>,
    /// Calls that began and have no arguments yet.
    bare: Vec<u32>,
}

impl Blocks {
    pub(super) fn start(&mut self, wire: WireBlockStart) -> Result<Option<Delta>, UpstreamError> {
        let Some(tool) = wire.start.and_then(|start| start.tool_use) else { return Ok(None) };
        let index = place(&mut self.tools, wire.content_block_index)?;
        self.bare.push(wire.content_block_index);
        let call = ToolCallDelta { index, id: tool.tool_use_id, name: tool.name, arguments: None };
        Ok(Some(Delta { tool_calls: vec![call], ..Delta::default() }))
    }

    pub(super) fn delta(&mut self, wire: WireBlockDelta) -> Result<Option<Delta>, UpstreamError> {
        let Some(piece) = wire.delta else { return Ok(None) };
        let mut delta = Delta { text: piece.text.filter(|text| !text.is_empty()), ..Delta::default() };
        if let Some(input) = piece.tool_use.and_then(|tool| tool.input).filter(|input| !input.is_empty()) {
            let index = place(&mut self.tools, wire.content_block_index)?;
            self.bare.retain(|block| *block != wire.content_block_index);
            delta.tool_calls.push(ToolCallDelta { index, arguments: Some(input), ..ToolCallDelta::default() });
        }
        if let Some(thought) = piece.reasoning_content {
            let index = place(&mut self.reasoning, wire.content_block_index)?;
            let (text, signature, redacted) = (thought.text, thought.signature, thought.redacted_content);
            delta.reasoning = Some(ReasoningDelta { index, text, signature, redacted });
        }
        Ok((!delta.is_empty()).then_some(delta))
    }

    /// A call that had no arguments has the empty object, as in a whole answer.
    pub(super) fn stop(&mut self, wire: &WireBlockStop) -> Result<Option<Delta>, UpstreamError> {
        let Some(at) = self.bare.iter().position(|block| *block == wire.content_block_index) else { return Ok(None) };
        self.bare.remove(at);
        let index = place(&mut self.tools, wire.content_block_index)?;
        let arguments = Some(SensitiveText::new("{}"));
        Ok(Some(Delta { tool_calls: vec![ToolCallDelta { index, arguments, ..ToolCallDelta::default() }], ..Delta::default() }))
    }
}

/// The number of a block among its kind; a new place gets the next one.
fn place(known: &mut Vec<u32>, block: u32) -> Result<u32, UpstreamError> {
    let at = known.iter().position(|other| *other == block).unwrap_or_else(|| {
        known.push(block);
        known.len() - 1
    });
    if at >= MAX_BLOCKS {
        return Err(UpstreamError::AnswerTooLong { limit: MAX_BLOCKS });
    }
    Ok(u32::try_from(at).unwrap_or(u32::MAX))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireBlockStart {
    #[serde(default)]
    start: Option<WireStart>,
    #[serde(default)]
    content_block_index: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireStart {
    #[serde(default)]
    tool_use: Option<WireToolStart>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireToolStart {
    #[serde(default)]
    tool_use_id: Option<SensitiveText>,
    #[serde(default)]
    name: Option<SensitiveText>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireBlockDelta {
    #[serde(default)]
    delta: Option<WirePiece>,
    #[serde(default)]
    content_block_index: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireBlockStop {
    #[serde(default)]
    content_block_index: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePiece {
    #[serde(default)]
    text: Option<SensitiveText>,
    #[serde(default)]
    tool_use: Option<WireInput>,
    #[serde(default)]
    reasoning_content: Option<WireThought>,
}

#[derive(Deserialize)]
struct WireInput {
    #[serde(default)]
    input: Option<SensitiveText>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireThought {
    #[serde(default)]
    text: Option<SensitiveText>,
    #[serde(default)]
    signature: Option<SensitiveText>,
    #[serde(default)]
    redacted_content: Option<SensitiveText>,
}
