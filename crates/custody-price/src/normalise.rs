//! From a provider's counts to ours. The rule is chosen by provider and has a version, which stands in the event beside the raw
//! counts, so that a wrong rule can be found and the period priced again.
//!
//! ```text
//! provider             version  input          cache_read     cache_write_5m      output             reasoning
//! openai_compatible    1        prompt_tokens  cached_tokens  cache_write_tokens  completion_tokens  reasoning_tokens
//! simulator            1        the same
//! ```
//! In OpenAI's form the details are parts of `prompt_tokens` and `completion_tokens`, and both add up to `total_tokens`. Its cache
//! writes state no lifetime. Counts that do not fit that reading are refused: they mean something else than the rule believes.

use custody_types::TokenUsage;

use crate::{finding::Finding, provider::Provider};

/// A provider's counts as it stated them; what it left out is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RawUsage {
    /// `prompt_tokens`.
    pub prompt_tokens: Option<u64>,
    /// `completion_tokens`.
    pub completion_tokens: Option<u64>,
    /// `total_tokens`.
    pub total_tokens: Option<u64>,
    /// `prompt_tokens_details.cached_tokens`.
    pub cached_tokens: Option<u64>,
    /// `prompt_tokens_details.cache_write_tokens`.
    pub cache_write_tokens: Option<u64>,
    /// `completion_tokens_details.reasoning_tokens`.
    pub reasoning_tokens: Option<u64>,
}

/// Normalised counts and the version of the rule that made them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Normalised {
    /// The counts.
    pub usage: TokenUsage,
    /// Version of the provider's rule.
    pub version: i32,
}

const OPENAI_RULE: i32 = 1;

/// Turns a provider's counts into ours.
///
/// # Errors
/// [`Finding::UsageUnknown`] without both main counts, [`Finding::UsageInconsistent`] where counts contradict each other.
pub fn normalise(provider: Provider, raw: &RawUsage) -> Result<Normalised, Finding> {
    match provider {
        Provider::Simulator | Provider::OpenAiCompatible => openai(raw).map(|usage| Normalised { usage, version: OPENAI_RULE }),
    }
}

fn openai(raw: &RawUsage) -> Result<TokenUsage, Finding> {
    let input = raw.prompt_tokens.ok_or(Finding::UsageUnknown)?;
    let output = raw.completion_tokens.ok_or(Finding::UsageUnknown)?;
    let usage = TokenUsage {
        input,
        cache_read: raw.cached_tokens.unwrap_or(0),
        cache_write_5m: raw.cache_write_tokens.unwrap_or(0),
        cache_write_1h: 0,
        output,
        reasoning: raw.reasoning_tokens.unwrap_or(0),
    };
    let total = input.checked_add(output).filter(|total| i64::try_from(*total).is_ok());
    let total = total.ok_or(Finding::UsageInconsistent)?;
    let stated = raw.total_tokens.unwrap_or(total);
    if stated == total && is_consistent(&usage) { Ok(usage) } else { Err(Finding::UsageInconsistent) }
}

/// Whether the parts fit into their wholes.
pub(crate) fn is_consistent(usage: &TokenUsage) -> bool {
    let writes = usage.cache_write_5m.checked_add(usage.cache_write_1h);
    let parts = writes.and_then(|writes| writes.checked_add(usage.cache_read));
    parts.is_some_and(|parts| parts <= usage.input) && usage.reasoning <= usage.output
}
