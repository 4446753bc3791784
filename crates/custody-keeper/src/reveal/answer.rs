//! What whoever asked is told.

use std::fmt;

use custody_policy::DenialReason;
use custody_seal::{OpenedText, Part};
use custody_types::{RequestId, Text, Timestamp};

/// The end of one attempt to see text.
#[derive(Debug)]
pub enum RevealAnswer {
    /// Here it is.
    Revealed {
        /// The texts, in order of part and ordinal.
        texts: Vec<RevealedText>,
        /// Texts of the request that can't be shown.
        closed: Vec<ClosedText>,
    },
    /// A second person has to agree first.
    Pending(PendingReveal),
    /// No.
    Denied(Denial),
}

/// The end of one attempt to agree, or to take it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApproveAnswer {
    /// It is so.
    Done,
    /// No.
    Denied(Denial),
}

/// One text, opened. Prints nothing of it.
pub struct RevealedText {
    /// Its id.
    pub content_id: Text,
    /// Which text of the request.
    pub part: Part,
    /// Which of its part.
    pub ordinal: u32,
    /// The text.
    pub opened: OpenedText,
}

/// A text that was asked for and can't be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedText {
    /// Its id.
    pub content_id: Text,
    /// Which text of the request.
    pub part: Part,
    /// Which of its part.
    pub ordinal: u32,
    /// Why not.
    pub code: &'static str,
}

/// A reveal that waits for a second person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingReveal {
    /// What the second person names to agree, and the asker then to see.
    pub approval_id: String,
    /// The request whose texts they are.
    pub request: RequestId,
    /// Who asks.
    pub asker: String,
    /// Why, redacted.
    pub reason: String,
    /// Whether only what redaction leaves is asked for.
    pub redacted: bool,
    /// How many texts.
    pub texts: usize,
    /// Until when it may be used.
    pub expires_at: Timestamp,
    /// Whether somebody has agreed.
    pub approved: bool,
}

/// Why not. The closed set of answers; each has its stable code and its sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// No reason was given.
    ReasonMissing,
    /// The reason is too long.
    ReasonTooLong,
    /// No such text in this tenant; of other tenants nothing is said.
    NothingHere,
    /// As many texts as one principal may see within an hour were asked for.
    RateExceeded,
    /// The rule names no group of the asker, or is gone.
    NotInGroup,
    /// The policies do not permit it.
    NotPermitted,
    /// A policy forbids it.
    Forbidden,
    /// A policy could not be evaluated.
    EvaluationError,
    /// No such approval in this tenant.
    ApprovalUnknown,
    /// Nobody has agreed yet.
    ApprovalNotGiven,
    /// The day in which it could be used is over.
    ApprovalExpired,
    /// It was taken back.
    ApprovalWithdrawn,
    /// It was used.
    ApprovalUsed,
    /// It is for another request, other texts, another form or another asker.
    ApprovalForOther,
    /// Nobody agrees to their own request.
    SamePerson,
    /// A program is no second person.
    NotAPerson,
    /// An erasure covers the text.
    TextForgotten,
    /// Its time is over.
    TextExpired,
    /// It never opened.
    TextUnopened,
}

impl Denial {
    /// The stable code in events, answers and SQL.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ReasonMissing => "reveal_reason_missing",
            Self::ReasonTooLong => "reveal_reason_too_long",
            Self::NothingHere => "reveal_nothing_here",
            Self::RateExceeded => "reveal_rate_exceeded",
            Self::NotInGroup => "reveal_not_in_group",
            Self::NotPermitted => "reveal_not_permitted",
            Self::Forbidden => "reveal_forbidden",
            Self::EvaluationError => "reveal_evaluation_error",
            Self::ApprovalUnknown => "reveal_approval_unknown",
            Self::ApprovalNotGiven => "reveal_approval_not_given",
            Self::ApprovalExpired => "reveal_approval_expired",
            Self::ApprovalWithdrawn => "reveal_approval_withdrawn",
            Self::ApprovalUsed => "reveal_approval_used",
            Self::ApprovalForOther => "reveal_approval_for_other",
            Self::SamePerson => "reveal_same_person",
            Self::NotAPerson => "reveal_not_a_person",
            Self::TextForgotten => "reveal_text_forgotten",
            Self::TextExpired => "reveal_text_expired",
            Self::TextUnopened => "reveal_text_unopened",
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReasonMissing => "a reason is needed",
            Self::ReasonTooLong => "the reason is longer than 500 characters",
            Self::NothingHere => "no text of this request is kept for your tenant",
            Self::RateExceeded => "you have asked for as many texts as one may see within an hour",
            Self::NotInGroup => "the text's data-handling rule lets none of your groups see it",
            Self::NotPermitted => "no policy permits it",
            Self::Forbidden => "a policy forbids it",
            Self::EvaluationError => "a policy could not be evaluated, so the answer is no",
            Self::ApprovalUnknown => "there is no such approval in your tenant",
            Self::ApprovalNotGiven => "nobody has approved it yet",
            Self::ApprovalExpired => "the approval is no longer valid",
            Self::ApprovalWithdrawn => "the approval was withdrawn",
            Self::ApprovalUsed => "the approval was used",
            Self::ApprovalForOther => "the approval is for another request, other texts, another form or another asker",
            Self::SamePerson => "a second person has to approve, not the one who asks",
            Self::NotAPerson => "a person has to approve, not a program",
            Self::TextForgotten => "the text was erased",
            Self::TextExpired => "the text's time is over",
            Self::TextUnopened => "the text never opened and is kept as the gateway sealed it",
        })
    }
}

impl From<DenialReason> for Denial {
    fn from(reason: DenialReason) -> Self {
        match reason {
            DenialReason::NotPermitted => Self::NotPermitted,
            DenialReason::Forbidden => Self::Forbidden,
            DenialReason::EvaluationError => Self::EvaluationError,
        }
    }
}

impl fmt::Debug for RevealedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevealedText").field("content_id", &self.content_id).field("part", &self.part).finish_non_exhaustive()
    }
}
