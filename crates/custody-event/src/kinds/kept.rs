//! The kinds about kept text: that it was sealed, who asked to see it, and what users said.

use custody_types::Text;
use serde::{Deserialize, Serialize};

/// A text of the request was sealed into the content stream. LOG-18 to LOG-22.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Content {
    /// UUID version 7 of the text; names its row in `content`.
    pub content_id: Text,
    /// prompt, response, tool_arguments, retrieved_text or feedback.
    pub part: Text,
    /// Which of its part, from 0.
    pub ordinal: i32,
    /// Size of the text in bytes.
    pub bytes: i64,
    /// HMAC-SHA-256 of the text under a salt that is sealed with it, hex.
    pub commitment: Text,
    /// Why it is kept. LOG-22.
    pub purpose: Text,
    /// How long it may be kept. LOG-21.
    pub retention_class: Text,
    /// UTC date from which it is no longer kept, YYYY-MM-DD. LOG-21.
    pub expires_on: Text,
    /// Whether the text lies in the object store, sealed, because it was too large for the stream.
    pub claim_check: bool,
}

/// Someone asked to see what is kept. LOG-20.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Access {
    /// reveal, reveal_redacted, approve or withdraw.
    pub action: Text,
    /// allow, deny or pending.
    pub decision: Text,
    /// Why not.
    #[serde(default)]
    pub code: Option<Text>,
    /// Why the text is asked for, redacted. LOG-22.
    #[serde(default)]
    pub reason: Option<Text>,
    /// Policies that decided.
    #[serde(default)]
    pub policy_ids: Vec<Text>,
    /// Principal who approved.
    #[serde(default)]
    pub second_person: Option<Text>,
    /// UUID version 7 of the request for approval.
    #[serde(default)]
    pub approval_id: Option<Text>,
    /// Texts concerned.
    #[serde(default)]
    pub content_ids: Vec<Text>,
}

/// What a user said of an answer, without words. LOG-32.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Feedback {
    /// UUID version 7.
    pub feedback_id: Text,
    /// up or down.
    #[serde(default)]
    pub rating: Option<Text>,
    /// Labels that the workspace allows.
    #[serde(default)]
    pub reasons: Vec<Text>,
    /// Size of the free text in bytes.
    #[serde(default)]
    pub comment_bytes: Option<i64>,
    /// What became of the free text: sealed or dropped.
    #[serde(default)]
    pub comment_handling: Option<Text>,
}
