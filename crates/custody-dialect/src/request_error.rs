//! Why a body is not a request that can be served.

use std::fmt;

use custody_types::{Fault, FaultOwner, Retry};

/// A caller's body was refused: a stable code, where it is wrong, and what would be accepted. Holds no text of the body, save a
/// short field name in [`RequestError::param`] that looks like an identifier: record the code, answer the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestError {
    code: RequestErrorCode,
    param: String,
    reason: &'static str,
}

/// The stable codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestErrorCode {
    /// The body is longer than allowed.
    BodyTooLarge,
    /// The body, or a text in it, is not Unicode.
    InvalidUtf8,
    /// The body is not JSON.
    NotJson,
    /// JSON is nested deeper than allowed.
    TooDeep,
    /// A value has the wrong type.
    WrongType,
    /// A required field is absent.
    MissingField,
    /// A field is given twice.
    DuplicateField,
    /// Two fields contradict each other.
    ConflictingFields,
    /// A field is no part of the API.
    UnknownField,
    /// A field, or its value, is part of the API and not served here.
    UnsupportedField,
    /// A message's role is unknown.
    UnknownRole,
    /// A content part is of a type that is not served.
    UnsupportedPart,
    /// A number or a length is outside its range.
    OutOfRange,
    /// A value is none of those that are accepted.
    InvalidValue,
    /// A list that must not be empty is.
    Empty,
    /// There are too many messages.
    TooManyMessages,
}

impl RequestErrorCode {
    /// The code's public name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BodyTooLarge => "body_too_large",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::NotJson => "not_json",
            Self::TooDeep => "too_deep",
            Self::WrongType => "wrong_type",
            Self::MissingField => "missing_field",
            Self::DuplicateField => "duplicate_field",
            Self::ConflictingFields => "conflicting_fields",
            Self::UnknownField => "unknown_field",
            Self::UnsupportedField => "unsupported_field",
            Self::UnknownRole => "unknown_role",
            Self::UnsupportedPart => "unsupported_part",
            Self::OutOfRange => "out_of_range",
            Self::InvalidValue => "invalid_value",
            Self::Empty => "empty",
            Self::TooManyMessages => "too_many_messages",
        }
    }
}

impl RequestError {
    pub(crate) fn new(code: RequestErrorCode, param: impl Into<String>, reason: &'static str) -> Self {
        Self { code, param: param.into(), reason }
    }

    /// The stable code as a closed set.
    #[must_use]
    pub const fn kind(&self) -> RequestErrorCode {
        self.code
    }

    /// Where the body is wrong, as `messages[2].content`; absent where it is wrong as a whole.
    #[must_use]
    pub fn param(&self) -> Option<&str> {
        (!self.param.is_empty()).then_some(&self.param)
    }

    /// The HTTP status it is answered with.
    #[must_use]
    pub const fn http_status(&self) -> u16 {
        match self.code {
            RequestErrorCode::BodyTooLarge => 413,
            _ => 400,
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.param() {
            Some(param) => write!(f, "`{param}` {}", self.reason),
            None => write!(f, "the body {}", self.reason),
        }
    }
}

impl std::error::Error for RequestError {}

impl Fault for RequestError {
    fn owner(&self) -> FaultOwner {
        FaultOwner::Caller
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn code(&self) -> &'static str {
        self.code.as_str()
    }
}
