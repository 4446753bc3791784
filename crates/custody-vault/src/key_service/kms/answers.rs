//! What KMS answers when it does not do what it was asked.
//!
//! | KMS | means | we |
//! | --- | --- | --- |
//! | `ThrottlingException`, `LimitExceeded`, `RequestLimitExceeded`, 429 | too many calls | wait 1 s |
//! | no answer, timeout, 5xx, `KMSInternal`, `DependencyTimeout`, `KeyUnavailable` | away | wait 5 s |
//! | `AccessDenied`, credentials, signature, grants | we may not | refused |
//! | `NotFound` | no such key | the wrapping key is not held |
//! | `Disabled`, `KMSInvalidState` (pending deletion) | not usable now | the wrapping key is not held |
//! | `InvalidCiphertext`, `IncorrectKey` | other bytes, context or key | not authentic |

use std::time::Duration;

use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use custody_seal::wrap::WrapError;

const THROTTLED_PAUSE: Duration = Duration::from_secs(1);
const AWAY_PAUSE: Duration = Duration::from_secs(5);

/// Why a call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failure<'a> {
    pub(super) kind: Kind,
    /// The service's word, for the log.
    pub(super) code: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Throttled,
    Unavailable,
    Denied,
    KeyGone,
    KeyUnusable,
    NotAuthentic,
}

impl<'a> Failure<'a> {
    pub(super) fn of<E: ProvideErrorMetadata>(error: &'a SdkError<E>) -> Self {
        match error {
            SdkError::ServiceError(answer) => {
                let code = answer.err().code().unwrap_or("unknown");
                Self { kind: Kind::of(code, answer.raw().status().as_u16()), code }
            }
            SdkError::TimeoutError(_) => Self { kind: Kind::Unavailable, code: "timeout" },
            SdkError::DispatchFailure(failure) if failure.is_timeout() || failure.is_io() => {
                Self { kind: Kind::Unavailable, code: "no connection" }
            }
            SdkError::ResponseError(_) => Self { kind: Kind::Unavailable, code: "no readable answer" },
            // Without credentials nothing is sent at all.
            SdkError::DispatchFailure(_) => Self { kind: Kind::Unavailable, code: "not sent: connection or credentials" },
            _ => Self { kind: Kind::Denied, code: "request not made" },
        }
    }
}

impl Kind {
    fn of(code: &str, status: u16) -> Self {
        match code {
            "ThrottlingException" | "Throttling" | "LimitExceededException" | "RequestLimitExceeded" | "TooManyRequestsException" => {
                Self::Throttled
            }
            "KMSInternalException"
            | "DependencyTimeoutException"
            | "KeyUnavailableException"
            | "ServiceUnavailable"
            | "ServiceUnavailableException"
            | "InternalFailure" => Self::Unavailable,
            "NotFoundException" => Self::KeyGone,
            "DisabledException" | "KMSInvalidStateException" => Self::KeyUnusable,
            "InvalidCiphertextException" | "IncorrectKeyException" => Self::NotAuthentic,
            _ if status == 429 => Self::Throttled,
            _ if status >= 500 => Self::Unavailable,
            _ => Self::Denied,
        }
    }
}

impl From<Kind> for WrapError {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Throttled => Self::Unavailable { retry_after: THROTTLED_PAUSE },
            Kind::Unavailable => Self::Unavailable { retry_after: AWAY_PAUSE },
            Kind::Denied => Self::Refused,
            Kind::KeyGone | Kind::KeyUnusable => Self::UnknownKey,
            Kind::NotAuthentic => Self::NotAuthentic,
        }
    }
}

#[cfg(test)]
mod tests;
