//! The facts of a guardrail's trace. The trace quotes what it found (`match`) and the text it replaced (`modelOutput`): neither is
//! read, so neither can reach an event (REFERENCE 1.6).

use std::collections::BTreeMap;

use custody_types::Text;
use serde_json::{Map, Value, value::RawValue};

use crate::{GuardrailAssessment, GuardrailFinding, GuardrailPolicy as Policy, GuardrailSide, guardrail_word, labels::label};

/// More than the API has counts.
const MAX_COUNTS: usize = 32;

/// The lists of an assessment: policy, list, and the member that names a finding.
const LISTS: [(&str, &str, &str, Policy); 8] = [
    ("topicPolicy", "topics", "name", Policy::Topic),
    ("contentPolicy", "filters", "type", Policy::Content),
    ("wordPolicy", "customWords", "", Policy::Word),
    ("wordPolicy", "managedWordLists", "type", Policy::Word),
    ("sensitiveInformationPolicy", "piiEntities", "type", Policy::SensitiveInformation),
    ("sensitiveInformationPolicy", "regexes", "name", Policy::SensitiveInformation),
    ("contextualGroundingPolicy", "filters", "type", Policy::Grounding),
    ("automatedReasoningPolicy", "findings", "", Policy::AutomatedReasoning),
];

/// Reads `trace.guardrail`. What it does not know it passes over; what is no trace has no assessments.
#[must_use]
pub fn parse_guardrail_trace(guardrail: &RawValue) -> Vec<GuardrailAssessment> {
    let Ok(Value::Object(mut trace)) = serde_json::from_str(guardrail.get()) else { return Vec::new() };
    let mut found = Vec::new();
    for (id, one) in object(trace.remove("inputAssessment")) {
        found.push(assessment(GuardrailSide::Input, &id, one));
    }
    for (id, list) in object(trace.remove("outputAssessments")) {
        let Value::Array(list) = list else { continue };
        found.extend(list.into_iter().map(|one| assessment(GuardrailSide::Output, &id, one)));
    }
    found
}

fn assessment(side: GuardrailSide, id: &str, one: Value) -> GuardrailAssessment {
    let mut found = GuardrailAssessment { side, guardrail: label(Some(id)), ..GuardrailAssessment::default() };
    for (policy, list, name, kind) in LISTS {
        let Some(list) = one.get(policy).and_then(|policy| policy.get(list)).and_then(Value::as_array) else { continue };
        list.iter().for_each(|one| found.add(finding(kind, name, one)));
    }
    if let Some(applied) = one.get("appliedGuardrailDetails") {
        found.version = word(applied, "guardrailVersion");
        let origins = applied.get("guardrailOrigin").and_then(Value::as_array);
        found.origins = origins.into_iter().flatten().filter_map(|origin| guardrail_word(origin.as_str()?)).collect();
    }
    if let Some(metrics) = one.get("invocationMetrics") {
        found.latency_ms = metrics.get("guardrailProcessingLatency").and_then(Value::as_u64);
        found.units = counts(metrics, "usage");
        found.coverage = counts(metrics, "guardrailCoverage");
    }
    found
}

fn finding(policy: Policy, name: &str, one: &Value) -> GuardrailFinding {
    // A finding of automated reasoning is a union: its one member says how the check ended.
    let union = || one.as_object().and_then(|members| guardrail_word(members.keys().next()?));
    GuardrailFinding {
        policy,
        name: if policy == Policy::AutomatedReasoning { union() } else { word(one, name) },
        action: word(one, "action"),
        detected: one.get("detected").and_then(Value::as_bool),
        confidence: word(one, "confidence"),
        count: 1,
    }
}

fn word(object: &Value, name: &str) -> Option<Text> {
    guardrail_word(object.get(name)?.as_str()?)
}

/// The counts of an object, and those of the objects in it.
fn counts(metrics: &Value, name: &str) -> BTreeMap<Text, u64> {
    let members = metrics.get(name).and_then(Value::as_object).into_iter().flatten();
    let deeper = members.flat_map(|(key, value)| match value {
        Value::Object(inner) => inner.iter().map(|(part, value)| (format!("{key}.{part}"), value)).collect(),
        _ => vec![(key.clone(), value)],
    });
    let counted = deeper.filter(|(key, _)| is_count(key));
    counted.filter_map(|(key, value)| Some((label(Some(&key))?, value.as_u64()?))).take(MAX_COUNTS).collect()
}

/// The names of counts are letters alone, and a dot before a part; nothing else is one, whatever a provider writes there.
fn is_count(key: &str) -> bool {
    key.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'.')
}

fn object(value: Option<Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    }
}
