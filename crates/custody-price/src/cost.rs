//! From counts and prices to amounts.

use custody_types::{PicoUsd, Text, TokenUsage};

use crate::{book::PriceEntry, finding::Finding, normalise};

/// What an attempt costs, part by part. `total` is the sum of the four parts, exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Priced {
    /// Entry of the price book.
    pub entry_id: Text,
    /// Part for uncached input.
    pub input: PicoUsd,
    /// Part for cache reads.
    pub cache_read: PicoUsd,
    /// Part for cache writes of either lifetime.
    pub cache_write: PicoUsd,
    /// Part for output.
    pub output: PicoUsd,
    /// The whole.
    pub total: PicoUsd,
}

pub(crate) fn charge(entry: &PriceEntry, usage: &TokenUsage) -> Result<Priced, Finding> {
    if !normalise::is_consistent(usage) {
        return Err(Finding::UsageInconsistent);
    }
    let prices = &entry.per_token;
    let input = part(prices.input, usage.uncached_input())?;
    let cache_read = part(prices.cache_read, usage.cache_read)?;
    let short_writes = part(prices.cache_write_5m, usage.cache_write_5m)?;
    let long_writes = part(prices.cache_write_1h, usage.cache_write_1h)?;
    let cache_write = sum([short_writes, long_writes])?;
    let output = part(prices.output, usage.output)?;
    let total = sum([input, cache_read, cache_write, output])?;
    Ok(Priced { entry_id: entry.id.clone(), input, cache_read, cache_write, output, total })
}

/// Unused classes need no price.
fn part(price: Option<PicoUsd>, tokens: u64) -> Result<PicoUsd, Finding> {
    if tokens == 0 {
        return Ok(PicoUsd::ZERO);
    }
    price.ok_or(Finding::MissingPrice)?.checked_mul(tokens).ok_or(Finding::AmountOutOfRange)
}

fn sum<const N: usize>(parts: [PicoUsd; N]) -> Result<PicoUsd, Finding> {
    parts.into_iter().try_fold(PicoUsd::ZERO, PicoUsd::checked_add).ok_or(Finding::AmountOutOfRange)
}
