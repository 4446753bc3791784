//! The units that Bedrock's guardrails are billed by, as its API names them.

use crate::class::Item;

/// The model under which a book has the prices of Bedrock's guardrails, whatever model they guard; LiteLLM's file calls it so too.
pub const GUARDRAILS: &str = "guardrails";

const UNITS: [(&str, Item); 8] = [
    ("topicPolicyUnits", Item::GuardrailTopic),
    ("contentPolicyUnits", Item::GuardrailContent),
    ("contentPolicyImageUnits", Item::GuardrailContentImage),
    ("wordPolicyUnits", Item::GuardrailWord),
    ("sensitiveInformationPolicyUnits", Item::GuardrailSensitive),
    ("sensitiveInformationPolicyFreeUnits", Item::GuardrailSensitiveFree),
    ("contextualGroundingPolicyUnits", Item::GuardrailGrounding),
    ("automatedReasoningPolicyUnits", Item::GuardrailReasoning),
];

/// The item that a count of `GuardrailUsage` is charged as.
#[must_use]
pub fn guardrail_item(name: &str) -> Option<Item> {
    UNITS.iter().find(|(known, _)| *known == name).map(|(_, item)| *item)
}
