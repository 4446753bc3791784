//! Usage in OpenAI's arithmetic, whoever answered: the input includes what was read from and written to a cache.

use custody_types::TokenUsage;
use serde::Serialize;

use crate::{ConverseUsage, RawUsage};

/// Usage as the OpenAI client expects it: the three totals are always there.
#[derive(Serialize)]
pub(super) struct WireUsage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_tokens_details: Option<PromptDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Serialize)]
struct PromptDetails {
    #[serde(skip_serializing_if = "Option::is_none")]
    cached_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_write_tokens: Option<u64>,
}

#[derive(Serialize)]
struct CompletionDetails {
    reasoning_tokens: u64,
}

impl WireUsage {
    /// A provider that spoke this form is quoted as it spoke; else the normalised counts are told, else what the Converse form is
    /// documented to mean.
    pub(super) fn of(usage: Option<&RawUsage>, counts: Option<&TokenUsage>) -> Option<Self> {
        match (usage, counts) {
            (Some(usage), None) => Some(Self::from(usage)),
            (Some(usage), Some(_)) if usage.converse.is_none() => Some(Self::from(usage)),
            (_, Some(counts)) => Some(Self::from(counts)),
            (None, None) => None,
        }
    }
}

impl From<&RawUsage> for WireUsage {
    fn from(usage: &RawUsage) -> Self {
        if let Some(converse) = &usage.converse {
            return Self::from(converse);
        }
        let prompt_tokens = usage.prompt_tokens.unwrap_or(0);
        let completion_tokens = usage.completion_tokens.unwrap_or(0);
        let sum = prompt_tokens.saturating_add(completion_tokens);
        Self {
            prompt_tokens,
            completion_tokens,
            total_tokens: usage.total_tokens.unwrap_or(sum),
            prompt_tokens_details: prompt_details(usage.cached_tokens, usage.cache_write_tokens),
            completion_tokens_details: usage.reasoning_tokens.map(|reasoning_tokens| CompletionDetails { reasoning_tokens }),
        }
    }
}

impl From<&TokenUsage> for WireUsage {
    fn from(counts: &TokenUsage) -> Self {
        let some = |count: u64| (count > 0).then_some(count);
        let written = counts.cache_write_5m.saturating_add(counts.cache_write_1h);
        Self {
            prompt_tokens: counts.input,
            completion_tokens: counts.output,
            total_tokens: counts.input.saturating_add(counts.output),
            prompt_tokens_details: prompt_details(some(counts.cache_read), some(written)),
            completion_tokens_details: some(counts.reasoning).map(|reasoning_tokens| CompletionDetails { reasoning_tokens }),
        }
    }
}

impl From<&ConverseUsage> for WireUsage {
    fn from(usage: &ConverseUsage) -> Self {
        let (read, written) = (usage.cache_read_tokens, usage.cache_write_tokens);
        let uncached = usage.input_tokens.unwrap_or(0);
        let prompt_tokens = uncached.saturating_add(read.unwrap_or(0)).saturating_add(written.unwrap_or(0));
        let completion_tokens = usage.output_tokens.unwrap_or(0);
        Self {
            prompt_tokens,
            completion_tokens,
            total_tokens: prompt_tokens.saturating_add(completion_tokens),
            prompt_tokens_details: prompt_details(read, written),
            completion_tokens_details: None,
        }
    }
}

fn prompt_details(cached_tokens: Option<u64>, cache_write_tokens: Option<u64>) -> Option<PromptDetails> {
    cached_tokens.or(cache_write_tokens).is_some().then_some(PromptDetails { cached_tokens, cache_write_tokens })
}
