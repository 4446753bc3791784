//! Whose text it is and which: what a sealed text is bound to, so that it opens in its own place only.

use custody_types::{PersonPseudonym, Purpose, RequestId, RetentionClass, TenantId};

use crate::wire::put_field;

/// Which text of a request (D4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// What the model was asked.
    Prompt,
    /// What it answered.
    Response,
    /// What it wants a tool to be called with.
    ToolArguments,
    /// A chunk that was put into its context.
    RetrievedText,
    /// What a user said of an answer.
    Feedback,
}

/// Everything that is bound to a sealed text. The reader states it anew, from the row or record in which the text stands:
/// a text whose row was altered, or that was moved to another row, does not open.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TextContext {
    /// The tenant.
    pub tenant: TenantId,
    /// The person, where the request names one.
    pub person: Option<PersonPseudonym>,
    /// The request.
    pub request: RequestId,
    /// Which text of the request.
    pub part: Part,
    /// Which of its kind: the attempt, the tool call or the chunk, from 0.
    pub ordinal: u32,
    /// Why it is kept.
    pub purpose: Purpose,
    /// How long it may be kept.
    pub retention: RetentionClass,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 5] = [Self::Prompt, Self::Response, Self::ToolArguments, Self::RetrievedText, Self::Feedback];

    /// The name in tables and SQL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prompt => "prompt",
            Self::Response => "response",
            Self::ToolArguments => "tool_arguments",
            Self::RetrievedText => "retrieved_text",
            Self::Feedback => "feedback",
        }
    }

    /// Stands in what is authenticated: never reuse a number.
    const fn number(self) -> u8 {
        match self {
            Self::Prompt => 1,
            Self::Response => 2,
            Self::ToolArguments => 3,
            Self::RetrievedText => 4,
            Self::Feedback => 5,
        }
    }
}

impl TextContext {
    /// The bytes that are authenticated. Every field has a fixed size or its length before it, so two contexts never share bytes.
    ///
    /// | Field | Bytes |
    /// | --- | --- |
    /// | tenant | 2 + n |
    /// | person | 1 (0 none, 1 follows), then 2 + n |
    /// | request | 16 |
    /// | part | 1 |
    /// | ordinal | 4 |
    /// | purpose | 2 + n |
    /// | retention class | 2 + n |
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(192);
        put_field(&mut out, self.tenant.as_str().as_bytes());
        put_person(&mut out, self.person.as_ref());
        out.extend_from_slice(&self.request.key());
        out.push(self.part.number());
        out.extend_from_slice(&self.ordinal.to_be_bytes());
        put_field(&mut out, self.purpose.as_str().as_bytes());
        put_field(&mut out, self.retention.as_str().as_bytes());
        out
    }
}

/// A person, or that there is none.
pub(crate) fn put_person(out: &mut Vec<u8>, person: Option<&PersonPseudonym>) {
    out.push(u8::from(person.is_some()));
    if let Some(person) = person {
        put_field(out, person.as_str().as_bytes());
    }
}
