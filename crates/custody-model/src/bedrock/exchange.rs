//! One request and one response, exchanged under the SDK's hands.
//!
//! ```text
//! SDK: choose identity ─▶ [put our body] ─▶ sign ─▶ send ─▶ [take a success's body] ─▶ read an error's body
//! ```
//! The SDK signs, connects, finds the endpoint and reads errors. The JSON of both ways is ours, because the SDK's types would
//! alter it: a tool's schema and arguments lose the order of their keys, which a prompt cache and a model can see; usage that the
//! provider did not state reads as zero tokens; images are decoded only to be encoded again. And what is read in pieces here is
//! bounded in size and in every pause.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_bedrockruntime::{
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextMut},
    },
    error::BoxError,
};
use aws_smithy_types::body::SdkBody;
use http_body_util::Limited;
use hyper::body::Bytes;

use super::errors;
use crate::AnswerFacts;

/// An error body is a few hundred bytes; more is not worth reading.
const MAX_ERROR_BODY: usize = 64 << 10;

/// A request's body on its way out, and the success that came back.
pub(super) struct Exchange {
    body: Bytes,
    answer: Mutex<Option<Answer>>,
}

/// A response that promises an answer.
pub(super) struct Answer {
    pub(super) facts: AnswerFacts,
    pub(super) body: SdkBody,
}

/// The SDK's side of an exchange.
pub(super) struct Hooks(Arc<Exchange>);

impl Exchange {
    pub(super) fn new(body: Vec<u8>) -> Arc<Self> {
        Arc::new(Self { body: body.into(), answer: Mutex::new(None) })
    }

    pub(super) fn hooks(self: &Arc<Self>) -> Hooks {
        Hooks(Arc::clone(self))
    }

    pub(super) fn take_answer(&self) -> Option<Answer> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Intercept for Hooks {
    fn name(&self) -> &'static str {
        "custody-exchange"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        request.headers_mut().insert("content-length", self.0.body.len().to_string());
        *request.body_mut() = SdkBody::from(self.0.body.clone());
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response_mut();
        let success = response.status().is_success();
        let body = std::mem::replace(response.body_mut(), SdkBody::empty());
        if success {
            let answer = Answer { facts: errors::facts(response), body };
            *self.0.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        } else {
            *response.body_mut() = SdkBody::from_body_1_x(Limited::new(body, MAX_ERROR_BODY));
        }
        Ok(())
    }
}

impl std::fmt::Debug for Hooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hooks")
    }
}
