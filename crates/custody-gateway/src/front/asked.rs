//! What a caller asked for, read from path and body. The path's word is text like any other until it is decoded and found to name
//! a capability.

use std::borrow::Cow;

use custody_dialect::{
    ChatRequest, LatencyMode, Options, RequestError, ServiceTier,
    converse::{self, Limits},
    openai,
};
use custody_types::Fault;

use super::Front;
use crate::refusal::Refusal;

/// What the path says of a governed request.
#[derive(Debug)]
pub(crate) enum Asked {
    /// Nothing but the form: all else stands in the body.
    OpenAi,
    /// The capability's name, percent-encoded as it came, and whether the answer is to be streamed.
    Converse { model_id: String, stream: bool },
}

impl Asked {
    pub(crate) const fn front(&self) -> Front {
        match self {
            Self::OpenAi => Front::OpenAi,
            Self::Converse { .. } => Front::Converse,
        }
    }

    /// The request, once its body is there.
    pub(crate) fn read(&self, body: &[u8], limits: &Limits) -> Result<ChatRequest, Refusal> {
        let read = match self {
            Self::OpenAi => openai::parse_chat_request(body, limits),
            Self::Converse { model_id, stream } => converse::parse_request(&decoded(model_id)?, body, *stream, limits),
        };
        let chat = read.map_err(|error| not_understood(&error))?;
        refuse_bought_service(&chat.options)?;
        Ok(chat)
    }
}

/// What costs more, or waits longer, is bought by who pays: a route says it, and is priced by it.
fn refuse_bought_service(options: &Options) -> Result<(), Refusal> {
    let refuse = |key: &str| {
        let message = format!("`{key}` is chosen by the route and not by the caller; leave it out");
        Err(Refusal::invalid(400, "unsupported_field", message).at(key))
    };
    match (options.service_tier, options.latency) {
        (None | Some(ServiceTier::Default), None | Some(LatencyMode::Standard)) => Ok(()),
        (Some(ServiceTier::Priority | ServiceTier::Flex | ServiceTier::Reserved), _) => refuse("serviceTier.type"),
        (_, Some(LatencyMode::Optimized)) => refuse("performanceConfig.latency"),
    }
}

fn not_understood(error: &RequestError) -> Refusal {
    let refusal = Refusal::invalid(error.http_status(), error.code(), error.to_string());
    match error.param() {
        Some(param) => refusal.at(param),
        None => refusal,
    }
}

/// Decodes once and strictly: a sign that two readers could take differently is refused.
fn decoded(encoded: &str) -> Result<Cow<'_, str>, Refusal> {
    let model_id = Front::Converse.names().capability;
    if !encoded.contains('%') {
        return Ok(Cow::Borrowed(encoded));
    }
    let bytes = percent_decoded(encoded.as_bytes());
    let bytes = bytes.ok_or_else(|| {
        Refusal::invalid(400, "invalid_value", "`modelId` has a `%` that two hexadecimal digits do not follow").at(model_id)
    })?;
    let text = String::from_utf8(bytes);
    text.map(Cow::Owned).map_err(|_| Refusal::invalid(400, "invalid_utf8", "`modelId` is not valid UTF-8 once decoded").at(model_id))
}

fn percent_decoded(encoded: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    loop {
        rest = match rest {
            [] => return Some(decoded),
            [b'%', high, low, rest @ ..] => {
                decoded.push(hex(*high)? << 4 | hex(*low)?);
                rest
            }
            [b'%', ..] => return None,
            [byte, rest @ ..] => {
                decoded.push(*byte);
                rest
            }
        };
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_decoded_once_and_strictly() {
        let code = |encoded: &str| decoded(encoded).map(Cow::into_owned).map_err(|refusal| refusal.code);
        assert_eq!(code("support.answer").as_deref(), Ok("support.answer"));
        assert_eq!(code("team%2Fsupport%3aanswer+v1").as_deref(), Ok("team/support:answer+v1"));
        assert_eq!(code("%2525").as_deref(), Ok("%25"));
        assert_eq!(code("caf%C3%A9").as_deref(), Ok("caf\u{e9}"));
        for broken in ["%", "a%2", "%zz", "%+1", "% 1"] {
            assert_eq!(code(broken), Err("invalid_value"), "{broken}");
        }
        assert_eq!(code("%ff"), Err("invalid_utf8"));
    }
}
