//! Validated: the answer passed the capability's checks, or the capability lets it out with a flag (PATH-12).

use custody_dialect::{ChatAnswer, FinishReason};
use custody_event::{Event, Kind, Validation, ValidationCheck};
use custody_types::Text;

use super::{Stopped, answer::Answered, case::Case, relay::Relay, route::Plan};
use crate::{
    gateway::Inner,
    recorder::OpenRecord,
    refusal::Refusal,
    stage::Stage,
    workspace::{OnInvalid, RouteConfig, ValidationRule},
};
use std::sync::Arc;

/// A request whose answer may go out.
pub(super) struct Validated {
    pub(super) case: Case,
    pub(super) plan: Plan,
    pub(super) route: Arc<RouteConfig>,
    pub(super) open: Box<dyn OpenRecord>,
    pub(super) answer: ChatAnswer,
    pub(super) relay: Option<Relay>,
    /// Everything since the intent: invocation, guardrails, validation, costs.
    pub(super) pending: Vec<Event>,
    _private: (),
}

pub(super) fn validate(gateway: &Inner, answered: Answered) -> Result<Validated, Box<Stopped>> {
    let Answered { mut case, plan, route, open, answer, facts, relay, .. } = answered;
    case.enter(gateway, Stage::Validate);
    if gateway.is_off(Stage::Validate) {
        let pending = facts.into_events(None);
        return Err(Box::new(Stopped { case, refusal: Refusal::switched_off("validate"), open: Some(open), pending }));
    }
    let rule = &plan.capability.validation;
    let checks = check(rule, &answer);
    let failed = checks.iter().find(|(_, passed)| !passed).map(|(name, _)| *name);
    let fact = Validation {
        status: Text::from(if failed.is_some() {
            "failed"
        } else if checks.is_empty() {
            "skipped"
        } else {
            "passed"
        }),
        checks: checks
            .iter()
            .map(|(name, passed)| ValidationCheck {
                name: Text::from(*name),
                result: Text::from(if *passed { "passed" } else { "failed" }),
            })
            .collect(),
        schema_hash: rule.schema.as_ref().map(|schema| schema.hash.clone()),
        handling: Text::from(plan.capability.handling.as_str()),
    };
    let pending = facts.into_events(Some(case.event(gateway, Kind::Validation(fact))));
    match failed {
        Some(name) if rule.on_invalid == OnInvalid::Refuse => {
            Err(Box::new(Stopped { case, refusal: Refusal::invalid_output(name), open: Some(open), pending }))
        }
        _ => Ok(Validated { case, plan, route, open, answer, relay, pending, _private: () }),
    }
}

/// What the provider itself says is malformed is invalid whatever the rule. The checks of the rule by name, and whether the answer passes each. A refusal of the model is no JSON and fails a schema.
fn check(rule: &ValidationRule, answer: &ChatAnswer) -> Vec<(&'static str, bool)> {
    let mut checks = Vec::with_capacity(3);
    if matches!(answer.finish, Some(FinishReason::MalformedOutput | FinishReason::MalformedToolUse)) {
        checks.push(("well_formed", false));
    }
    if rule.non_empty {
        checks.push(("non_empty", !is_blank(answer)));
    }
    if let Some(schema) = &rule.schema {
        let value = answer.text.as_ref().and_then(|text| serde_json::from_str::<serde_json::Value>(text.expose()).ok());
        checks.push(("json_schema", value.is_some_and(|value| schema.validator.is_valid(&value))));
    }
    checks
}

fn is_blank(answer: &ChatAnswer) -> bool {
    let blank = |text: &custody_types::SensitiveText| text.expose().trim().is_empty();
    answer.tool_calls.is_empty() && [&answer.text, &answer.refusal].into_iter().flatten().all(blank)
}
