//! What an attempt used and cost, as events (PATH-11, PATH-14); and the request's metrics.

use custody_dialect::ChatAnswer;
use custody_event::{Cost, Event, Invocation, Kind};
use custody_model::{AnswerFacts, ErrorKind, ModelError, TimeoutPhase, protection::Verdict};
use custody_price::{Facts as PriceFacts, PriceBook, Priced};
use custody_types::{Fault, PicoUsd, Text, Timestamp};

use super::{
    case::{Case, Spent, micros, size},
    charge::{self, Charge},
    foreign_word, guardrail,
};
use crate::{
    gateway::Inner,
    refusal::{OutcomeClass, Refusal},
    workspace::RouteConfig,
};

/// A provider that waited for the caller longer than this may have lost patience for that.
const SLOW_CALLER_US: u64 = 1_000_000;

/// The facts of an attempt that ended: what was invoked, what guardrails did, what it cost.
pub(super) struct Facts {
    pub(super) invocation: Event,
    pub(super) guardrails: Vec<Event>,
    pub(super) costs: Vec<Event>,
}

impl Facts {
    pub(super) fn of(gateway: &Inner, case: &mut Case, route: &RouteConfig, attempt: &Attempt) -> Self {
        case.guardrail = guardrail::GuardrailStatus::of(route, attempt);
        Self {
            invocation: invocation(gateway, case, route, attempt),
            guardrails: guardrail::events(gateway, case, route, attempt),
            costs: costs(gateway, case, route, attempt),
        }
    }

    /// The events in the order of the trail, what was checked of the answer among them.
    pub(super) fn into_events(self, checked: Option<Event>) -> Vec<Event> {
        std::iter::once(self.invocation).chain(self.guardrails).chain(checked).chain(self.costs).collect()
    }
}

/// What one attempt gave.
pub(super) struct Attempt {
    pub(super) started_at: Timestamp,
    pub(super) duration_us: u64,
    pub(super) first_token_us: Option<u64>,
    /// How long pieces waited for the caller's connection.
    pub(super) caller_us: u64,
    pub(super) chunks: Option<i64>,
    pub(super) facts: AnswerFacts,
    pub(super) answer: ChatAnswer,
    pub(super) error: Option<ModelError>,
    /// The code of an attempt that never left.
    refused_code: Option<&'static str>,
}

impl Attempt {
    pub(super) fn starting(gateway: &Inner) -> Self {
        Self {
            started_at: gateway.clock.now(),
            duration_us: 0,
            first_token_us: None,
            caller_us: 0,
            chunks: None,
            facts: AnswerFacts::default(),
            answer: ChatAnswer::default(),
            error: None,
            refused_code: None,
        }
    }

    pub(super) fn not_sent(gateway: &Inner, code: &'static str) -> Self {
        Self { error: Some(ModelError::new(ErrorKind::Unsendable)), refused_code: Some(code), ..Self::starting(gateway) }
    }

    /// What the attempt says of its route. A caller who kept the provider waiting, or an answer that was long and not late, says nothing.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        let Some(error) = &self.error else { return Some(Verdict::Answered) };
        let long = self.first_token_us.is_some() && matches!(error.kind, ErrorKind::TimedOut(TimeoutPhase::Total));
        if long || self.caller_us > SLOW_CALLER_US { None } else { error.verdict() }
    }

    /// Whether the attempt's time went by with waiting for the caller more than for the provider.
    pub(super) const fn waited_for_caller(&self) -> bool {
        self.caller_us > self.duration_us / 2
    }

    fn http_status(&self) -> Option<u16> {
        let answered = Some(self.facts.http_status).filter(|status| *status != 0);
        self.error.as_ref().and_then(|error| error.http_status).or(answered)
    }
}

pub(super) fn invocation(gateway: &Inner, case: &mut Case, route: &RouteConfig, attempt: &Attempt) -> Event {
    let normal = charge::normalised(route, attempt);
    let counts = normal.as_ref().ok().map(|normal| normal.usage);
    let count = |tokens: Option<u64>| tokens.map(micros);
    let error = attempt.error.as_ref();
    let answer = &attempt.answer;
    let output = answer.output_bytes();
    let provider_id = error.and_then(|error| error.provider_request_id.clone()).or_else(|| attempt.facts.provider_request_id.clone());
    let provider_id = provider_id.or_else(|| answer.upstream_id.clone());
    let fact = Invocation {
        attempt: case.attempts,
        route: route.name.text(),
        provider: Text::from(route.provider.as_str()),
        model: route.model.text(),
        model_used: answer
            .model_used
            .as_ref()
            .or(answer.details.invoked_model.as_ref())
            .map(|used| foreign_word::model_kept_or_hashed(&case.hasher, &route.model, used)),
        provider_request_id: provider_id.map(|id| foreign_word::kept_or_hashed(&case.hasher, &id)),
        status: Text::from(error.map_or("completed", ModelError::status)),
        http_status: attempt.http_status().map(i32::from),
        error_code: error.map(|error| Text::from(attempt.refused_code.unwrap_or_else(|| error.code()))),
        finish_reason: answer.finish.map(|finish| Text::from(finish.as_str())),
        started_at: Some(attempt.started_at),
        first_token_us: attempt.first_token_us.map(micros),
        duration_us: Some(micros(attempt.duration_us)),
        input_tokens: count(counts.map(|usage| usage.input)),
        cache_read_tokens: count(counts.map(|usage| usage.cache_read)),
        cache_write_5m_tokens: count(counts.map(|usage| usage.cache_write_5m)),
        cache_write_1h_tokens: count(counts.map(|usage| usage.cache_write_1h)),
        output_tokens: count(counts.map(|usage| usage.output)),
        reasoning_tokens: count(counts.map(|usage| usage.reasoning)),
        usage_source: Text::from(if answer.usage.is_some() { "provider" } else { "unknown" }),
        usage_raw: answer.usage.as_ref().map(|usage| usage.json.clone()),
        normaliser_version: normal.as_ref().ok().map(|normal| normal.version),
        stream_chunks: attempt.chunks,
        output_bytes: Some(size(output)),
        output_hash: (output > 0).then(|| output_hash(case, answer)),
        service_tier: answer.details.service_tier.as_ref().map(|word| foreign_word::kept_or_hashed(&case.hasher, word)),
        latency_mode: answer.details.latency.as_ref().map(|word| foreign_word::kept_or_hashed(&case.hasher, word)),
    };
    if let Some(usage) = counts {
        gateway.metrics.tokens(usage.input, usage.output);
    }
    case.event(gateway, Kind::Invocation(fact))
}

fn output_hash(case: &Case, answer: &ChatAnswer) -> Text {
    let mut hash = case.hasher.content();
    answer.visit_payload(|piece| hash.add(piece.as_bytes()));
    hash.finish()
}

/// What the attempt cost, an event for each thing that is charged.
fn costs(gateway: &Inner, case: &mut Case, route: &RouteConfig, attempt: &Attempt) -> Vec<Event> {
    let normal = charge::normalised(route, attempt).map(|normal| normal.usage);
    let charges = charge::charges(&gateway.workspace.prices, route, attempt, normal);
    charges.iter().map(|charge| cost(gateway, case, route, charge)).collect()
}

fn cost(gateway: &Inner, case: &mut Case, route: &RouteConfig, charge: &Charge) -> Event {
    let Charge { facts, usage, priced, .. } = charge;
    case.spent = match (case.spent, priced) {
        (Spent::Known(sum), Ok(priced)) => sum.checked_add(priced.total).map_or(Spent::Unknown, Spent::Known),
        _ => Spent::Unknown,
    };
    let amount = |part: fn(&Priced) -> PicoUsd| priced.as_ref().ok().map(|priced| part(priced).pico());
    let tokens = usage.as_ref().map(|usage| usage.tokens);
    let items = usage.iter().flat_map(|usage| &usage.items);
    let of_model = charge.charged_for == "model";
    let fact = Cost {
        attempt: case.attempts,
        route: route.name.text(),
        provider: Text::from(route.provider.as_str()),
        model: if of_model { route.model.text() } else { facts.model.text() },
        currency: Text::from(PriceBook::CURRENCY),
        amount_pico: amount(|priced| priced.total),
        input_pico: amount(|priced| priced.input),
        cache_read_pico: amount(|priced| priced.cache_read),
        cache_write_pico: amount(|priced| priced.cache_write),
        output_pico: amount(|priced| priced.output),
        price_book: gateway.workspace.prices.version().clone(),
        price_id: priced.as_ref().ok().map(|priced| priced.entry_id.clone()),
        finding: priced.as_ref().err().map(|finding| Text::from(finding.as_str())),
        uncached_input_tokens: tokens.map(|usage| micros(usage.uncached_input())),
        cache_read_tokens: tokens.map(|usage| micros(usage.cache_read)),
        cache_write_tokens: tokens.map(|usage| micros(usage.cache_write_5m.saturating_add(usage.cache_write_1h))),
        output_tokens: tokens.map(|usage| micros(usage.output)),
        charged_for: Some(Text::from(charge.charged_for)),
        items_pico: amount(|priced| priced.items),
        items: items.map(|(item, count)| (Text::from(item.as_str()), micros(*count))).collect(),
        priced_model: (of_model && facts.model != route.model).then(|| priced_model(gateway, case, route, facts)),
        region: facts.region.clone(),
        geography: facts.geography.clone(),
        variant: facts.variant.clone(),
        service_tier: charge.tier_known.then(|| Text::from(facts.service.as_str())),
    };
    case.event(gateway, Kind::Cost(fact))
}

/// The model whose prices hold. What a router says it chose is the provider's own word, unless the book has it too.
fn priced_model(gateway: &Inner, case: &Case, route: &RouteConfig, facts: &PriceFacts) -> Text {
    let routed = route.bedrock.as_ref().is_some_and(|call| call.whereabouts.is_router);
    if routed && !gateway.workspace.prices.knows(facts.provider, &facts.model) {
        return foreign_word::kept_or_hashed(&case.hasher, facts.model.as_str());
    }
    facts.model.text()
}

/// Counts the end of a request.
pub(super) fn ended(gateway: &Inner, case: &Case, class: OutcomeClass, refusal: Option<&Refusal>) {
    let (duration, overhead) = case.elapsed(gateway);
    gateway.metrics.ended(class, refusal.map(|refusal| refusal.code), duration, overhead);
}
