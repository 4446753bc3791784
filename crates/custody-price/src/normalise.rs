//! From a provider's counts to ours. The rule is chosen by provider, model family and operation and has a number, which stands in
//! the event beside the raw counts, so that a wrong rule can be found and the period priced again.
//!
//! ```text
//! provider                       operation         family   rule  total input
//! simulator, openai_compatible   chat              any      1     prompt_tokens; cached ones are part of it
//! bedrock                        chat              any      1     the same: its OpenAI-compatible endpoint
//! bedrock                        converse          any      2     inputTokens + cache reads + cache writes
//! bedrock                        converse_stream   others   2     the same
//! bedrock                        converse_stream   OpenAI   3     decided by arithmetic, see `normalise/bedrock.rs`
//! bedrock                        invoke_model      any      4     the model's own body, counted as by rule 2; OpenAI's form by rule 1
//! ```
//! In OpenAI's form the details are parts of `prompt_tokens` and `completion_tokens`, and both add up to `total_tokens`. Its cache
//! writes state no lifetime. Counts that do not fit the reading of their rule are refused: they mean something else than the rule
//! believes. Reasoning is part of the output everywhere. Pictures and sound are part of the counts; only providers that state them
//! apart can be charged for them apart.

mod bedrock;

use custody_types::TokenUsage;

use crate::{finding::Finding, provider::Provider};

/// A provider's counts as it stated them, in OpenAI's form or in Converse's; what it left out is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RawUsage {
    /// `prompt_tokens`.
    pub prompt_tokens: Option<u64>,
    /// `completion_tokens`.
    pub completion_tokens: Option<u64>,
    /// `total_tokens` or `totalTokens`.
    pub total_tokens: Option<u64>,
    /// `prompt_tokens_details.cached_tokens`.
    pub cached_tokens: Option<u64>,
    /// `prompt_tokens_details.cache_write_tokens`.
    pub cache_write_tokens: Option<u64>,
    /// `completion_tokens_details.reasoning_tokens`.
    pub reasoning_tokens: Option<u64>,
    /// `inputTokens`.
    pub input_tokens: Option<u64>,
    /// `outputTokens`.
    pub output_tokens: Option<u64>,
    /// `cacheReadInputTokens`.
    pub cache_read_input_tokens: Option<u64>,
    /// `cacheWriteInputTokens`.
    pub cache_write_input_tokens: Option<u64>,
    /// `cacheDetails`, summed by lifetime; absent where there is none.
    pub cache_details: Option<CacheWrites>,
}

/// Cache writes by lifetime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheWrites {
    /// Written for five minutes.
    pub five_minutes: u64,
    /// Written for an hour.
    pub one_hour: u64,
    /// Written for a lifetime that no rule knows.
    pub other: u64,
}

/// What was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// OpenAI's chat completions, streamed or not.
    Chat,
    /// Bedrock's Converse.
    Converse,
    /// Bedrock's ConverseStream.
    ConverseStream,
    /// Bedrock's InvokeModel, streamed or not.
    InvokeModel,
}

/// Who made the model, as far as the rules differ by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ModelFamily {
    /// Models of OpenAI on Bedrock.
    OpenAi,
    /// All others.
    Other,
}

/// Normalised counts and the number of the rule that made them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Normalised {
    /// The counts.
    pub usage: TokenUsage,
    /// Number of the rule.
    pub version: i32,
}

const OPENAI_RULE: i32 = 1;

impl ModelFamily {
    /// The family that a Bedrock model id, profile id or ARN names.
    #[must_use]
    pub fn of(model: &str) -> Self {
        let id = model.rsplit('/').next().unwrap_or(model);
        if id.split('.').any(|part| part == "openai") { Self::OpenAi } else { Self::Other }
    }
}

/// Turns a provider's counts into ours, where the provider has one operation only.
///
/// # Errors
/// [`Finding::UsageUnknown`] without both main counts, [`Finding::UsageInconsistent`] where counts contradict each other.
pub fn normalise(provider: Provider, raw: &RawUsage) -> Result<Normalised, Finding> {
    let operation = match provider {
        Provider::Simulator | Provider::OpenAiCompatible => Operation::Chat,
        Provider::Bedrock => Operation::Converse,
    };
    normalise_call(provider, ModelFamily::Other, operation, raw)
}

/// Turns a provider's counts into ours.
///
/// # Errors
/// [`Finding::UsageUnknown`] without both main counts or where no rule can read them, [`Finding::UsageInconsistent`] where counts
/// contradict each other.
pub fn normalise_call(provider: Provider, family: ModelFamily, operation: Operation, raw: &RawUsage) -> Result<Normalised, Finding> {
    match (provider, operation) {
        (Provider::Simulator | Provider::OpenAiCompatible, _) | (Provider::Bedrock, Operation::Chat) => {
            openai(raw).map(|usage| Normalised { usage, version: OPENAI_RULE })
        }
        (Provider::Bedrock, Operation::Converse) => bedrock::converse(raw),
        (Provider::Bedrock, Operation::ConverseStream) => match family {
            ModelFamily::OpenAi => bedrock::openai_stream(raw),
            ModelFamily::Other => bedrock::converse(raw),
        },
        (Provider::Bedrock, Operation::InvokeModel) => bedrock::invoke_model(raw),
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
    let total = input.checked_add(output).ok_or(Finding::UsageInconsistent)?;
    if raw.total_tokens.unwrap_or(total) == total { checked(usage) } else { Err(Finding::UsageInconsistent) }
}

/// Counts that an event can hold and whose parts fit into their wholes.
fn checked(usage: TokenUsage) -> Result<TokenUsage, Finding> {
    let total = usage.input.checked_add(usage.output);
    let fits = total.is_some_and(|total| i64::try_from(total).is_ok());
    if fits && is_consistent(&usage) { Ok(usage) } else { Err(Finding::UsageInconsistent) }
}

/// Whether the parts fit into their wholes.
pub(crate) fn is_consistent(usage: &TokenUsage) -> bool {
    let writes = usage.cache_write_5m.checked_add(usage.cache_write_1h);
    let parts = writes.and_then(|writes| writes.checked_add(usage.cache_read));
    parts.is_some_and(|parts| parts <= usage.input) && usage.reasoning <= usage.output
}
