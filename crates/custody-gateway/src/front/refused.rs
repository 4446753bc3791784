//! A refusal in the caller's form. OpenAI's says everything of ours; Bedrock's knows eleven exceptions, of which seven are used:
//!
//! ```text
//! family           status  exception                          boto3 repeats   such as
//! Authentication   401     AccessDeniedException 403          never           no key, an unknown key, a signed request
//! Permission       403     AccessDeniedException 403          never           policy, another tenant named, a stage switched off
//! InvalidRequest   404     ResourceNotFoundException 404      never           unknown capability, unknown path
//! InvalidRequest   others  ValidationException 400            never           malformed, too large, too slow, the wrong method
//! Server           400     ValidationException 400            never           the provider calls the request invalid
//! Server           429     ThrottlingException 429            yes             the provider limits its rate
//! Server           502     ModelErrorException 424            never           the provider failed, or its answer did not pass
//! Server           503     ServiceUnavailableException 503    yes             overload, no room, log away, provider away
//! Server           504     ModelTimeoutException 408          never           the provider was too slow
//! Server           500     InternalServerException 500        yes             a defect of ours
//! ```
//! Not used: ServiceQuotaExceededException (not declared for Converse), ModelNotReadyException (no model of ours is ever loading),
//! ModelStreamErrorException as a status. In a stream that has begun, the exception is the last frame; five kinds may stand there:
//! ModelError and ModelTimeout become modelStreamErrorException, AccessDenied becomes internalServerException.
//!
//! Bedrock's form has no place for our stable code, so it stands at the end of the message and in `x-custody-code`.

use custody_dialect::{
    converse::{ERROR_TYPE_HEADER, EventWriter, Exception, exception_body},
    openai::{ErrorBody, render_error},
};

use super::Front;
use crate::refusal::{Family, OutcomeClass, Refusal};

/// The header that carries our stable code where the body can't.
const CODE_HEADER: &str = "x-custody-code";

/// A refusal as it is sent.
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) body: Vec<u8>,
}

impl Front {
    /// The status with which the caller gets the refusal. Nobody gets it who hung up.
    pub(crate) const fn status(self, refusal: &Refusal) -> u16 {
        match (self, refusal.class) {
            (Self::OpenAi, _) | (_, OutcomeClass::Abandoned) => refusal.status,
            (Self::Converse, _) => exception(refusal).http_status(),
        }
    }

    /// The refusal in place of an answer.
    pub(crate) fn refuse(self, refusal: &Refusal) -> Refused {
        let status = self.status(refusal);
        match self {
            Self::OpenAi => Refused { status, headers: openai_headers(refusal), body: openai_body(refusal) },
            Self::Converse => {
                let headers = vec![(ERROR_TYPE_HEADER, exception(refusal).name()), (CODE_HEADER, refusal.code)];
                Refused { status, headers, body: exception_body(&converse_message(refusal)) }
            }
        }
    }

    /// The refusal in place of the rest of a stream.
    pub(crate) fn refuse_rest(self, refusal: &Refusal) -> Vec<u8> {
        match self {
            Self::OpenAi => [b"data: ".as_slice(), &openai_body(refusal), b"\n\n"].concat(),
            Self::Converse => {
                let mut frame = Vec::new();
                EventWriter::new().exception(exception(refusal), &converse_message(refusal), &mut frame);
                frame
            }
        }
    }
}

/// The table above.
const fn exception(refusal: &Refusal) -> Exception {
    match (refusal.family, refusal.status) {
        (Family::Authentication | Family::Permission, _) => Exception::AccessDenied,
        (Family::InvalidRequest, 404) => Exception::ResourceNotFound,
        (Family::InvalidRequest, _) | (Family::Server, 400) => Exception::Validation,
        (Family::Server, 429) => Exception::Throttling,
        (Family::Server, 502) => Exception::ModelError,
        (Family::Server, 503) => Exception::ServiceUnavailable,
        (Family::Server, 504) => Exception::ModelTimeout,
        (Family::Server, _) => Exception::InternalServer,
    }
}

fn converse_message(refusal: &Refusal) -> String {
    format!("{} ({})", refusal.message, refusal.code)
}

fn openai_body(refusal: &Refusal) -> Vec<u8> {
    let param = refusal.param.as_deref();
    render_error(&ErrorBody { message: &refusal.message, kind: refusal.family.as_str(), param, code: refusal.code })
}

/// OpenAI's clients repeat 408, 409, 429 and 5xx by themselves; what would fail again says so.
fn openai_headers(refusal: &Refusal) -> Vec<(&'static str, &'static str)> {
    let final_one = matches!(refusal.class, OutcomeClass::Refused | OutcomeClass::InvalidOutput);
    if final_one && refusal.retry_after.is_none() { vec![("x-should-retry", "false")] } else { Vec::new() }
}
