//! The usage object of an answer, in any of the forms that models on Bedrock use. Some state a count under two names; both must agree.
//!
//! ```text
//! Converse    inputTokens, outputTokens, totalTokens, cacheReadInputTokens, cacheWriteInputTokens, cacheDetails
//! Nova        the same, and cacheReadInputTokenCount, cacheWriteInputTokenCount
//! Anthropic   input_tokens, output_tokens, cache_read_input_tokens, cache_creation_input_tokens, cache_creation
//! OpenAI      prompt_tokens, completion_tokens, total_tokens, prompt_tokens_details, completion_tokens_details
//! ```

use serde::Deserialize;

use crate::normalise::{CacheWrites, RawUsage};

/// The object cannot be read, or says two things about one count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UnreadableUsage;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Converse {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    total_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_write_input_tokens: Option<u64>,
    cache_read_input_token_count: Option<u64>,
    cache_write_input_token_count: Option<u64>,
    cache_details: Option<Vec<CacheDetail>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CacheDetail {
    ttl: String,
    input_tokens: u64,
}

#[derive(Deserialize)]
struct Anthropic {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_creation: Option<CacheCreation>,
}

#[derive(Deserialize)]
struct CacheCreation {
    ephemeral_5m_input_tokens: Option<u64>,
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct OpenAi {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    total_tokens: Option<u64>,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Deserialize, Default)]
struct PromptDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct CompletionDetails {
    reasoning_tokens: Option<u64>,
}

pub(super) fn read(json: &str) -> Result<RawUsage, UnreadableUsage> {
    let converse: Converse = form(json)?;
    let anthropic: Anthropic = form(json)?;
    let openai: OpenAi = form(json)?;
    let prompt = openai.prompt_tokens_details.unwrap_or_default();
    let details = converse.cache_details.filter(|details| !details.is_empty()).map(|details| by_lifetime(&details));
    Ok(RawUsage {
        prompt_tokens: openai.prompt_tokens,
        completion_tokens: openai.completion_tokens,
        total_tokens: one([converse.total_tokens, openai.total_tokens])?,
        cached_tokens: prompt.cached_tokens,
        cache_write_tokens: prompt.cache_write_tokens,
        reasoning_tokens: openai.completion_tokens_details.and_then(|details| details.reasoning_tokens),
        input_tokens: one([converse.input_tokens, anthropic.input_tokens])?,
        output_tokens: one([converse.output_tokens, anthropic.output_tokens])?,
        cache_read_input_tokens: one([
            converse.cache_read_input_tokens,
            converse.cache_read_input_token_count,
            anthropic.cache_read_input_tokens,
        ])?,
        cache_write_input_tokens: one([
            converse.cache_write_input_tokens,
            converse.cache_write_input_token_count,
            anthropic.cache_creation_input_tokens,
        ])?,
        cache_details: details.or(anthropic.cache_creation.map(CacheCreation::writes)),
    })
}

fn form<'j, T: Deserialize<'j>>(json: &'j str) -> Result<T, UnreadableUsage> {
    serde_json::from_str(json).map_err(|_| UnreadableUsage)
}

/// The one value that is stated, under whatever names.
fn one<const N: usize>(stated: [Option<u64>; N]) -> Result<Option<u64>, UnreadableUsage> {
    let mut values = stated.into_iter().flatten();
    let first = values.next();
    if values.all(|value| Some(value) == first) { Ok(first) } else { Err(UnreadableUsage) }
}

impl CacheCreation {
    fn writes(self) -> CacheWrites {
        let (five_minutes, one_hour) = (self.ephemeral_5m_input_tokens.unwrap_or(0), self.ephemeral_1h_input_tokens.unwrap_or(0));
        CacheWrites { five_minutes, one_hour, other: 0 }
    }
}

fn by_lifetime(details: &[CacheDetail]) -> CacheWrites {
    let mut writes = CacheWrites::default();
    for detail in details {
        let sum = match detail.ttl.as_str() {
            "5m" => &mut writes.five_minutes,
            "1h" => &mut writes.one_hour,
            _ => &mut writes.other,
        };
        *sum = sum.saturating_add(detail.input_tokens);
    }
    writes
}
