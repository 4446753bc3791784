//! What a provider says besides its answer: in a whole answer beside it, in a stream as the last event.

use custody_types::Text;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::guardrail::parse_guardrail_trace;
use crate::{AnswerDetails, RawUsage, labels::label};

/// The members of the service model that hold facts. They are kept raw: one that can't be read is passed over, and the answer stays.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireFacts<'a> {
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    metrics: Option<&'a RawValue>,
    #[serde(borrow, default)]
    trace: Option<&'a RawValue>,
    #[serde(borrow, default)]
    service_tier: Option<&'a RawValue>,
    #[serde(borrow, default)]
    performance_config: Option<&'a RawValue>,
}

impl WireFacts<'_> {
    /// Reads the facts of a body or an event; what is no JSON object has none.
    pub(super) fn of(json: &[u8]) -> WireFacts<'_> {
        serde_json::from_slice(json).unwrap_or_default()
    }

    pub(super) fn usage(&self) -> Option<RawUsage> {
        self.usage.and_then(RawUsage::from_converse_json)
    }

    pub(super) fn details(&self) -> AnswerDetails {
        let trace: WireTrace<'_> = read(self.trace);
        AnswerDetails {
            latency_ms: read::<WireMetrics>(self.metrics).latency_ms,
            service_tier: word(read::<WireTier>(self.service_tier).kind),
            latency: word(read::<WirePerformance>(self.performance_config).latency),
            invoked_model: word(read::<WireRouter>(trace.prompt_router).invoked_model_id),
            guardrails: trace.guardrail.map(parse_guardrail_trace).unwrap_or_default(),
        }
    }
}

fn read<'a, T: Deserialize<'a> + Default>(raw: Option<&'a RawValue>) -> T {
    // A list would be read as an object's members in order.
    let object = raw.filter(|raw| raw.get().starts_with('{'));
    object.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}

fn word(word: Option<String>) -> Option<Text> {
    label(word.as_deref())
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct WireMetrics {
    #[serde(default)]
    latency_ms: Option<u64>,
}

#[derive(Deserialize, Default)]
struct WireTier {
    #[serde(rename = "type", default)]
    kind: Option<String>,
}

#[derive(Deserialize, Default)]
struct WirePerformance {
    #[serde(default)]
    latency: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct WireTrace<'a> {
    #[serde(borrow, default)]
    guardrail: Option<&'a RawValue>,
    #[serde(borrow, default)]
    prompt_router: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct WireRouter {
    #[serde(default)]
    invoked_model_id: Option<String>,
}
