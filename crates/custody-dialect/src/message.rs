//! One message of a conversation.

use custody_types::SensitiveText;

use crate::{Document, SensitiveJson};

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: Content,
    /// A name that tells speakers of the same role apart.
    pub name: Option<SensitiveText>,
    /// Calls that an assistant asked for, a JSON array; typed by [`Message::calls`]. They stand behind the content.
    pub tool_calls: Option<SensitiveJson>,
    /// The call that a tool message answers.
    pub tool_call_id: Option<SensitiveText>,
    /// Whether the tool says that it failed.
    pub tool_failed: bool,
    /// An assistant's refusal.
    pub refusal: Option<SensitiveText>,
    /// A cache point behind the whole message, its tool calls included.
    pub cache_point: Option<CachePoint>,
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
    /// The `image_url` object of an image; typed by [`crate::ImageSource::of`].
    Image(SensitiveJson),
    /// A document.
    Document(Document),
    /// JSON that a tool returned.
    Json(SensitiveJson),
    /// What an assistant thought before it spoke.
    Reasoning(Reasoning),
    /// A hint that what stands before may be kept for the next request.
    CachePoint(CachePoint),
    /// An assistant's refusal.
    Refusal(SensitiveText),
}

/// A model's reasoning. A provider that signs it wants it back unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reasoning {
    /// In the clear.
    Text {
        /// What was thought.
        text: SensitiveText,
        /// The provider's signature over it.
        signature: Option<SensitiveText>,
    },
    /// Encrypted by the provider; in base64.
    Redacted(SensitiveText),
}

/// A hint that what stands before it may be kept for the next request; it changes price and speed, never an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CachePoint {
    /// How long; the provider's default where absent.
    pub lifetime: Option<CacheLifetime>,
}

/// How long a cached prompt is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheLifetime {
    /// Five minutes.
    FiveMinutes,
    /// An hour.
    OneHour,
}

impl Message {
    /// A message that says this and nothing else.
    #[must_use]
    pub fn new(role: Role, content: Content) -> Self {
        Self { role, content, name: None, tool_calls: None, tool_call_id: None, tool_failed: false, refusal: None, cache_point: None }
    }

    /// A message of plain text.
    #[must_use]
    pub fn text(role: Role, text: SensitiveText) -> Self {
        Self::new(role, Content::Text(text))
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
        self.content.visit_payload(&mut visit);
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
        let mut bytes = 0;
        self.visit_payload(&mut |text| bytes += text.len());
        bytes
    }

    /// Visits every piece of payload in order.
    pub fn visit_payload(&self, visit: &mut dyn FnMut(&str)) {
        match self {
            Self::None => {}
            Self::Text(text) => visit(text.expose()),
            Self::Parts(parts) => parts.iter().for_each(|part| part.visit_payload(visit)),
        }
    }

    pub(crate) fn prepend(&mut self, marker: &str) {
        match self {
            Self::None => *self = Self::Text(SensitiveText::new(marker)),
            Self::Text(text) => *text = SensitiveText::new([marker, text.expose()].concat()),
            Self::Parts(parts) => parts.insert(0, Part::Text(SensitiveText::new(marker))),
        }
    }
}

impl Part {
    /// Visits every piece of payload of the part in order.
    pub fn visit_payload(&self, visit: &mut dyn FnMut(&str)) {
        match self {
            Self::Text(text) | Self::Refusal(text) => visit(text.expose()),
            Self::Image(json) | Self::Json(json) => visit(json.expose()),
            Self::Document(document) => document.visit_payload(visit),
            Self::Reasoning(reasoning) => reasoning.visit_payload(visit),
            Self::CachePoint(_) => {}
        }
    }
}

impl Reasoning {
    /// Visits text and signature.
    pub fn visit_payload(&self, visit: &mut dyn FnMut(&str)) {
        match self {
            Self::Text { text, signature } => {
                visit(text.expose());
                signature.iter().for_each(|signature| visit(signature.expose()));
            }
            Self::Redacted(bytes) => visit(bytes.expose()),
        }
    }
}

impl CacheLifetime {
    /// All lifetimes.
    pub const ALL: [Self; 2] = [Self::FiveMinutes, Self::OneHour];

    /// The lifetime's name in the Converse form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FiveMinutes => "5m",
            Self::OneHour => "1h",
        }
    }
}
