//! A streamed answer, put together again.

use custody_types::SensitiveText;

use crate::{ChatAnswer, Delta, Reasoning, ReasoningDelta, StreamEvent, ToolCall, ToolCallDelta, UpstreamError};

/// Most tool calls in one answer.
const MAX_TOOL_CALLS: usize = 128;
/// Most blocks of reasoning in one answer.
const MAX_REASONING: usize = 128;

/// Adds the steps of a stream up to the answer that a plain call would have given. Bounded: an answer that outgrows its limit is
/// an error, not memory.
#[derive(Debug)]
pub struct Assembler {
    answer: ChatAnswer,
    bytes: usize,
    limit: usize,
    done: bool,
}

impl Assembler {
    /// An assembler for an answer of at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { answer: ChatAnswer::default(), bytes: 0, limit, done: false }
    }

    /// Adds one step.
    ///
    /// # Errors
    /// [`UpstreamError::AnswerTooLong`] once the answer outgrows its limit; what was added before stays.
    pub fn add(&mut self, event: &StreamEvent) -> Result<(), UpstreamError> {
        match event {
            StreamEvent::Opened { upstream_id, model_used } => {
                self.answer.upstream_id.clone_from(upstream_id);
                self.answer.model_used.clone_from(model_used);
            }
            StreamEvent::Delta(delta) => return self.add_delta(delta),
            StreamEvent::Usage(usage) => self.answer.usage = Some(usage.clone()),
            StreamEvent::Details(details) => self.answer.details.clone_from(details),
            StreamEvent::Done => self.done = true,
        }
        Ok(())
    }

    /// Whether the provider's end mark or a finish reason was seen: the answer is whole.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.done || self.answer.finish.is_some()
    }

    /// What has arrived so far.
    #[must_use]
    pub fn answer(&self) -> &ChatAnswer {
        &self.answer
    }

    /// Everything that arrived, whole or not.
    #[must_use]
    pub fn into_answer(self) -> ChatAnswer {
        self.answer
    }

    fn add_delta(&mut self, delta: &Delta) -> Result<(), UpstreamError> {
        let bytes = self.bytes.saturating_add(delta.output_bytes());
        if bytes > self.limit {
            return Err(UpstreamError::AnswerTooLong { limit: self.limit });
        }
        self.bytes = bytes;
        if let Some(piece) = &delta.reasoning {
            self.add_reasoning(piece)?;
        }
        push(&mut self.answer.text, delta.text.as_ref());
        push(&mut self.answer.refusal, delta.refusal.as_ref());
        self.answer.finish = delta.finish.or(self.answer.finish);
        delta.tool_calls.iter().try_for_each(|call| self.add_tool_call(call))
    }

    fn add_reasoning(&mut self, delta: &ReasoningDelta) -> Result<(), UpstreamError> {
        let index = usize::try_from(delta.index).unwrap_or(usize::MAX);
        if index >= MAX_REASONING {
            return Err(UpstreamError::AnswerTooLong { limit: self.limit });
        }
        let blocks = &mut self.answer.reasoning;
        if blocks.len() <= index {
            blocks.resize_with(index + 1, || Reasoning::Text { text: SensitiveText::default(), signature: None });
        }
        if let Some(block) = blocks.get_mut(index) {
            block.add(delta);
        }
        Ok(())
    }

    fn add_tool_call(&mut self, delta: &ToolCallDelta) -> Result<(), UpstreamError> {
        let index = usize::try_from(delta.index).unwrap_or(usize::MAX);
        if index >= MAX_TOOL_CALLS {
            return Err(UpstreamError::AnswerTooLong { limit: self.limit });
        }
        let calls = &mut self.answer.tool_calls;
        if calls.len() <= index {
            calls.resize_with(index + 1, ToolCall::default);
        }
        let Some(call) = calls.get_mut(index) else { return Ok(()) };
        for (into, piece) in [(&mut call.id, &delta.id), (&mut call.name, &delta.name), (&mut call.arguments, &delta.arguments)] {
            if let Some(piece) = piece {
                into.push(piece.expose());
            }
        }
        Ok(())
    }
}

impl Reasoning {
    /// A block is encrypted or in the clear: what comes first decides, and the other kind is passed over.
    fn add(&mut self, delta: &ReasoningDelta) {
        if let (Self::Text { text, signature: None }, Some(bytes)) = (&*self, &delta.redacted)
            && text.is_empty()
        {
            *self = Self::Redacted(bytes.clone());
            return;
        }
        match self {
            Self::Text { text, signature } => {
                delta.text.iter().for_each(|piece| text.push(piece.expose()));
                push(signature, delta.signature.as_ref());
            }
            Self::Redacted(bytes) => delta.redacted.iter().for_each(|piece| bytes.push(piece.expose())),
        }
    }
}

fn push(into: &mut Option<SensitiveText>, piece: Option<&SensitiveText>) {
    if let Some(piece) = piece {
        into.get_or_insert_default().push(piece.expose());
    }
}
