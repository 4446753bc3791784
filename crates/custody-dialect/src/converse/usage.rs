//! Usage in Converse's arithmetic, whoever answered: `inputTokens` holds only what was neither read from nor written to a cache,
//! and `totalTokens` is the sum of all parts.

use custody_types::TokenUsage;
use serde::Serialize;

use crate::{ChatAnswer, ConverseUsage, RawUsage};

/// Usage as a Converse client expects it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireUsage {
    input_tokens: u64,
    output_tokens: u64,
    total_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_read_input_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_write_input_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cache_details: Vec<WireCacheDetail>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WireCacheDetail {
    ttl: &'static str,
    input_tokens: u64,
}

impl WireUsage {
    /// The normalised counts where there are any, else the provider's own by what its form is documented to mean; nothing where the
    /// usage is not known, because a made-up zero would be a lie about cost.
    pub(super) fn of(answer: &ChatAnswer) -> Option<Self> {
        let raw = answer.usage.as_ref();
        let converse = raw.and_then(|raw| raw.converse.as_ref());
        let stated = || converse.and_then(Self::of_converse).or_else(|| raw.and_then(Self::of_openai));
        let mut wire = answer.counts.as_ref().map(Self::from).or_else(stated)?;
        // Only a provider that states lifetimes knows them.
        wire.cache_details = converse.map(details).unwrap_or_default();
        Some(wire)
    }

    fn of_converse(usage: &ConverseUsage) -> Option<Self> {
        let sum = Self::new(usage.input_tokens?, usage.cache_read_tokens, usage.cache_write_tokens, usage.output_tokens?);
        Some(Self { total_tokens: usage.total_tokens.unwrap_or(sum.total_tokens), ..sum })
    }

    fn of_openai(usage: &RawUsage) -> Option<Self> {
        let (read, written) = (usage.cached_tokens, usage.cache_write_tokens);
        let uncached = usage.prompt_tokens?.saturating_sub(read.unwrap_or(0)).saturating_sub(written.unwrap_or(0));
        Some(Self::new(uncached, read, written, usage.completion_tokens?))
    }

    fn new(uncached: u64, read: Option<u64>, written: Option<u64>, output_tokens: u64) -> Self {
        let parts = [uncached, read.unwrap_or(0), written.unwrap_or(0), output_tokens];
        Self {
            input_tokens: uncached,
            output_tokens,
            total_tokens: parts.into_iter().fold(0, u64::saturating_add),
            cache_read_input_tokens: read,
            cache_write_input_tokens: written,
            cache_details: Vec::new(),
        }
    }
}

impl From<&TokenUsage> for WireUsage {
    fn from(counts: &TokenUsage) -> Self {
        let some = |count: u64| (count > 0).then_some(count);
        let written = counts.cache_write_5m.saturating_add(counts.cache_write_1h);
        Self::new(counts.uncached_input(), some(counts.cache_read), some(written), counts.output)
    }
}

/// The longer lifetime stands first, as the provider lists them.
fn details(usage: &ConverseUsage) -> Vec<WireCacheDetail> {
    let detail = |ttl, tokens: Option<u64>| tokens.map(|input_tokens| WireCacheDetail { ttl, input_tokens });
    let hour = detail("1h", usage.cache_write_1h_tokens);
    hour.into_iter().chain(detail("5m", usage.cache_write_5m_tokens)).collect()
}
