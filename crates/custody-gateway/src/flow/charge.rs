//! From what a provider says was used to counts and amounts (D11): which rule reads its numbers, and which facts choose its prices.
//!
//! ```text
//! charged for   tokens               items, where the book has a price for them        prices of
//! model         the provider's own   one request, and its milliseconds                 the model that ran
//! guardrail     none                 policy units of every guardrail that was applied  `guardrails`
//! ```

use std::collections::BTreeMap;

use custody_dialect::{ConverseUsage, GuardrailAssessment};
use custody_price::{
    CacheWrites, Facts, Finding, GUARDRAILS, ModelFamily, Normalised, Operation, PriceBook, Priced, Provider, RawUsage, ServiceTier, Usage,
    guardrail_item, normalise_call,
};
use custody_types::{ModelName, Text, TokenUsage};

use super::{guardrail, measure::Attempt};
use crate::workspace::{ProviderKind, RouteConfig};

/// One thing that a provider charges for.
pub(super) struct Charge {
    /// model or guardrail.
    pub(super) charged_for: &'static str,
    /// What chose the prices.
    pub(super) facts: Facts,
    /// Whether the class of service in `facts` is the one that answered.
    pub(super) tier_known: bool,
    /// What was used, where it is known.
    pub(super) usage: Option<Usage>,
    /// The amount, or why there is none.
    pub(super) priced: Result<Priced, Finding>,
}

/// The usage that the provider stated, in our counts.
pub(super) fn normalised(route: &RouteConfig, attempt: &Attempt) -> Result<Normalised, Finding> {
    let said = attempt.answer.usage.as_ref().ok_or(Finding::UsageUnknown)?;
    let raw = match said.converse {
        Some(converse) => of_converse(&converse),
        None => RawUsage {
            prompt_tokens: said.prompt_tokens,
            completion_tokens: said.completion_tokens,
            total_tokens: said.total_tokens,
            cached_tokens: said.cached_tokens,
            cache_write_tokens: said.cache_write_tokens,
            reasoning_tokens: said.reasoning_tokens,
            ..RawUsage::default()
        },
    };
    let (model, _) = priced_model(route, attempt);
    normalise_call(provider(route), ModelFamily::of(model.as_str()), operation(route, attempt), &raw)
}

fn of_converse(said: &ConverseUsage) -> RawUsage {
    let (five_minutes, one_hour) = (said.cache_write_5m_tokens, said.cache_write_1h_tokens);
    let detailed = five_minutes.is_some() || one_hour.is_some();
    let by_lifetime = CacheWrites { five_minutes: five_minutes.unwrap_or(0), one_hour: one_hour.unwrap_or(0), other: 0 };
    RawUsage {
        input_tokens: said.input_tokens,
        output_tokens: said.output_tokens,
        total_tokens: said.total_tokens,
        cache_read_input_tokens: said.cache_read_tokens,
        cache_write_input_tokens: said.cache_write_tokens,
        cache_details: detailed.then_some(by_lifetime),
        ..RawUsage::default()
    }
}

/// What the attempt costs, the model's part before the guardrails'; nothing where the provider can't charge for it.
pub(super) fn charges(prices: &PriceBook, route: &RouteConfig, attempt: &Attempt, normal: Result<TokenUsage, Finding>) -> Vec<Charge> {
    let free = attempt.error.as_ref().is_some_and(|error| !error.may_be_charged());
    let of_model = (!free || attempt.answer.usage.is_some()).then(|| of_model(prices, route, attempt, normal));
    of_model.into_iter().chain(of_guardrails(prices, route, attempt)).collect()
}

fn of_model(prices: &PriceBook, route: &RouteConfig, attempt: &Attempt, normal: Result<TokenUsage, Finding>) -> Charge {
    let service = service(attempt);
    let (model, geography) = priced_model(route, attempt);
    let facts = Facts {
        region: region(route),
        geography,
        variant: variant(attempt),
        service: service.unwrap_or(ServiceTier::Standard),
        ..Facts::on_demand(provider(route), model, attempt.started_at)
    };
    let usage = normal.map(|tokens| with_items(prices, &facts, attempt, tokens));
    let priced = usage.as_ref().map_err(|finding| *finding).and_then(|usage| {
        service?;
        priced(prices, &facts, usage)
    });
    Charge { charged_for: "model", facts, tier_known: service.is_ok(), usage: usage.ok(), priced }
}

/// Every request is one request and takes its time; where the book prices neither, nothing is charged for them.
fn with_items(prices: &PriceBook, facts: &Facts, attempt: &Attempt, tokens: TokenUsage) -> Usage {
    // No time is unknown here, so there is no finding.
    prices.usage_of_call(facts, tokens, Some(attempt.duration_us), BTreeMap::new()).unwrap_or_else(|_| Usage::from(tokens))
}

fn priced(prices: &PriceBook, facts: &Facts, usage: &Usage) -> Result<Priced, Finding> {
    prices.quote_usage(facts, usage).map(|quote| quote.priced())
}

/// Guardrails have prices of their own, by units of policy (REFERENCE 1.4).
fn of_guardrails(prices: &PriceBook, route: &RouteConfig, attempt: &Attempt) -> Option<Charge> {
    let applied = guardrail::was_applied(route, attempt);
    let model = GUARDRAILS.parse::<ModelName>().ok().filter(|_| applied)?;
    let facts = Facts { region: region(route), ..Facts::on_demand(provider(route), model, attempt.started_at) };
    let usage = units(&attempt.answer.details.guardrails);
    let priced = usage.as_ref().map_err(|finding| *finding).and_then(|usage| priced(prices, &facts, usage));
    Some(Charge { charged_for: "guardrail", facts, tier_known: true, usage: usage.ok(), priced })
}

/// All units together. A unit that nobody here knows has no price, whatever the others have.
fn units(assessments: &[GuardrailAssessment]) -> Result<Usage, Finding> {
    let mut usage = Usage::default();
    let stated = assessments.iter().flat_map(|assessment| &assessment.units);
    let mut any = false;
    for (name, count) in stated.filter(|(name, _)| name.ends_with("Units")) {
        any = true;
        match guardrail_item(name) {
            Some(item) => {
                let sum = usage.items.entry(item).or_insert(0);
                *sum = sum.checked_add(*count).ok_or(Finding::AmountOutOfRange)?;
            }
            None if *count > 0 => return Err(Finding::MissingPrice),
            None => {}
        }
    }
    if any { Ok(usage) } else { Err(Finding::UsageUnknown) }
}

/// The model that prices an attempt, and the geography that does, where the model's name does not say it.
fn priced_model(route: &RouteConfig, attempt: &Attempt) -> (ModelName, Option<Text>) {
    let Some(call) = &route.bedrock else { return (route.model.clone(), None) };
    call.whereabouts.priced(&route.model, attempt.answer.details.invoked_model.as_deref())
}

/// The price class that the provider says it served in. One that is not known has no price: another's would be a guess.
fn service(attempt: &Attempt) -> Result<ServiceTier, Finding> {
    match attempt.answer.details.service_tier.as_deref() {
        None | Some("default" | "standard") => Ok(ServiceTier::Standard),
        Some(tier) => tier.parse().map_err(|_| Finding::MissingPrice),
    }
}

/// Speed that was bought has a price of its own, under this variant of the model.
fn variant(attempt: &Attempt) -> Option<Text> {
    (attempt.answer.details.latency.as_deref() == Some("optimized")).then(|| Text::from("latency_optimized"))
}

fn region(route: &RouteConfig) -> Option<Text> {
    route.bedrock.as_ref().map(|call| call.called_region.clone()).or_else(|| route.region.clone())
}

fn operation(route: &RouteConfig, attempt: &Attempt) -> Operation {
    match (&route.provider, attempt.chunks) {
        (ProviderKind::Simulator | ProviderKind::OpenAiCompatible { .. }, _) => Operation::Chat,
        (ProviderKind::Bedrock(_), None) => Operation::Converse,
        (ProviderKind::Bedrock(_), Some(_)) => Operation::ConverseStream,
    }
}

const fn provider(route: &RouteConfig) -> Provider {
    match route.provider {
        ProviderKind::Simulator => Provider::Simulator,
        ProviderKind::OpenAiCompatible { .. } => Provider::OpenAiCompatible,
        ProviderKind::Bedrock(_) => Provider::Bedrock,
    }
}
