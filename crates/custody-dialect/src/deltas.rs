//! A whole answer in pieces, for a caller who asked for a stream and an answer that was kept back to be checked.

use crate::{ChatAnswer, Delta, Reasoning, ReasoningDelta, ToolCall, ToolCallDelta};

impl ChatAnswer {
    /// The answer as pieces of a stream, without the finish reason: each block of reasoning, then all that was said. The last piece
    /// is always there, so that even an empty answer begins.
    #[must_use]
    pub fn deltas(&self) -> Vec<Delta> {
        let reasoning = (0..).zip(&self.reasoning).map(|(index, block)| ReasoningDelta::whole(index, block));
        let mut deltas: Vec<Delta> = reasoning.map(|block| Delta { reasoning: Some(block), ..Delta::default() }).collect();
        let tool_calls = (0..).zip(&self.tool_calls).map(|(index, call)| ToolCallDelta::whole(index, call)).collect();
        deltas.push(Delta { text: self.text.clone(), refusal: self.refusal.clone(), tool_calls, ..Delta::default() });
        deltas
    }
}

impl ReasoningDelta {
    fn whole(index: u32, block: &Reasoning) -> Self {
        match block {
            Reasoning::Text { text, signature } => Self { index, text: Some(text.clone()), signature: signature.clone(), redacted: None },
            Reasoning::Redacted(bytes) => Self { index, redacted: Some(bytes.clone()), ..Self::default() },
        }
    }
}

impl ToolCallDelta {
    fn whole(index: u32, call: &ToolCall) -> Self {
        Self { index, id: Some(call.id.clone()), name: Some(call.name.clone()), arguments: Some(call.arguments.clone()) }
    }
}
