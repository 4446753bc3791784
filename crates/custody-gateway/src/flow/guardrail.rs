//! What guardrails at the provider did in an attempt, as events (PATH-10), and what that says of the request (LOG-08).
//!
//! ```text
//! the provider's trace             events                              status of the request
//! an assessment for each side      one each, action by its findings    intervened where one blocked or masked, else passed
//! none, though the route has one   one, side and action `unknown`      intervened by the reason to stop, else passed
//! no whole answer                  those it sent, else one `unknown`   unknown
//! ```
//! A route without a guardrail has one all the same where the account or the organisation enforces it.

use std::collections::BTreeMap;

use custody_dialect::{FinishReason, GuardrailAssessment, GuardrailFinding};
use custody_event::{Event, Guardrail, GuardrailFinding as FindingFact, Kind};
use custody_model::{ModelError, bedrock::Guardrail as OwnGuardrail};
use custody_types::Text;

use super::{
    case::{Case, micros},
    foreign_word,
    measure::Attempt,
};
use crate::{gateway::Inner, workspace::RouteConfig};

const BLOCKED: &str = "BLOCKED";
const MASKED: &str = "ANONYMIZED";

/// What guardrails mean for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum GuardrailStatus {
    /// None was asked for, and none spoke.
    #[default]
    NotRequired,
    /// It let everything pass.
    Passed,
    /// It blocked or masked something.
    Intervened,
    /// The attempt ended before it could tell.
    Unknown,
}

impl GuardrailStatus {
    /// The word in events.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::NotRequired => "not_required",
            Self::Passed => "passed",
            Self::Intervened => "intervened",
            Self::Unknown => "unknown",
        }
    }

    pub(super) fn of(route: &RouteConfig, attempt: &Attempt) -> Self {
        let assessments = &attempt.answer.details.guardrails;
        let acted = assessments.iter().any(|one| matches!(action(one), "blocked" | "masked"));
        if acted || attempt.answer.finish == Some(FinishReason::GuardrailIntervened) {
            return Self::Intervened;
        }
        match (own(route).is_some() || !assessments.is_empty(), attempt.error.is_some()) {
            (false, _) => Self::NotRequired,
            (true, true) => Self::Unknown,
            (true, false) => Self::Passed,
        }
    }
}

/// Whether a guardrail worked in the attempt, as far as the provider tells; where the answer broke off, it may have.
pub(super) fn was_applied(route: &RouteConfig, attempt: &Attempt) -> bool {
    let told = !attempt.answer.details.guardrails.is_empty() || attempt.answer.finish == Some(FinishReason::GuardrailIntervened);
    let may_have = attempt.error.as_ref().is_none_or(ModelError::may_be_charged);
    told || own(route).is_some() && may_have
}

/// One event for each side that each guardrail looked at.
pub(super) fn events(gateway: &Inner, case: &mut Case, route: &RouteConfig, attempt: &Attempt) -> Vec<Event> {
    if !was_applied(route, attempt) {
        return Vec::new();
    }
    let assessments = &attempt.answer.details.guardrails;
    let mut facts: Vec<Guardrail> = assessments.iter().map(|one| assessed(case, route, one)).collect();
    if facts.is_empty() {
        facts.push(Guardrail { side: Text::from("unknown"), action: Text::from("unknown"), ..named(case, route) });
    }
    facts.into_iter().map(|fact| case.event(gateway, Kind::Guardrail(fact))).collect()
}

fn own(route: &RouteConfig) -> Option<&OwnGuardrail> {
    route.bedrock.as_ref()?.guardrail.as_ref()
}

/// An event of the route's own guardrail, of which nothing is told yet.
fn named(case: &Case, route: &RouteConfig) -> Guardrail {
    Guardrail {
        attempt: case.attempts,
        route: route.name.text(),
        provider: Text::from(route.provider.as_str()),
        guardrail_id: own(route).map(|own| Text::from(own.id.as_str())),
        version: own(route).map(|own| Text::from(own.version.as_str())),
        ..Guardrail::default()
    }
}

fn assessed(case: &Case, route: &RouteConfig, one: &GuardrailAssessment) -> Guardrail {
    let own = named(case, route);
    let told = |word: &Text| foreign_word::kept_or_hashed(&case.hasher, word);
    let is_own = one.guardrail.is_none() || one.guardrail == own.guardrail_id;
    Guardrail {
        guardrail_id: if is_own { own.guardrail_id } else { one.guardrail.as_ref().map(told) },
        version: one.version.as_ref().map(told).or(own.version.filter(|_| is_own)),
        side: Text::from(one.side.as_str()),
        action: Text::from(action(one)),
        origins: one.origins.iter().map(told).collect(),
        findings: one.findings.iter().map(|finding| found(case, finding)).collect(),
        duration_us: one.latency_ms.map(|millis| micros(millis.saturating_mul(1_000))),
        units: counts(&one.units),
        coverage: counts(&one.coverage),
        ..own
    }
}

/// What it did: the strongest of its findings' actions.
fn action(one: &GuardrailAssessment) -> &'static str {
    let did = |wanted: &str| one.findings.iter().any(|finding| finding.action.as_deref() == Some(wanted));
    if did(BLOCKED) {
        "blocked"
    } else if did(MASKED) {
        "masked"
    } else {
        "none"
    }
}

fn found(case: &Case, finding: &GuardrailFinding) -> FindingFact {
    FindingFact {
        policy: Text::from(finding.policy.as_str()),
        name: finding.name.as_ref().map(|name| foreign_word::name_kept_or_hashed(&case.hasher, name)),
        action: finding.action.clone(),
        detected: finding.detected,
        confidence: finding.confidence.clone(),
        count: i32::try_from(finding.count).unwrap_or(i32::MAX),
    }
}

fn counts(stated: &BTreeMap<Text, u64>) -> BTreeMap<Text, i64> {
    stated.iter().map(|(name, count)| (name.clone(), micros(*count))).collect()
}
