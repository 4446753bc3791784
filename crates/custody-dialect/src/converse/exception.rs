//! Errors as the service writes them: a status, the exception's name in a header, and a body with a message.
//!
//! ```text
//! HTTP/1.1 400
//! x-amzn-errortype: ValidationException
//!
//! {"message":"…"}
//! ```
//! A stream that has begun is HTTP 200 and carries an exception as an event; five kinds may stand there (REFERENCE 1.1).

use serde::Serialize;

/// The header that names the exception.
pub const ERROR_TYPE_HEADER: &str = "x-amzn-errortype";

/// The exceptions of the service model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exception {
    /// The request is wrong.
    Validation,
    /// A quota of the account is used up; not declared for Converse.
    ServiceQuotaExceeded,
    /// The caller may not.
    AccessDenied,
    /// What was named does not exist.
    ResourceNotFound,
    /// The model took too long.
    ModelTimeout,
    /// The model failed.
    ModelError,
    /// The model failed inside its stream.
    ModelStreamError,
    /// Too many requests.
    Throttling,
    /// The model is not loaded yet.
    ModelNotReady,
    /// The service failed.
    InternalServer,
    /// The service is away.
    ServiceUnavailable,
}

impl Exception {
    /// All exceptions.
    pub const ALL: [Self; 11] = [
        Self::Validation,
        Self::ServiceQuotaExceeded,
        Self::AccessDenied,
        Self::ResourceNotFound,
        Self::ModelTimeout,
        Self::ModelError,
        Self::ModelStreamError,
        Self::Throttling,
        Self::ModelNotReady,
        Self::InternalServer,
        Self::ServiceUnavailable,
    ];

    /// The exception's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Validation => "ValidationException",
            Self::ServiceQuotaExceeded => "ServiceQuotaExceededException",
            Self::AccessDenied => "AccessDeniedException",
            Self::ResourceNotFound => "ResourceNotFoundException",
            Self::ModelTimeout => "ModelTimeoutException",
            Self::ModelError => "ModelErrorException",
            Self::ModelStreamError => "ModelStreamErrorException",
            Self::Throttling => "ThrottlingException",
            Self::ModelNotReady => "ModelNotReadyException",
            Self::InternalServer => "InternalServerException",
            Self::ServiceUnavailable => "ServiceUnavailableException",
        }
    }

    /// The status that goes with it.
    #[must_use]
    pub const fn http_status(self) -> u16 {
        match self {
            Self::Validation | Self::ServiceQuotaExceeded => 400,
            Self::AccessDenied => 403,
            Self::ResourceNotFound => 404,
            Self::ModelTimeout => 408,
            Self::ModelError | Self::ModelStreamError => 424,
            Self::Throttling | Self::ModelNotReady => 429,
            Self::InternalServer => 500,
            Self::ServiceUnavailable => 503,
        }
    }

    /// The event name under which a stream carries it; what a stream can't carry becomes the nearest that it can.
    #[must_use]
    pub const fn stream_name(self) -> &'static str {
        match self {
            Self::Validation => "validationException",
            Self::Throttling | Self::ModelNotReady | Self::ServiceQuotaExceeded => "throttlingException",
            Self::ModelTimeout | Self::ModelError | Self::ModelStreamError => "modelStreamErrorException",
            Self::ServiceUnavailable => "serviceUnavailableException",
            Self::AccessDenied | Self::ResourceNotFound | Self::InternalServer => "internalServerException",
        }
    }
}

/// An exception's body; inside a stream it is the event's payload.
#[must_use]
pub fn exception_body(message: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct Wire<'a> {
        message: &'a str,
    }
    serde_json::to_vec(&Wire { message }).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of the service model.
    #[test]
    fn every_exception_has_its_name_and_status() {
        let table: Vec<(&str, u16)> = Exception::ALL.iter().map(|one| (one.name(), one.http_status())).collect();
        let known = [
            ("ValidationException", 400),
            ("ServiceQuotaExceededException", 400),
            ("AccessDeniedException", 403),
            ("ResourceNotFoundException", 404),
            ("ModelTimeoutException", 408),
            ("ModelErrorException", 424),
            ("ModelStreamErrorException", 424),
            ("ThrottlingException", 429),
            ("ModelNotReadyException", 429),
            ("InternalServerException", 500),
            ("ServiceUnavailableException", 503),
        ];
        assert_eq!(table, known);
    }

    #[test]
    fn a_stream_carries_its_five_exceptions_and_no_other() {
        let five = ["validationException", "throttlingException", "modelStreamErrorException"];
        let five = [five.as_slice(), &["serviceUnavailableException", "internalServerException"]].concat();
        assert!(Exception::ALL.iter().all(|one| five.contains(&one.stream_name())));
    }
}
