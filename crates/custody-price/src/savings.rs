//! What caches saved: what their reads would have cost as plain input, less what they cost.

use custody_types::{PicoUsd, TokenUsage};

use crate::{book::PriceBook, facts::Facts, finding::Finding, quote::Quote, usage::Usage};

impl PriceBook {
    /// What cache reads of a request saved. Both amounts are of the same entry, tier and factor, because the input is as long either
    /// way; what writing to the cache cost more than plain input is not taken off. It is below zero where reads cost more than input.
    ///
    /// # Errors
    /// The finding that stands in place of an amount: also where plain input has no price.
    pub fn cache_savings(&self, facts: &Facts, usage: &Usage) -> Result<PicoUsd, Finding> {
        let without_reads = Usage { tokens: TokenUsage { cache_read: 0, ..usage.tokens }, ..usage.clone() };
        let (read, unread) = (self.quote(facts, usage)?, self.quote(facts, &without_reads)?);
        let saved = total(&unread).checked_sub(total(&read)).ok_or(Finding::AmountOutOfRange)?;
        Ok(PicoUsd::from_pico(saved))
    }
}

const fn total(quote: &Quote) -> i64 {
    quote.total().pico()
}
