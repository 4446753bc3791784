//! What is of use in an answer's body: usage, tier of service, guardrail units. Text in it is passed over, never kept.
//!
//! ```text
//! usage              see `usage.rs`
//! serviceTier        Converse: {"type": …}
//! guardrail units    Converse: trace.guardrail, InvokeModel: amazon-bedrock-trace.guardrail; inside, wherever an object
//!                    `invocationMetrics.usage` stands: once per guardrail and side
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::usage;
use crate::{class::Item, guardrail::guardrail_item, normalise::RawUsage};

/// Deeper than any trace.
const MAX_DEPTH: usize = 16;

/// What was found.
#[derive(Default)]
pub(super) struct Body {
    pub(super) usage: Option<RawUsage>,
    /// There is a usage, and it cannot be read or contradicts itself.
    pub(super) usage_is_unreadable: bool,
    pub(super) service_tier: Option<String>,
    pub(super) guardrail_units: BTreeMap<Item, u64>,
}

#[derive(Deserialize)]
struct Written<'j> {
    #[serde(borrow)]
    usage: Option<&'j RawValue>,
    #[serde(borrow, rename = "serviceTier")]
    service_tier: Option<&'j RawValue>,
    trace: Option<Value>,
    #[serde(rename = "amazon-bedrock-trace")]
    bedrock_trace: Option<Value>,
}

#[derive(Deserialize)]
struct Tier {
    #[serde(rename = "type")]
    kind: String,
}

/// A body in another form, such as a list of stream events, says nothing here.
pub(super) fn read(json: &str) -> Body {
    let Ok(written) = serde_json::from_str::<Written<'_>>(json) else { return Body::default() };
    let tier = written.service_tier.and_then(|tier| serde_json::from_str::<Tier>(tier.get()).ok());
    let usage = written.usage.map(|stated| usage::read(stated.get()));
    let mut guardrail_units = BTreeMap::new();
    for trace in [written.trace, written.bedrock_trace].into_iter().flatten() {
        add_units(&trace, MAX_DEPTH, &mut guardrail_units);
    }
    Body {
        usage_is_unreadable: usage.as_ref().is_some_and(Result::is_err),
        usage: usage.and_then(Result::ok).filter(|usage| *usage != RawUsage::default()),
        service_tier: tier.map(|tier| tier.kind),
        guardrail_units,
    }
}

fn add_units(trace: &Value, depth: usize, units: &mut BTreeMap<Item, u64>) {
    let children: Vec<&Value> = match trace {
        Value::Object(object) => {
            if let Some(Value::Object(usage)) = object.get("invocationMetrics").and_then(|metrics| metrics.get("usage")) {
                let counts = usage.iter().filter_map(|(name, count)| Some((guardrail_item(name)?, count.as_u64().filter(|n| *n > 0)?)));
                counts.for_each(|(item, count)| {
                    let sum = units.entry(item).or_default();
                    *sum = sum.saturating_add(count);
                });
            }
            object.values().collect()
        }
        Value::Array(list) => list.iter().collect(),
        _ => return,
    };
    if depth > 0 {
        children.into_iter().for_each(|child| add_units(child, depth - 1, units));
    }
}
