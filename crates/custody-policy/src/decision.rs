//! What a policy set answers.

use std::sync::Arc;

use custody_types::Text;

/// The answer to one question, with what decided it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether it is allowed.
    pub allowed: bool,
    /// Ids of the policies that decided, in order of their names; empty where nothing permits.
    pub policy_ids: Arc<[Text]>,
    /// Ids of the policies whose evaluation failed, in order of their names. Any entry denies.
    pub errors: Arc<[Text]>,
    /// Why not, where it is not allowed.
    pub denial: Option<DenialReason>,
}

/// Why something is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DenialReason {
    /// No policy permits it.
    NotPermitted,
    /// A policy forbids it.
    Forbidden,
    /// A policy could not be evaluated.
    EvaluationError,
}

impl DenialReason {
    /// The stable name in events and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotPermitted => "not_permitted",
            Self::Forbidden => "forbidden",
            Self::EvaluationError => "evaluation_error",
        }
    }
}

impl Decision {
    /// The name for the event's `decision` field.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        if self.allowed { "allow" } else { "deny" }
    }
}
