//! What the caller is told of the usage: the counts that stand in the trail, which each front writes in its own arithmetic.

use custody_event::{Event, Kind};
use custody_types::TokenUsage;

/// The counts of an attempt's event; none where the usage was not known.
pub(super) fn counts(invocation: &Event) -> Option<TokenUsage> {
    let Kind::Invocation(fact) = &invocation.kind else { return None };
    let part = |count: Option<i64>| count.and_then(|count| u64::try_from(count).ok());
    Some(TokenUsage {
        input: part(fact.input_tokens)?,
        cache_read: part(fact.cache_read_tokens)?,
        cache_write_5m: part(fact.cache_write_5m_tokens)?,
        cache_write_1h: part(fact.cache_write_1h_tokens)?,
        output: part(fact.output_tokens)?,
        reasoning: part(fact.reasoning_tokens)?,
    })
}
