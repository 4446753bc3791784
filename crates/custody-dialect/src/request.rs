//! The neutral chat request: what a caller asked for, free of any wire dialect.

use std::collections::BTreeMap;

use custody_types::SensitiveText;

use crate::SensitiveJson;

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
    /// 0 to 2.
    pub temperature: Option<f64>,
    /// 0 to 1.
    pub top_p: Option<f64>,
    /// -2 to 2.
    pub presence_penalty: Option<f64>,
    /// -2 to 2.
    pub frequency_penalty: Option<f64>,
    /// Seed for a repeatable answer, as far as the provider can.
    pub seed: Option<i64>,
    /// Texts that end the answer; at most four.
    pub stop: Vec<SensitiveText>,
    /// One of none, minimal, low, medium, high, xhigh, max.
    pub reasoning_effort: Option<&'static str>,
    /// Whether the model may call several tools at once.
    pub parallel_tool_calls: Option<bool>,
    /// Number of tool definitions.
    pub tool_count: usize,
    /// Tool definitions, a JSON array.
    pub tools: Option<SensitiveJson>,
    /// Which tool must be called, a JSON string or object.
    pub tool_choice: Option<SensitiveJson>,
    /// Required form of the answer, a JSON object.
    pub response_format: Option<SensitiveJson>,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: Content,
    /// A name that tells speakers of the same role apart.
    pub name: Option<SensitiveText>,
    /// Calls that an assistant asked for, a JSON array.
    pub tool_calls: Option<SensitiveJson>,
    /// The call that a tool message answers.
    pub tool_call_id: Option<SensitiveText>,
    /// An assistant's refusal.
    pub refusal: Option<SensitiveText>,
}

/// Who speaks in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Standing instructions.
    System,
    /// Standing instructions, under the name newer models use.
    Developer,
    /// The person or program that asks.
    User,
    /// The model.
    Assistant,
    /// The result of a tool.
    Tool,
}

/// The content of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// None: an assistant message that only calls tools.
    None,
    /// One text.
    Text(SensitiveText),
    /// Parts in order; never empty when it came from a parser.
    Parts(Vec<Part>),
}

/// One part of a message's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text.
    Text(SensitiveText),
    /// The `image_url` object of an image.
    Image(SensitiveJson),
    /// An assistant's refusal.
    Refusal(SensitiveText),
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

impl Message {
    /// A message of plain text.
    #[must_use]
    pub fn text(role: Role, text: SensitiveText) -> Self {
        Self { role, content: Content::Text(text), name: None, tool_calls: None, tool_call_id: None, refusal: None }
    }

    /// Size of the content, tool calls included, in bytes.
    #[must_use]
    pub fn content_bytes(&self) -> usize {
        let calls = self.tool_calls.as_ref().map_or(0, SensitiveJson::len);
        let refusal = self.refusal.as_ref().map_or(0, SensitiveText::len);
        self.content.bytes() + calls + refusal
    }

    /// Visits every piece of payload in order, so that a caller can hash or scan it without joining it.
    pub fn visit_payload(&self, mut visit: impl FnMut(&str)) {
        match &self.content {
            Content::None => {}
            Content::Text(text) => visit(text.expose()),
            Content::Parts(parts) => parts.iter().for_each(|part| visit(part.expose())),
        }
        for text in [&self.refusal, &self.name, &self.tool_call_id].into_iter().flatten() {
            visit(text.expose());
        }
        if let Some(calls) = &self.tool_calls {
            visit(calls.expose());
        }
    }
}

impl Role {
    /// The role's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Developer => "developer",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }

    /// Whether the role gives standing instructions, which callers may not.
    #[must_use]
    pub const fn is_instruction(self) -> bool {
        matches!(self, Self::System | Self::Developer)
    }
}

impl Content {
    /// Size in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Text(text) => text.len(),
            Self::Parts(parts) => parts.iter().map(|part| part.expose().len()).sum(),
        }
    }

    fn prepend(&mut self, marker: &str) {
        match self {
            Self::None => *self = Self::Text(SensitiveText::new(marker)),
            Self::Text(text) => *text = SensitiveText::new([marker, text.expose()].concat()),
            Self::Parts(parts) => parts.insert(0, Part::Text(SensitiveText::new(marker))),
        }
    }
}

impl Part {
    /// The part's text or JSON.
    #[must_use]
    pub fn expose(&self) -> &str {
        match self {
            Self::Text(text) | Self::Refusal(text) => text.expose(),
            Self::Image(json) => json.expose(),
        }
    }
}
