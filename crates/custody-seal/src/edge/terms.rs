//! On which terms a text is kept: what the gateway decided of it, and its record says beside the sealed bytes.

use custody_types::{Text, Timestamp};

use crate::wire::put_field;

/// What is bound to a sealed text beside its context: whoever writes to the content stream without a gateway's key can lengthen no
/// retention, choose no other redaction or rule, make no text younger than an erasure, and enter no text a second time by another id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct EdgeTerms {
    /// The text's own id.
    pub content_id: Text,
    /// When it was made.
    pub time: Timestamp,
    /// The day from which on it is no longer kept, counted from 1970-01-01.
    pub expires_on: i32,
    /// The capability that was asked.
    pub capability: Text,
    /// The class of its data.
    pub data_class: Text,
    /// The rule that keeps it, which says who may see it.
    pub handling_rule: Text,
    /// The redaction rules for what analysts see.
    pub redaction: Text,
}

impl EdgeTerms {
    /// | Field | Bytes |
    /// | --- | --- |
    /// | content id | 2 + n |
    /// | time, microseconds since 1970 | 8 |
    /// | expires on | 4 |
    /// | capability, data class, handling rule, redaction | 2 + n each |
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        put_field(out, self.content_id.as_bytes());
        out.extend_from_slice(&self.time.micros().to_be_bytes());
        out.extend_from_slice(&self.expires_on.to_be_bytes());
        for field in [&self.capability, &self.data_class, &self.handling_rule, &self.redaction] {
            put_field(out, field.as_bytes());
        }
    }
}
