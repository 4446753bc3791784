//! Why a request gets no answer: stable code, status and sentence for the caller. Nothing here quotes the request.

use std::{borrow::Cow, time::Duration};

use custody_log::AppendError;
use custody_types::{Fault, Retry};

use crate::{content::CaptureError, recorder::Unconfirmed};

/// A log that is away is seldom back sooner.
const RETRY_LOG: Duration = Duration::from_secs(5);

/// What the caller gets in place of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) family: Family,
    pub(crate) code: &'static str,
    pub(crate) message: Cow<'static, str>,
    pub(crate) param: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) class: OutcomeClass,
}

/// Whose matter a refusal is, in OpenAI's four words; Bedrock's exceptions follow from it and the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    InvalidRequest,
    Authentication,
    Permission,
    Server,
}

impl Family {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request_error",
            Self::Authentication => "authentication_error",
            Self::Permission => "permission_error",
            Self::Server => "server_error",
        }
    }
}

/// How a request ended; the closed set of the outcome event's `class`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutcomeClass {
    Answered,
    Truncated,
    Refused,
    InvalidOutput,
    Failed,
    Interrupted,
    Abandoned,
}

impl OutcomeClass {
    pub(crate) const ALL: [Self; 7] =
        [Self::Answered, Self::Truncated, Self::Refused, Self::InvalidOutput, Self::Failed, Self::Interrupted, Self::Abandoned];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Truncated => "truncated",
            Self::Refused => "refused",
            Self::InvalidOutput => "invalid_output",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Abandoned => "abandoned",
        }
    }
}

impl Refusal {
    fn new(status: u16, family: Family, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, family, code, message: message.into(), param: None, retry_after: None, class: OutcomeClass::Refused }
    }

    pub(crate) fn invalid(status: u16, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(status, Family::InvalidRequest, code, message)
    }

    pub(crate) fn at(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    pub(crate) fn unidentified(code: &'static str, message: &'static str) -> Self {
        Self::new(401, Family::Authentication, code, message)
    }

    pub(crate) fn forbidden(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(403, Family::Permission, code, message)
    }

    pub(crate) fn switched_off(stage: &'static str) -> Self {
        Self::new(403, Family::Permission, "stage_disabled", format!("an operator switched off the stage `{stage}`"))
    }

    pub(crate) fn overloaded() -> Self {
        let refusal = Self::new(503, Family::Server, "overloaded", "too many requests are under way; try again shortly");
        Self { retry_after: Some(Duration::from_secs(1)), ..refusal }
    }

    /// What cannot be recorded does not proceed.
    pub(crate) fn unrecorded(error: &AppendError) -> Self {
        let failed = |code, message| Self { class: OutcomeClass::Failed, ..Self::new(503, Family::Server, code, message) };
        match error {
            AppendError::Full { retry_after, .. } => {
                let refusal = failed("journal_full", "the evidence journal has no room; the request was not sent");
                Self { retry_after: Some(*retry_after), ..refusal }
            }
            AppendError::TooLarge { .. } => {
                Self::invalid(413, "evidence_too_large", "the request needs a record larger than the journal takes")
            }
            AppendError::Empty | AppendError::Obligation | AppendError::Failed | AppendError::Closed => {
                failed("evidence_unavailable", "the evidence of this request could not be made durable")
            }
        }
    }

    /// What must survive this machine does not proceed while the log is away. The record itself is kept and shipped later.
    pub(crate) fn unconfirmed(_unconfirmed: Unconfirmed) -> Self {
        let message = "the evidence log is away, and this capability's control level needs it; nothing was released";
        let refusal = Self::new(503, Family::Server, "log_unavailable", message);
        Self { class: OutcomeClass::Failed, retry_after: Some(RETRY_LOG), ..refusal }
    }

    /// What must be kept and cannot be does not proceed. Nothing was sent to a model.
    pub(crate) fn uncaptured(error: &CaptureError) -> Self {
        let code = error.code();
        if code == "content_too_large" {
            return Self::invalid(413, code, "the request's text must be kept, and is longer than the vault takes");
        }
        let message = match code {
            "content_key_missing" => "the request's text must be kept, and there is no key to seal it with; the request was not sent",
            "content_journal_full" => "the request's text must be kept, and there is no room for it; the request was not sent",
            _ => "the request's text must be kept, and could not be made durable; the request was not sent",
        };
        let retry_after = match error.retry() {
            Retry::After(wait) => wait,
            Retry::Never => RETRY_LOG,
        };
        Self { class: OutcomeClass::Failed, retry_after: Some(retry_after), ..Self::new(503, Family::Server, code, message) }
    }

    /// The answer must be kept and could not be: it is not released.
    pub(crate) fn uncaptured_answer(_error: &CaptureError) -> Self {
        let message = "the answer must be kept, and could not be made durable; it was not released";
        Self { class: OutcomeClass::Failed, ..Self::new(503, Family::Server, "content_unavailable", message) }
    }

    /// Every route that may be taken is left alone for now.
    pub(crate) fn routes_unavailable(retry_after: Duration) -> Self {
        let message = "the routes of this capability are out of use for now; try again shortly";
        let refusal = Self::new(503, Family::Server, "routes_unavailable", message);
        Self { class: OutcomeClass::Failed, retry_after: Some(retry_after), ..refusal }
    }

    /// The model did not give an answer.
    pub(crate) fn upstream(status: u16, code: &'static str, message: &'static str) -> Self {
        Self { class: OutcomeClass::Failed, ..Self::new(status, Family::Server, code, message) }
    }

    pub(crate) fn interrupted() -> Self {
        let refusal = Self::new(502, Family::Server, "upstream_cut", "the model's answer broke off");
        Self { class: OutcomeClass::Interrupted, ..refusal }
    }

    pub(crate) fn invalid_output(check: &str) -> Self {
        let message = format!("the model's answer failed the check `{check}` and was not released");
        Self { class: OutcomeClass::InvalidOutput, ..Self::new(502, Family::Server, "invalid_output", message) }
    }

    pub(crate) fn abandoned() -> Self {
        let refusal = Self::new(499, Family::Server, "client_gone", "the caller hung up before the answer was released");
        Self { class: OutcomeClass::Abandoned, ..refusal }
    }

    pub(crate) fn defect() -> Self {
        Self { class: OutcomeClass::Failed, ..Self::new(500, Family::Server, "internal", "the gateway failed; nothing was released") }
    }
}
