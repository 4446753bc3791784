//! A Converse request: the neutral one in the dialect's words, and what the route adds and the caller can't: guardrail, price class,
//! speed, fields of the model's own.

use std::borrow::Cow;

use custody_dialect::{ChatRequest, LatencyMode, ServiceTier, converse::render_request};
use serde::Serialize;

use super::{BedrockRoute, metadata};
use crate::{ErrorKind, ModelCall, ModelError};

#[derive(Serialize)]
struct Performance {
    latency: &'static str,
}

#[derive(Serialize)]
struct Tier {
    r#type: &'static str,
}

/// The request's body.
pub(super) fn render(call: &ModelCall, route: &BedrockRoute, stream: bool) -> Result<Vec<u8>, ModelError> {
    let request = without_what_the_route_decides(&call.request, route);
    let body = render_request(&request, &metadata::labels(call)).map_err(|_| ModelError::new(ErrorKind::Untranslatable))?;
    let mut members = Members(body);
    members.add("guardrailConfig", route.guardrail.as_ref().map(|guardrail| guardrail.json(stream)))?;
    members.add("additionalModelRequestFields", route.extra.as_deref())?;
    members.add("performanceConfig", route.latency.map(LatencyMode::as_str).map(|latency| Performance { latency }))?;
    members.add("serviceTier", route.service_tier.map(ServiceTier::as_str).map(|r#type| Tier { r#type }))?;
    Ok(members.0)
}

/// Price class and speed are the route's where it names them, since the operator pays. A copy is made only for a caller who names
/// them too.
fn without_what_the_route_decides<'a>(request: &'a ChatRequest, route: &BedrockRoute) -> Cow<'a, ChatRequest> {
    let tier = route.service_tier.is_some() && request.options.service_tier.is_some();
    let latency = route.latency.is_some() && request.options.latency.is_some();
    if !tier && !latency {
        return Cow::Borrowed(request);
    }
    let mut request = request.clone();
    request.options.service_tier = request.options.service_tier.filter(|_| !tier);
    request.options.latency = request.options.latency.filter(|_| !latency);
    Cow::Owned(request)
}

/// A JSON object that more members are written behind.
struct Members(Vec<u8>);

impl Members {
    fn add(&mut self, name: &'static str, value: Option<impl Serialize>) -> Result<(), ModelError> {
        let Some(value) = value else { return Ok(()) };
        let unsendable = || ModelError::new(ErrorKind::Unsendable);
        if self.0.pop() != Some(b'}') {
            return Err(unsendable());
        }
        self.0.extend_from_slice(format!(",\"{name}\":").as_bytes());
        serde_json::to_writer(&mut self.0, &value).map_err(|_| unsendable())?;
        self.0.push(b'}');
        Ok(())
    }
}
