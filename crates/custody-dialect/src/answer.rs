//! The neutral answer: whole, and in the pieces in which a stream delivers it.

use custody_types::{SensitiveText, Text, TokenUsage};

use crate::{AnswerDetails, FinishReason, RawUsage, Reasoning};

/// A whole answer of a model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChatAnswer {
    /// The provider's id of the answer, where it is a valid label.
    pub upstream_id: Option<Text>,
    /// The model the provider says it used, where it is a valid label.
    pub model_used: Option<Text>,
    /// What the model thought before it spoke, block by block. An OpenAI caller never sees it: its API has no place for it.
    pub reasoning: Vec<Reasoning>,
    /// The answer's text; absent where the model only called tools or refused.
    pub text: Option<SensitiveText>,
    /// The model's refusal.
    pub refusal: Option<SensitiveText>,
    /// Tools that the model calls, in order.
    pub tool_calls: Vec<ToolCall>,
    /// Why the model stopped; absent where the provider did not say.
    pub finish: Option<FinishReason>,
    /// What the provider says was used; absent where it did not say.
    pub usage: Option<RawUsage>,
    /// The same in our counts, where the gateway could normalise it. No dialect sets it; both report it in their own arithmetic.
    pub counts: Option<TokenUsage>,
    /// What the provider says besides.
    pub details: AnswerDetails,
}

/// A tool that the model calls.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ToolCall {
    /// The call's id, which the tool's message repeats.
    pub id: SensitiveText,
    /// The function's name.
    pub name: SensitiveText,
    /// Its arguments, JSON by intention only.
    pub arguments: SensitiveText,
}

/// One step of a streamed answer, in the order in which a provider may send them: `Opened Delta* Usage? Details? Done`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamEvent {
    /// The first chunk arrived.
    Opened {
        /// As in [`ChatAnswer::upstream_id`].
        upstream_id: Option<Text>,
        /// As in [`ChatAnswer::model_used`].
        model_used: Option<Text>,
    },
    /// More of the answer.
    Delta(Delta),
    /// What was used. A provider may repeat it with growing counts: the last one counts.
    Usage(RawUsage),
    /// What the provider says besides.
    Details(Box<AnswerDetails>),
    /// The provider's end mark. A stream that ends without it, and without a finish reason, was cut.
    Done,
}

/// A piece of a streamed answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Delta {
    /// More reasoning.
    pub reasoning: Option<ReasoningDelta>,
    /// More text.
    pub text: Option<SensitiveText>,
    /// More of a refusal.
    pub refusal: Option<SensitiveText>,
    /// More of the tool calls.
    pub tool_calls: Vec<ToolCallDelta>,
    /// Why the model stopped.
    pub finish: Option<FinishReason>,
}

/// A piece of the reasoning: text and signature come bit by bit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReasoningDelta {
    /// Which block of reasoning, from 0.
    pub index: u32,
    /// More of what was thought.
    pub text: Option<SensitiveText>,
    /// More of the signature over it.
    pub signature: Option<SensitiveText>,
    /// A block that the provider encrypted; in base64.
    pub redacted: Option<SensitiveText>,
}

/// A piece of a tool call: id and name come in its first piece only, the arguments come bit by bit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ToolCallDelta {
    /// Which call, from 0.
    pub index: u32,
    /// As in [`ToolCall::id`].
    pub id: Option<SensitiveText>,
    /// As in [`ToolCall::name`].
    pub name: Option<SensitiveText>,
    /// More of the arguments.
    pub arguments: Option<SensitiveText>,
}

impl ChatAnswer {
    /// Size of reasoning, text, refusal and tool calls in bytes.
    #[must_use]
    pub fn output_bytes(&self) -> usize {
        let mut bytes = 0;
        self.visit_payload(|payload| bytes += payload.len());
        bytes
    }

    /// Whether the model said nothing at all, whatever it thought.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tool_calls.is_empty() && [&self.text, &self.refusal].into_iter().flatten().all(SensitiveText::is_empty)
    }

    /// Visits reasoning, text, refusal and tool calls in order, so that a caller can hash them without joining them.
    pub fn visit_payload(&self, mut visit: impl FnMut(&str)) {
        self.reasoning.iter().for_each(|reasoning| reasoning.visit_payload(&mut visit));
        for text in [&self.text, &self.refusal].into_iter().flatten() {
            visit(text.expose());
        }
        for call in &self.tool_calls {
            [&call.id, &call.name, &call.arguments].into_iter().for_each(|text| visit(text.expose()));
        }
    }
}

impl Delta {
    /// Whether the piece carries nothing a caller could see.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.reasoning.is_none() && self.text.is_none() && self.refusal.is_none() && self.tool_calls.is_empty() && self.finish.is_none()
    }

    /// Whether the piece carries nothing but reasoning.
    #[must_use]
    pub fn is_only_reasoning(&self) -> bool {
        let said = self.text.is_some() || self.refusal.is_some() || !self.tool_calls.is_empty() || self.finish.is_some();
        self.reasoning.is_some() && !said
    }

    /// Whether the piece carries content, which ends the wait for the first token.
    #[must_use]
    pub fn has_content(&self) -> bool {
        let text = [&self.text, &self.refusal].into_iter().flatten().any(|text| !text.is_empty());
        text || self.reasoning.is_some() || !self.tool_calls.is_empty()
    }

    /// Size of its reasoning, text and tool calls in bytes.
    #[must_use]
    pub fn output_bytes(&self) -> usize {
        let texts = [&self.text, &self.refusal].into_iter();
        let calls = self.tool_calls.iter().flat_map(|call| [&call.id, &call.name, &call.arguments]);
        let thoughts = self.reasoning.iter().flat_map(|piece| [&piece.text, &piece.signature, &piece.redacted]);
        thoughts.chain(texts).chain(calls).flatten().map(SensitiveText::len).sum()
    }
}
