//! What is of use in an answer's body: usage, tier of service, guardrail units. Text in it is passed over, never kept.
//!
//! ```text
//! usage              Converse: inputTokens …; Anthropic: input_tokens …; OpenAI: prompt_tokens …; Nova: cacheReadInputTokenCount …
//! serviceTier        Converse: {"type": …}
//! guardrail units    Converse: trace.guardrail, InvokeModel: amazon-bedrock-trace.guardrail; inside, wherever an object
//!                    `invocationMetrics.usage` stands: once per guardrail and side
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::{
    class::Item,
    guardrail::guardrail_item,
    normalise::{CacheWrites, RawUsage},
};

/// Deeper than any trace.
const MAX_DEPTH: usize = 16;

/// What was found.
#[derive(Default)]
pub(super) struct Body {
    pub(super) usage: Option<RawUsage>,
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

/// Every form at once: their names do not meet.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenUsage {
    #[serde(alias = "input_tokens")]
    input_tokens: Option<u64>,
    #[serde(alias = "output_tokens")]
    output_tokens: Option<u64>,
    #[serde(alias = "total_tokens")]
    total_tokens: Option<u64>,
    #[serde(alias = "cache_read_input_tokens", alias = "cacheReadInputTokenCount")]
    cache_read_input_tokens: Option<u64>,
    #[serde(alias = "cache_creation_input_tokens", alias = "cacheWriteInputTokenCount")]
    cache_write_input_tokens: Option<u64>,
    cache_details: Option<Vec<CacheDetail>>,
    #[serde(rename = "cache_creation")]
    cache_creation: Option<CacheCreation>,
    #[serde(rename = "prompt_tokens")]
    prompt_tokens: Option<u64>,
    #[serde(rename = "completion_tokens")]
    completion_tokens: Option<u64>,
    #[serde(rename = "prompt_tokens_details")]
    prompt_tokens_details: Option<PromptDetails>,
    #[serde(rename = "completion_tokens_details")]
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CacheDetail {
    ttl: String,
    input_tokens: u64,
}

#[derive(Deserialize)]
struct CacheCreation {
    ephemeral_5m_input_tokens: Option<u64>,
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct PromptDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct CompletionDetails {
    reasoning_tokens: Option<u64>,
}

/// A body in another form, such as a list of stream events, says nothing here.
pub(super) fn read(json: &str) -> Body {
    let Ok(written) = serde_json::from_str::<Written<'_>>(json) else { return Body::default() };
    let tier = written.service_tier.and_then(|tier| serde_json::from_str::<Tier>(tier.get()).ok());
    let mut guardrail_units = BTreeMap::new();
    for trace in [written.trace, written.bedrock_trace].into_iter().flatten() {
        add_units(&trace, MAX_DEPTH, &mut guardrail_units);
    }
    Body {
        usage: written.usage.and_then(|usage| serde_json::from_str::<WrittenUsage>(usage.get()).ok()).map(WrittenUsage::raw),
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

impl WrittenUsage {
    fn raw(self) -> RawUsage {
        let details = self.cache_details.filter(|details| !details.is_empty()).map(|details| by_lifetime(&details));
        let created = self.cache_creation.map(|created| CacheWrites {
            five_minutes: created.ephemeral_5m_input_tokens.unwrap_or(0),
            one_hour: created.ephemeral_1h_input_tokens.unwrap_or(0),
            other: 0,
        });
        let prompt = self.prompt_tokens_details.as_ref();
        RawUsage {
            prompt_tokens: self.prompt_tokens,
            completion_tokens: self.completion_tokens,
            total_tokens: self.total_tokens,
            cached_tokens: prompt.and_then(|details| details.cached_tokens),
            cache_write_tokens: prompt.and_then(|details| details.cache_write_tokens),
            reasoning_tokens: self.completion_tokens_details.and_then(|details| details.reasoning_tokens),
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            cache_read_input_tokens: self.cache_read_input_tokens,
            cache_write_input_tokens: self.cache_write_input_tokens,
            cache_details: details.or(created),
        }
    }
}

fn by_lifetime(details: &[CacheDetail]) -> CacheWrites {
    let mut writes = CacheWrites::default();
    for detail in details {
        let sum = match detail.ttl.as_str() {
            "5m" => &mut writes.five_minutes,
            "1h" => &mut writes.one_hour,
            _ => &mut writes.other,
        };
        *sum = sum.saturating_add(detail.input_tokens);
    }
    writes
}
