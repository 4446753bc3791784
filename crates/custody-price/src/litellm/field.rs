//! What each field of a LiteLLM entry means here.
//!
//! ```text
//! <class>[_above_<n>[k]_tokens][_batches|_flex|_priority|_ultrafast]      a price of a class of tokens, in a tier
//!   class: input_cost_per_token, output_cost_per_token, cache_read_input_token_cost, cache_creation_input_token_cost,
//!          cache_creation_input_token_cost_above_1hr, {input,output}_cost_per_audio_token, input_cost_per_image_token
//! <item>                                                                  a price of an item, see ITEMS
//! search_context_cost_per_query, guardrail_cost_per_unit                  prices of items, by name inside
//! provider_specific_entry                                                 factors by geography; the rest is no price
//! ```

use crate::class::{Item, ServiceTier, TokenClass};

/// The meaning of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A price of tokens.
    Token { class: TokenClass, above: u64, service: ServiceTier },
    /// A price of an item.
    Item(Item),
    /// Says again what `cost_per_second` says.
    SecondsAgain,
    /// Prices of web searches by size of context.
    Searches,
    /// Prices of guardrail units by policy.
    Guardrails,
    /// Factors by geography, among other things.
    ProviderSpecific,
    /// No price; why.
    NoPrice(&'static str),
    /// Not known; a price or not.
    Unknown,
}

const SERVICES: [(&str, ServiceTier); 4] = [
    ("_batches", ServiceTier::Batch),
    ("_flex", ServiceTier::Flex),
    ("_priority", ServiceTier::Priority),
    ("_ultrafast", ServiceTier::Ultrafast),
];

const CLASSES: [(&str, TokenClass); 8] = [
    ("input_cost_per_token", TokenClass::Input),
    ("input_cost_per_audio_token", TokenClass::InputAudio),
    ("input_cost_per_image_token", TokenClass::InputImage),
    ("cache_read_input_token_cost", TokenClass::CacheRead),
    ("cache_creation_input_token_cost", TokenClass::CacheWrite5m),
    ("cache_creation_input_token_cost_above_1hr", TokenClass::CacheWrite1h),
    ("output_cost_per_token", TokenClass::Output),
    ("output_cost_per_audio_token", TokenClass::OutputAudio),
];

const ITEMS: [(&str, Item); 6] = [
    ("input_cost_per_image", Item::InputImage),
    ("output_cost_per_image", Item::OutputImage),
    ("input_cost_per_audio_per_second", Item::InputAudioSecond),
    ("input_cost_per_video_per_second", Item::InputVideoSecond),
    ("input_cost_per_query", Item::Query),
    ("cost_per_second", Item::RequestSecond),
];

pub(super) const SEARCHES: [(&str, Item); 3] = [
    ("search_context_size_low", Item::WebSearchLow),
    ("search_context_size_medium", Item::WebSearchMedium),
    ("search_context_size_high", Item::WebSearchHigh),
];

const ABILITY: &str = "no price: what the model can do";
const LIMIT: &str = "no price: a limit or a size";
const ABOUT: &str = "no price: about the entry or where it comes from";
const COUNTING: &str = "no price: how LiteLLM counts tokens by itself";
const WIRE: &str = "no price: how LiteLLM calls the model";

const NO_PRICES: [(&str, &str); 16] = [
    ("litellm_provider", ABOUT),
    ("mode", ABOUT),
    ("source", ABOUT),
    ("metadata", ABOUT),
    ("deprecation_date", "no price: when the provider withdraws the model; a price does not end with it"),
    ("max_input_tokens", LIMIT),
    ("max_output_tokens", LIMIT),
    ("max_tokens", LIMIT),
    ("output_vector_size", LIMIT),
    ("prompt_cache_min_tokens", LIMIT),
    ("thinking_always_on", ABILITY),
    ("supported_endpoints", ABILITY),
    ("supported_modalities", ABILITY),
    ("supported_output_modalities", ABILITY),
    ("bedrock_output_config_effort_ceiling", WIRE),
    ("use_openai_responses_path", WIRE),
];

const NO_PRICE_PREFIXES: [(&str, &str); 3] = [("supports_", ABILITY), ("bedrock_converse_supports_", ABILITY), ("token_count_", COUNTING)];

pub(super) fn meaning(field: &str) -> Meaning {
    match field {
        "input_cost_per_second" => return Meaning::SecondsAgain,
        "search_context_cost_per_query" => return Meaning::Searches,
        "guardrail_cost_per_unit" => return Meaning::Guardrails,
        "provider_specific_entry" => return Meaning::ProviderSpecific,
        _ => {}
    }
    if let Some((_, item)) = ITEMS.iter().find(|(name, _)| *name == field) {
        return Meaning::Item(*item);
    }
    token(field).or_else(|| no_price(field)).unwrap_or(Meaning::Unknown)
}

fn token(field: &str) -> Option<Meaning> {
    let of_service = SERVICES.iter().find_map(|(suffix, service)| field.strip_suffix(suffix).map(|rest| (rest, *service)));
    let (rest, service) = of_service.unwrap_or((field, ServiceTier::Standard));
    let (name, above) = border(rest).unwrap_or((rest, 0));
    let (_, class) = CLASSES.iter().find(|(known, _)| *known == name)?;
    Some(Meaning::Token { class: *class, above, service })
}

/// The name before `_above_<n>[k]_tokens`, and the number.
fn border(text: &str) -> Option<(&str, u64)> {
    let (name, number) = text.strip_suffix("_tokens")?.rsplit_once("_above_")?;
    let (digits, thousands) = number.strip_suffix('k').map_or((number, 1), |digits| (digits, 1000));
    digits.parse::<u64>().ok()?.checked_mul(thousands).filter(|above| *above > 0).map(|above| (name, above))
}

/// A name that speaks of cost is never waved through.
fn no_price(field: &str) -> Option<Meaning> {
    if field.contains("cost") || field.contains("price") {
        return None;
    }
    let by_name = NO_PRICES.iter().find(|(name, _)| *name == field);
    let by_prefix = || NO_PRICE_PREFIXES.iter().find(|(prefix, _)| field.starts_with(prefix));
    by_name.or_else(by_prefix).map(|(_, why)| Meaning::NoPrice(why))
}
