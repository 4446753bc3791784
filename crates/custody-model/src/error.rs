//! Why an attempt gave no whole answer.

use std::time::Duration;

use custody_dialect::{ProviderError, UpstreamError};
use custody_types::{Fault, FaultOwner, Retry, Text};

use crate::{AnswerFacts, ProviderFault, protection::Verdict};

/// An attempt failed. Holds what an event may hold: no text of the request, the answer, or the provider's message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the model call failed: {}", self.kind.sentence())]
pub struct ModelError {
    /// What happened.
    pub kind: ErrorKind,
    /// HTTP status of the provider, where it answered at all.
    pub http_status: Option<u16>,
    /// How long the provider asks to wait.
    pub retry_after: Option<Duration>,
    /// The provider's id of the call, where it is a valid label.
    pub provider_request_id: Option<Text>,
    /// What the provider says about it.
    pub provider_error: ProviderError,
}

/// What happened to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The provider answered with an error status.
    Refused {
        /// That status.
        status: u16,
    },
    /// The provider named what is wrong, before its answer or, with HTTP status 200, inside it.
    Named {
        /// What it is.
        fault: ProviderFault,
        /// Whether it was said inside a stream that had begun.
        in_stream: bool,
    },
    /// No credential for the provider could be had: nothing was sent.
    NoCredentials,
    /// The request has something that this provider has no words for: nothing was sent.
    Untranslatable,
    /// No connection could be made: nothing was sent.
    ConnectFailed,
    /// The connection failed before an answer began.
    Failed,
    /// It took too long.
    TimedOut(TimeoutPhase),
    /// The answer broke off.
    Cut,
    /// The provider reported an error inside its stream.
    ErrorInStream,
    /// The answer can't be read.
    Garbage,
    /// The answer is longer than allowed.
    TooLarge,
    /// The request could not be written; a defect of the product.
    Unsendable,
    /// The caller took the answer so slowly that the attempt's time ran out.
    CallerTooSlow,
}

/// What took too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeoutPhase {
    /// The connection.
    Connect,
    /// The wait for the first content of a stream.
    FirstToken,
    /// A pause inside the answer.
    Idle,
    /// The whole attempt.
    Total,
}

impl ModelError {
    /// An error of which only the kind is known.
    #[must_use]
    pub fn new(kind: ErrorKind) -> Self {
        let http_status = if let ErrorKind::Refused { status } = kind { Some(status) } else { None };
        Self { kind, http_status, retry_after: None, provider_request_id: None, provider_error: ProviderError::default() }
    }

    /// Whether another attempt, here or on another route, may succeed. False for what would fail again and for what has used
    /// up the time. A stream of which the caller saw a piece must not be tried again, whatever this says.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self.kind {
            ErrorKind::Refused { status } => matches!(status, 408 | 409 | 425 | 429 | 500..=599),
            ErrorKind::Named { fault, .. } => fault.retryable(),
            ErrorKind::NoCredentials | ErrorKind::Untranslatable | ErrorKind::ConnectFailed | ErrorKind::Failed => true,
            ErrorKind::Cut | ErrorKind::ErrorInStream | ErrorKind::Garbage => true,
            ErrorKind::TimedOut(phase) => matches!(phase, TimeoutPhase::Connect | TimeoutPhase::FirstToken),
            ErrorKind::TooLarge | ErrorKind::Unsendable | ErrorKind::CallerTooSlow => false,
        }
    }

    /// What the attempt says of its route, as a circuit breaker counts it: failed, where the next one would likely fail too, whatever
    /// it asks; answered, where the request itself is to blame. What was never sent, or was ended for the caller's sake, says nothing.
    #[must_use]
    pub const fn verdict(&self) -> Option<Verdict> {
        let routes_fault = match self.kind {
            ErrorKind::Refused { status } => matches!(status, 401 | 403 | 404 | 408 | 425 | 429 | 500..=599),
            ErrorKind::Named { fault, .. } => fault.is_the_routes(),
            ErrorKind::NoCredentials | ErrorKind::ConnectFailed | ErrorKind::Failed | ErrorKind::TimedOut(_) => true,
            ErrorKind::Cut | ErrorKind::ErrorInStream | ErrorKind::Garbage => true,
            ErrorKind::TooLarge => false,
            ErrorKind::Untranslatable | ErrorKind::Unsendable | ErrorKind::CallerTooSlow => return None,
        };
        Some(if routes_fault { Verdict::Failed } else { Verdict::Answered })
    }

    /// Whether the provider may have worked on the request and charge for it: then its usage is unknown, not zero.
    #[must_use]
    pub const fn may_be_charged(&self) -> bool {
        match self.kind {
            ErrorKind::Named { fault, in_stream } => in_stream || fault.may_be_charged(),
            // A server that fails, or whose proxy lost patience, may have done the work; 503 says that it did not begin.
            ErrorKind::Refused { status: 500 | 502 | 504..=599 } => true,
            ErrorKind::Refused { .. } | ErrorKind::ConnectFailed | ErrorKind::TimedOut(TimeoutPhase::Connect) => false,
            ErrorKind::NoCredentials | ErrorKind::Untranslatable | ErrorKind::Unsendable => false,
            ErrorKind::Failed | ErrorKind::TimedOut(_) | ErrorKind::Cut | ErrorKind::ErrorInStream => true,
            ErrorKind::Garbage | ErrorKind::TooLarge | ErrorKind::CallerTooSlow => true,
        }
    }

    /// The attempt's status in its event: refused, failed, timed_out or cut.
    #[must_use]
    pub const fn status(&self) -> &'static str {
        match self.kind {
            ErrorKind::Refused { .. } => "refused",
            ErrorKind::TimedOut(_) => "timed_out",
            ErrorKind::CallerTooSlow | ErrorKind::Cut | ErrorKind::ErrorInStream | ErrorKind::Named { in_stream: true, .. } => "cut",
            ErrorKind::Named { fault, in_stream: false } => fault.status(),
            ErrorKind::NoCredentials | ErrorKind::Untranslatable | ErrorKind::ConnectFailed | ErrorKind::Failed => "failed",
            ErrorKind::Garbage | ErrorKind::TooLarge | ErrorKind::Unsendable => "failed",
        }
    }

    /// The HTTP status for the caller. A provider's 401 or 403 is our operator's matter and never shown as the caller's own.
    #[must_use]
    pub const fn caller_status(&self) -> u16 {
        match self.kind {
            ErrorKind::Refused { status: 429 } => 429,
            ErrorKind::Refused { status: 503 } => 503,
            ErrorKind::Named { fault, .. } => fault.caller_status(),
            ErrorKind::Untranslatable => 400,
            ErrorKind::TimedOut(_) => 504,
            ErrorKind::Unsendable => 500,
            _ => 502,
        }
    }

    /// The same error of an attempt that was answered.
    pub(crate) fn with_facts(self, facts: &AnswerFacts) -> Self {
        Self { http_status: Some(facts.http_status), provider_request_id: facts.provider_request_id.clone(), ..self }
    }

    pub(crate) fn of_upstream(error: UpstreamError) -> Self {
        let kind = match error {
            UpstreamError::Garbage | UpstreamError::NoChoice => ErrorKind::Garbage,
            UpstreamError::LineTooLong { .. } | UpstreamError::AnswerTooLong { .. } => ErrorKind::TooLarge,
            UpstreamError::Cut => ErrorKind::Cut,
            UpstreamError::InStream(_) => ErrorKind::ErrorInStream,
        };
        let provider_error = if let UpstreamError::InStream(said) = error { said } else { ProviderError::default() };
        Self { provider_error, ..Self::new(kind) }
    }
}

impl ErrorKind {
    const fn sentence(self) -> &'static str {
        match self {
            Self::Refused { .. } => "the provider answered with an error status",
            Self::Named { fault, .. } => fault.sentence(),
            Self::NoCredentials => "no credentials for the provider could be had",
            Self::Untranslatable => "the request has something that this provider has no words for",
            Self::ConnectFailed => "no connection to the provider could be made",
            Self::Failed => "the connection to the provider failed",
            Self::TimedOut(TimeoutPhase::Connect) => "connecting to the provider took too long",
            Self::TimedOut(TimeoutPhase::FirstToken) => "the provider did not begin to answer in time",
            Self::TimedOut(TimeoutPhase::Idle) => "the provider paused for too long inside its answer",
            Self::TimedOut(TimeoutPhase::Total) => "the provider did not finish its answer in time",
            Self::Cut => "the provider's answer broke off",
            Self::ErrorInStream => "the provider reported an error inside its answer",
            Self::Garbage => "the provider's answer can't be read",
            Self::TooLarge => "the provider's answer is longer than this gateway accepts",
            Self::Unsendable => "the request could not be written",
            Self::CallerTooSlow => "the caller took the answer too slowly",
        }
    }
}

impl Fault for ModelError {
    fn owner(&self) -> FaultOwner {
        match self.kind {
            ErrorKind::Refused { status: 429 | 408 | 409 | 425 | 500..=599 } => FaultOwner::Upstream,
            ErrorKind::Refused { .. } | ErrorKind::NoCredentials => FaultOwner::Operator,
            ErrorKind::Named { fault, .. } => fault.owner(),
            ErrorKind::Untranslatable | ErrorKind::CallerTooSlow => FaultOwner::Caller,
            ErrorKind::Unsendable => FaultOwner::Product,
            _ => FaultOwner::Upstream,
        }
    }

    fn retry(&self) -> Retry {
        if self.retryable() { Retry::After(self.retry_after.unwrap_or(Duration::from_secs(1))) } else { Retry::Never }
    }

    fn code(&self) -> &'static str {
        match self.kind {
            ErrorKind::Refused { status: 401 | 403 } => "upstream_denied",
            ErrorKind::Refused { status: 429 } => "upstream_throttled",
            ErrorKind::Refused { status: 408 | 500..=599 } => "upstream_unavailable",
            ErrorKind::Refused { .. } => "upstream_rejected",
            ErrorKind::Named { fault, .. } => fault.code(),
            ErrorKind::NoCredentials => "upstream_no_credentials",
            ErrorKind::Untranslatable => "upstream_untranslatable",
            ErrorKind::ConnectFailed => "upstream_connect_failed",
            ErrorKind::Failed => "upstream_failed",
            ErrorKind::TimedOut(TimeoutPhase::Connect) => "upstream_timed_out_connect",
            ErrorKind::TimedOut(TimeoutPhase::FirstToken) => "upstream_timed_out_first_token",
            ErrorKind::TimedOut(TimeoutPhase::Idle) => "upstream_timed_out_idle",
            ErrorKind::TimedOut(TimeoutPhase::Total) => "upstream_timed_out_total",
            ErrorKind::Cut => "upstream_cut",
            ErrorKind::ErrorInStream => "upstream_error_in_stream",
            ErrorKind::Garbage => "upstream_garbage",
            ErrorKind::TooLarge => "upstream_answer_too_large",
            ErrorKind::Unsendable => "upstream_unsendable",
            ErrorKind::CallerTooSlow => "caller_too_slow",
        }
    }
}
