//! The neutral chat request: what a caller asked for, free of any wire dialect.
//!
//! Where both dialects say the same thing in JSON that this gateway only passes on (tool definitions, tool calls, the choice of a
//! tool, the answer's form, an image), the neutral form keeps it as JSON in OpenAI's form, byte for byte as it was written; the
//! typed readings stand in [`crate::tools`], [`crate::answer_format`] and [`crate::media`].

use std::collections::BTreeMap;

use custody_types::SensitiveText;

use crate::{CachePoint, Message, Role, SensitiveJson};

/// A chat request. The gateway reads `model` as the name of a capability (D9), adds the registry's prompt to the front of
/// `messages`, and passes the rest on as it came.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChatRequest {
    /// What the caller put into `model`: 1 to 128 bytes of any text, not yet known to name anything.
    pub model: String,
    /// The conversation, oldest first; never empty when it came from a parser.
    pub messages: Vec<Message>,
    /// How the model is to answer.
    pub options: Options,
    /// Whether the answer is to arrive in pieces.
    pub stream: bool,
    /// Whether a streamed answer is to end with its usage.
    pub include_usage: bool,
    /// The caller's word for the person behind the request: `safety_identifier`, else `user`. Never passed on as it is.
    pub end_user: Option<SensitiveText>,
    /// Caller-made tags; checked for size only.
    pub metadata: BTreeMap<String, String>,
}

/// Everything that steers the model besides the conversation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Options {
    /// Most output tokens, reasoning included.
    pub max_output_tokens: Option<u32>,
    /// 0 to 2; Converse knows 0 to 1.
    pub temperature: Option<f64>,
    /// 0 to 1.
    pub top_p: Option<f64>,
    /// -2 to 2.
    pub presence_penalty: Option<f64>,
    /// -2 to 2.
    pub frequency_penalty: Option<f64>,
    /// Seed for a repeatable answer, as far as the provider can.
    pub seed: Option<i64>,
    /// Texts that end the answer; at most four from an OpenAI caller, at most 2,500 from a Converse caller.
    pub stop: Vec<SensitiveText>,
    /// One of none, minimal, low, medium, high, xhigh, max.
    pub reasoning_effort: Option<&'static str>,
    /// Whether the model may call several tools at once.
    pub parallel_tool_calls: Option<bool>,
    /// Number of tool definitions.
    pub tool_count: usize,
    /// Tool definitions, a JSON array; typed by [`Options::tool_specs`].
    pub tools: Option<SensitiveJson>,
    /// Cache points among the tool definitions.
    pub tool_cache_points: Vec<ToolCachePoint>,
    /// Which tool must be called, a JSON string or object; typed by [`Options::chosen_tool`].
    pub tool_choice: Option<SensitiveJson>,
    /// Required form of the answer, a JSON object; typed by [`Options::answer_format`].
    pub response_format: Option<SensitiveJson>,
    /// The price class that was asked for. It changes the price, so whoever sets it must know what it costs (D11).
    pub service_tier: Option<ServiceTier>,
    /// The speed that was asked for. It changes the price as well.
    pub latency: Option<LatencyMode>,
}

/// A cache point that stands behind so many tool definitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToolCachePoint {
    /// Tools before it.
    pub after: usize,
    /// The point.
    pub point: CachePoint,
}

/// A price class of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceTier {
    /// Served first, at a premium.
    Priority,
    /// The ordinary class.
    Default,
    /// Served when there is room, at a discount.
    Flex,
    /// Served from capacity that was bought before.
    Reserved,
}

/// How fast a provider is to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LatencyMode {
    /// As usual.
    Standard,
    /// Faster, at a premium.
    Optimized,
}

impl ChatRequest {
    /// Size of all content of all messages in bytes.
    #[must_use]
    pub fn content_bytes(&self) -> usize {
        self.messages.iter().map(Message::content_bytes).sum()
    }

    /// Turns the caller's own system and developer messages into user messages that begin with `marker`, so that only the
    /// registry's prompt speaks as the system (PATH-07). Returns how many were turned.
    pub fn demote_system_messages(&mut self, marker: &str) -> usize {
        let mut demoted = 0;
        for message in self.messages.iter_mut().filter(|message| message.role.is_instruction()) {
            message.role = Role::User;
            message.content.prepend(marker);
            demoted += 1;
        }
        demoted
    }

    /// Puts messages, such as the registry's prompt, before all others, in the given order.
    pub fn prepend(&mut self, messages: impl IntoIterator<Item = Message>) {
        self.messages.splice(0..0, messages);
    }
}

impl ServiceTier {
    /// All classes.
    pub const ALL: [Self; 4] = [Self::Priority, Self::Default, Self::Flex, Self::Reserved];

    /// The class's name in the Converse form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Priority => "priority",
            Self::Default => "default",
            Self::Flex => "flex",
            Self::Reserved => "reserved",
        }
    }
}

impl LatencyMode {
    /// All modes.
    pub const ALL: [Self; 2] = [Self::Standard, Self::Optimized];

    /// The mode's name in the Converse form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Optimized => "optimized",
        }
    }
}
