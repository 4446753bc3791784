//! Why a model stopped.
//!
//! ```text
//! reason               Converse stopReason              OpenAI finish_reason   event
//! Stop                 end_turn                         stop                   stop
//! StopSequence         stop_sequence                    stop                   stop
//! Length               max_tokens                       length                 length
//! ContextWindow        model_context_window_exceeded    length                 length
//! ToolCalls            tool_use                         tool_calls             tool_calls
//! ContentFilter        content_filtered                 content_filter         content_filter
//! GuardrailIntervened  guardrail_intervened             content_filter         content_filter
//! MalformedOutput      malformed_model_output           stop                   other
//! MalformedToolUse     malformed_tool_use               stop                   other
//! Other                end_turn                         stop                   other
//! ```
//! Converse has nine reasons, OpenAI four (REFERENCE 1.7). Each Converse reason is kept apart here, so that a Converse caller gets
//! back the one the provider gave.

/// Why a model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishReason {
    /// It came to its end.
    Stop,
    /// It wrote one of the texts that end the answer.
    StopSequence,
    /// It reached the output limit.
    Length,
    /// Conversation and answer together filled the model's context.
    ContextWindow,
    /// It calls tools.
    ToolCalls,
    /// The provider's filter stopped it.
    ContentFilter,
    /// A guardrail of ours, at the provider, stopped it.
    GuardrailIntervened,
    /// It wrote what the provider can't read.
    MalformedOutput,
    /// It called a tool in a way the provider can't read.
    MalformedToolUse,
    /// Something else.
    Other,
}

impl FinishReason {
    /// All reasons.
    pub const ALL: [Self; 10] = [
        Self::Stop,
        Self::StopSequence,
        Self::Length,
        Self::ContextWindow,
        Self::ToolCalls,
        Self::ContentFilter,
        Self::GuardrailIntervened,
        Self::MalformedOutput,
        Self::MalformedToolUse,
        Self::Other,
    ];

    /// The reason's name in events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop | Self::StopSequence => "stop",
            Self::Length | Self::ContextWindow => "length",
            Self::ToolCalls => "tool_calls",
            Self::ContentFilter | Self::GuardrailIntervened => "content_filter",
            Self::MalformedOutput | Self::MalformedToolUse | Self::Other => "other",
        }
    }

    /// The reason's name for a Converse caller. That dialect has no word for "something else".
    #[must_use]
    pub const fn stop_reason(self) -> &'static str {
        match self {
            Self::Stop | Self::Other => "end_turn",
            Self::StopSequence => "stop_sequence",
            Self::Length => "max_tokens",
            Self::ContextWindow => "model_context_window_exceeded",
            Self::ToolCalls => "tool_use",
            Self::ContentFilter => "content_filtered",
            Self::GuardrailIntervened => "guardrail_intervened",
            Self::MalformedOutput => "malformed_model_output",
            Self::MalformedToolUse => "malformed_tool_use",
        }
    }

    /// Whether the answer would have gone on.
    #[must_use]
    pub const fn is_truncated(self) -> bool {
        matches!(self, Self::Length | Self::ContextWindow)
    }

    /// Reads an OpenAI-compatible provider's word; an unknown one is `Other`.
    #[must_use]
    pub fn from_wire(word: &str) -> Self {
        match word {
            "stop" => Self::Stop,
            "length" => Self::Length,
            "tool_calls" | "function_call" => Self::ToolCalls,
            "content_filter" => Self::ContentFilter,
            _ => Self::Other,
        }
    }

    /// Reads a Converse stop reason; an unknown one is `Other`.
    #[must_use]
    pub fn from_stop_reason(word: &str) -> Self {
        Self::ALL.into_iter().find(|reason| *reason != Self::Other && reason.stop_reason() == word).unwrap_or(Self::Other)
    }
}
