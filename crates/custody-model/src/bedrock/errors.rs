//! From what the SDK says about a failed exchange to what it means here.
//!
//! No message of the provider is read: it may quote the payload. What stays are the exception's name, where it is a plain label,
//! the model's own status, the provider's request id and its advice when to come back.

use std::error::Error;

use aws_sdk_bedrockruntime::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    operation::{converse::ConverseError, converse_stream::ConverseStreamError},
};
use custody_dialect::ProviderError;
use custody_types::Text;
use hyper_util::client::legacy;

use crate::{AnswerFacts, ErrorKind, ModelError, ProviderFault, TimeoutPhase, response_head};

/// The two operations' errors, as far as they are alike.
pub(super) trait OperationError: ProvideErrorMetadata + Error + 'static {
    /// The status that the model itself answered with, where Bedrock tells it.
    fn original_status(&self) -> Option<i32>;
}

impl OperationError for ConverseError {
    fn original_status(&self) -> Option<i32> {
        if let Self::ModelErrorException(error) = self { error.original_status_code } else { None }
    }
}

impl OperationError for ConverseStreamError {
    fn original_status(&self) -> Option<i32> {
        match self {
            Self::ModelErrorException(error) => error.original_status_code,
            Self::ModelStreamErrorException(error) => error.original_status_code,
            _ => None,
        }
    }
}

/// What an answered attempt's head says.
pub(super) fn facts(response: &HttpResponse) -> AnswerFacts {
    let id = response.headers().get("x-amzn-requestid").and_then(response_head::label);
    AnswerFacts { http_status: response.status().as_u16(), provider_request_id: id }
}

pub(super) fn of_sdk<E: OperationError>(error: &SdkError<E, HttpResponse>) -> ModelError {
    match error {
        SdkError::ServiceError(service) => refused(service.raw(), service.err().code(), service.err().original_status()),
        SdkError::ResponseError(unreadable) => refused(unreadable.raw(), None, None),
        // No bound of the SDK's own is set besides the connection's.
        SdkError::TimeoutError(_) => ModelError::new(ErrorKind::TimedOut(TimeoutPhase::Connect)),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => ModelError::new(ErrorKind::TimedOut(TimeoutPhase::Connect)),
        SdkError::DispatchFailure(failure) => {
            ModelError::new(failure.as_connector_error().map_or(ErrorKind::Failed, |error| undelivered(error)))
        }
        // The body is put in later and the endpoint is known, so before the request there is only the identity to fail.
        _ => ModelError::new(ErrorKind::NoCredentials),
    }
}

/// The provider answered with an error status.
fn refused(response: &HttpResponse, name: Option<&str>, original_status: Option<i32>) -> ModelError {
    let facts = facts(response);
    let named = name.and_then(ProviderFault::of_bedrock);
    let kind = match named.or_else(|| ProviderFault::of_bedrock_status(facts.http_status)) {
        Some(fault) => ErrorKind::Named { fault, in_stream: false },
        None if response.status().is_success() => ErrorKind::Garbage,
        None => ErrorKind::Refused { status: facts.http_status },
    };
    let retry_after = response_head::retry_after(|name| response.headers().get(name));
    let provider_error = said(name, original_status);
    ModelError { retry_after, provider_error, ..ModelError::new(kind) }.with_facts(&facts)
}

/// The provider reported an exception as an event of its stream.
pub(super) fn in_stream(said: ProviderError) -> ModelError {
    let kind = match said.kind.as_deref().and_then(ProviderFault::of_bedrock) {
        Some(fault) => ErrorKind::Named { fault, in_stream: true },
        None => ErrorKind::ErrorInStream,
    };
    ModelError { provider_error: said, ..ModelError::new(kind) }
}

fn said(name: Option<&str>, original_status: Option<i32>) -> ProviderError {
    ProviderError { kind: name.and_then(response_head::label), code: original_status.map(|status| Text::from(status.to_string())) }
}

/// Nothing came back. An error that the HTTP client knows nothing of happened before it: no identity could be had.
fn undelivered(error: &(dyn Error + 'static)) -> ErrorKind {
    let mut by_client = false;
    let mut next = Some(error);
    while let Some(cause) = next {
        if cause.downcast_ref::<legacy::Error>().is_some_and(legacy::Error::is_connect) {
            return ErrorKind::ConnectFailed;
        }
        by_client |= cause.is::<legacy::Error>() || cause.is::<hyper::Error>();
        next = cause.source();
    }
    if by_client { ErrorKind::Failed } else { ErrorKind::NoCredentials }
}
