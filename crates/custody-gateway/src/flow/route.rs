//! Routed: the first permitted route of the capability's list, and after a failed attempt the next one (PATH-09, PRN-12, PRN-13).

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use custody_dialect::ChatRequest;
use custody_event::{Event, Kind, Prompt, Route};
use custody_model::protection::Admission;
use custody_types::Text;

use super::{Stopped, answer::Failed, assemble::Assembled, case::Case};
use crate::{
    gateway::Inner,
    keyed::random,
    recorder::OpenRecord,
    refusal::Refusal,
    stage::Stage,
    workspace::{ApiKey, Capability, RouteConfig},
};

/// The parameter of a route event that names the guardrail around the call, and its version.
pub(crate) const GUARDRAIL: &str = "guardrail";

/// AWS is asked about profiles now and then; callers need not ask sooner than this.
const PROFILE_WAIT: Duration = Duration::from_secs(60);

/// A request with a route for its next attempt.
pub(super) struct Routed {
    pub(super) case: Case,
    pub(super) plan: Plan,
    pub(super) route: Arc<RouteConfig>,
    /// The breaker's leave for the attempt.
    pub(super) leave: Option<Admission>,
    /// Events that become durable before the attempt leaves, besides the request event of a first attempt.
    pub(super) pending: Vec<Event>,
    /// The open record, from the second attempt on.
    pub(super) open: Option<Box<dyn OpenRecord>>,
    _private: (),
}

/// What all attempts of a request share.
pub(super) struct Plan {
    pub(super) key: Arc<ApiKey>,
    pub(super) capability: Arc<Capability>,
    pub(super) chat: Arc<ChatRequest>,
    /// How often each of the capability's routes was tried, in their order.
    tried: Vec<u32>,
    /// Routes whose provider asks to wait longer than a request may; the caller is told in its place.
    resting: BTreeSet<usize>,
    /// The place of the route of the last attempt.
    last: Option<usize>,
}

/// Which route is next, and why the others are not.
struct Choice {
    taken: Option<Taken>,
    reasons: Vec<Text>,
    policy_ids: Vec<Text>,
    /// Whether a breaker or the retry budget stood in the way of a permitted route.
    withheld: bool,
    /// The soonest moment at which a permitted route may be of use again.
    wait: Option<Duration>,
}

/// The route of the next attempt, its place in the list, and its breaker's leave.
struct Taken {
    place: usize,
    route: Arc<RouteConfig>,
    leave: Option<Admission>,
}

pub(super) fn route(gateway: &Inner, assembled: Assembled) -> Result<Routed, Box<Stopped>> {
    let Assembled { case, key, capability, chat, prompt, .. } = assembled;
    let case = case.begin(gateway, Stage::Route)?;
    let tried = vec![0; capability.routes.len()];
    let plan = Plan { key, capability, chat, tried, resting: BTreeSet::new(), last: None };
    take_route(gateway, case, plan, Some(prompt), Vec::new(), None)
}

/// The route of the next attempt, or the end where no attempt is left.
pub(super) async fn reroute(gateway: &Inner, failed: Failed) -> Result<Routed, Box<Stopped>> {
    let Failed { mut case, mut plan, open, pending, error, .. } = failed;
    let limits = &gateway.workspace.settings.limits;
    let spent = u32::try_from(case.attempts).unwrap_or(u32::MAX) >= limits.max_attempts;
    if spent || !error.retryable {
        return Err(Box::new(Stopped { case, refusal: error.refusal, open: Some(open), pending }));
    }
    case.enter(gateway, Stage::Route);
    if gateway.is_off(Stage::Route) {
        return Err(Box::new(Stopped { case, refusal: Refusal::switched_off("route"), open: Some(open), pending }));
    }
    if error.same_again || error.retry_after.is_some_and(|wait| wait > limits.retry_pause) {
        plan.resting.extend(plan.last);
    }
    let last_refusal = error.refusal;
    match take_route(gateway, case, plan, None, pending, Some(open)) {
        Ok(routed) => {
            if routed.plan.is_repetition(&routed.route) {
                tokio::time::sleep(error.retry_after.unwrap_or_else(|| jittered(limits.retry_pause))).await;
            }
            Ok(routed)
        }
        Err(stopped) => Err(Box::new(Stopped { refusal: last_refusal, ..*stopped })),
    }
}

fn take_route(
    gateway: &Inner,
    mut case: Case,
    mut plan: Plan,
    prompt: Option<Prompt>,
    mut pending: Vec<Event>,
    open: Option<Box<dyn OpenRecord>>,
) -> Result<Routed, Box<Stopped>> {
    let mut choice = choose(gateway, &plan);
    let first = prompt.is_some();
    choice.keep_to_budget(gateway, first);
    if let Some(prompt) = prompt {
        pending.push(case.event(gateway, Kind::Prompt(prompt)));
    }
    case.attempts += i32::from(choice.taken.is_some());
    if first || choice.taken.is_some() || choice.withheld {
        let fact = route_fact(&case, &plan, &choice);
        pending.push(case.event(gateway, Kind::Route(fact)));
    }
    let Some(Taken { place, route, leave }) = choice.taken else {
        let forbidden =
            || Refusal::forbidden("no_route_permitted", "no policy permits this request to take any of the capability's routes");
        let refusal = choice.wait.map_or_else(forbidden, Refusal::routes_unavailable);
        return Err(Box::new(Stopped { case, refusal, open, pending }));
    };
    if let Some(tried) = plan.tried.get_mut(place) {
        *tried += 1;
    }
    plan.last = Some(place);
    if !first {
        gateway.protection.retried(plan.is_repetition(&route));
    }
    Ok(Routed { case, plan, route, leave, pending, open, _private: () })
}

/// Half of the pause or up to all of it: requests that failed together do not come back together.
fn jittered(pause: Duration) -> Duration {
    let share = random::<4>().map_or(u32::MAX, u32::from_le_bytes);
    pause / 2 + (pause / 2).mul_f64(f64::from(share) / f64::from(u32::MAX))
}

/// A route is tried again before the next one is, within its bound; policies are asked about every candidate.
fn choose(gateway: &Inner, plan: &Plan) -> Choice {
    let bound = gateway.workspace.settings.limits.attempts_per_route;
    let now = gateway.clock.monotonic_micros();
    let mut choice = Choice { taken: None, reasons: Vec::new(), policy_ids: Vec::new(), withheld: false, wait: None };
    for (place, (name, tried)) in plan.capability.routes.iter().zip(&plan.tried).enumerate() {
        let Some(route) = gateway.workspace.routes.get(name) else { continue };
        let decision = gateway.verdicts.may_use_route(&gateway.workspace, &plan.key, &plan.capability, route);
        let reason = if let Some(denial) = decision.denial {
            choice.policy_ids.extend(decision.policy_ids.iter().cloned());
            Text::from(denial.as_str())
        } else if !route.is_usable() {
            choice.wait = Some(choice.wait.map_or(PROFILE_WAIT, |soonest| soonest.min(PROFILE_WAIT)));
            gateway.words.profile_changed.clone()
        } else if *tried >= bound || plan.resting.contains(&place) {
            gateway.words.exhausted.clone()
        } else if choice.taken.is_some() {
            gateway.words.not_needed.clone()
        } else {
            choice.policy_ids.extend(decision.policy_ids.iter().cloned());
            match gateway.protection.admit(&route.name, now) {
                Ok(leave) => {
                    choice.taken = Some(Taken { place, route: Arc::clone(route), leave });
                    gateway.words.chosen.clone()
                }
                Err(wait) => {
                    choice.withheld = true;
                    choice.wait = Some(choice.wait.map_or(wait, |soonest| soonest.min(wait)));
                    gateway.words.breaker_open.clone()
                }
            }
        };
        choice.reasons.push(reason);
    }
    choice
}

impl Choice {
    /// A request's first attempt is free; every other one needs room in the budget.
    fn keep_to_budget(&mut self, gateway: &Inner, first: bool) {
        let now = gateway.clock.monotonic_micros();
        let Some(taken) = &self.taken else { return };
        if first {
            gateway.protection.first(now);
        } else if !gateway.protection.may_retry(now) {
            if let Some(reason) = self.reasons.get_mut(taken.place) {
                *reason = gateway.words.retry_budget.clone();
            }
            self.taken = None;
            self.withheld = true;
        }
    }
}

fn route_fact(case: &Case, plan: &Plan, choice: &Choice) -> Route {
    let route = choice.taken.as_ref().map(|taken| &taken.route);
    let options = &plan.chat.options;
    let mut parameters = std::collections::BTreeMap::new();
    let mut add = |name: &str, value: Option<String>| parameters.extend(value.map(|value| (Text::from(name), Text::from(value))));
    add("max_output_tokens", options.max_output_tokens.map(|limit| limit.to_string()));
    add("temperature", options.temperature.map(|number| number.to_string()));
    add("top_p", options.top_p.map(|number| number.to_string()));
    add("presence_penalty", options.presence_penalty.map(|number| number.to_string()));
    add("frequency_penalty", options.frequency_penalty.map(|number| number.to_string()));
    add("seed", options.seed.map(|seed| seed.to_string()));
    add("reasoning_effort", options.reasoning_effort.map(str::to_owned));
    add(GUARDRAIL, route.and_then(|route| route.bedrock.as_ref()?.guardrail.as_ref()).map(|own| format!("{}:{}", own.id, own.version)));
    Route {
        // An attempt that was withheld has the number that it would have had.
        attempt: case.attempts + i32::from(case.attempts > 0 && route.is_none()),
        decision: Text::from(if route.is_some() { "allow" } else { "deny" }),
        chosen: route.map(|route| route.name.text()),
        provider: route.map(|route| Text::from(route.provider.as_str())),
        model: route.map(|route| route.model.text()),
        candidates: plan.capability.routes.iter().map(custody_types::RouteName::text).collect(),
        reasons: choice.reasons.clone(),
        policy_ids: choice.policy_ids.clone(),
        fallback: route.is_some()
            && plan
                .capability
                .routes
                .iter()
                .zip(&plan.tried)
                .any(|(name, tried)| *tried > 0 && Some(name) != route.map(|route| &route.name)),
        region: route.and_then(|route| route.region.clone()),
        parameters,
        serving: route.map(|route| route.serving.clone()).unwrap_or_default(),
    }
}

impl Plan {
    /// Whether this route was tried before.
    fn is_repetition(&self, route: &RouteConfig) -> bool {
        self.capability.routes.iter().zip(&self.tried).any(|(name, tried)| *name == route.name && *tried > 1)
    }
}
