//! One call of a model as it is charged: its tokens, what every call has, and what else it used. The gateway when it records, and
//! whoever prices a record again, count by the same rule.
//!
//! ```text
//! counted      request          one, where the prices that hold for the call know the item
//!              request_second   its milliseconds, begun ones whole, where they know the item; a time that nobody told has no price
//! no amount    tokens that capacity pays for, and no item charged: zero would be a wrong number
//! ```

use std::collections::BTreeMap;

use custody_types::TokenUsage;

use crate::{
    book::PriceBook,
    class::Item,
    facts::Facts,
    finding::Finding,
    quote::{Quote, Reason},
    usage::Usage,
};

const MICROS_PER_MILLI: u64 = 1_000;

impl PriceBook {
    /// What a call used that may be charged. Of `further` items, what every call has is counted anew.
    ///
    /// # Errors
    /// Where its time is charged and not known.
    pub fn usage_of_call(
        &self,
        facts: &Facts,
        tokens: TokenUsage,
        duration_us: Option<u64>,
        further: BTreeMap<Item, u64>,
    ) -> Result<Usage, Finding> {
        let priced = self.priced_items(facts, tokens.input).unwrap_or_default();
        let mut items = further;
        items.retain(|item, _| !matches!(item, Item::Request | Item::RequestSecond));
        if priced.contains(&Item::Request) {
            items.insert(Item::Request, 1);
        }
        if priced.contains(&Item::RequestSecond) {
            let duration_us = duration_us.ok_or(Finding::MissingPrice)?;
            items.insert(Item::RequestSecond, duration_us.div_ceil(MICROS_PER_MILLI));
        }
        Ok(Usage { items, ..Usage::from(tokens) })
    }

    /// The amount of such usage, with every factor.
    ///
    /// # Errors
    /// The finding that stands in place of an amount.
    pub fn quote_usage(&self, facts: &Facts, usage: &Usage) -> Result<Quote, Finding> {
        let quote = self.quote(facts, usage)?;
        let paid_elsewhere = quote.reasons().contains(&Reason::TokensIncluded) && usage.items.is_empty();
        if paid_elsewhere { Err(Finding::MissingPrice) } else { Ok(quote) }
    }

    /// What a call costs.
    ///
    /// # Errors
    /// The finding that stands in place of an amount.
    pub fn quote_call(
        &self,
        facts: &Facts,
        tokens: TokenUsage,
        duration_us: Option<u64>,
        further: BTreeMap<Item, u64>,
    ) -> Result<Quote, Finding> {
        self.quote_usage(facts, &self.usage_of_call(facts, tokens, duration_us, further)?)
    }
}
