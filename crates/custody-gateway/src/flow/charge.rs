//! From what a provider says was used to counts and an amount (D11): which rule reads its numbers, and which facts choose its price.

use custody_dialect::ConverseUsage;
use custody_price::{
    CacheWrites, Facts, Finding, ModelFamily, Normalised, Operation, PriceBook, Priced, Provider, RawUsage, Reason, ServiceTier, Usage,
    normalise_call,
};
use custody_types::{ModelName, Text, TokenUsage};

use super::measure::Attempt;
use crate::workspace::{ProviderKind, RouteConfig};

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

/// What the attempt's tokens cost.
pub(super) fn priced(prices: &PriceBook, route: &RouteConfig, attempt: &Attempt, usage: &TokenUsage) -> Result<Priced, Finding> {
    let (model, geography) = priced_model(route, attempt);
    let facts = Facts {
        geography,
        region: route.bedrock.as_ref().map(|call| call.called_region.clone()).or_else(|| route.region.clone()),
        variant: variant(attempt),
        service: service(attempt)?,
        ..Facts::on_demand(provider(route), model, attempt.started_at)
    };
    let quote = prices.quote(&facts, &Usage::from(*usage))?;
    // Seconds and requests are not counted into costs yet: where only they are priced, zero would be a wrong number.
    if quote.reasons().contains(&Reason::TokensIncluded) { Err(Finding::MissingPrice) } else { Ok(quote.priced()) }
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
