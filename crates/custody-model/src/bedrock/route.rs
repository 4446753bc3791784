//! What one route adds to each of its calls. All of it is the operator's word.

use custody_dialect::{LatencyMode, ServiceTier};
use serde_json::value::RawValue;

use super::Guardrail;

/// A route's additions; by default none.
#[derive(Debug, Default)]
pub struct BedrockRoute {
    /// The guardrail around the model.
    pub guardrail: Option<Guardrail>,
    /// The price class of every call.
    pub service_tier: Option<ServiceTier>,
    /// The speed of every call.
    pub latency: Option<LatencyMode>,
    /// Fields of the model's own, a JSON object (`additionalModelRequestFields`).
    pub extra: Option<Box<RawValue>>,
}
