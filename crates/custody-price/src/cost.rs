//! From counts and prices to amounts.

use custody_types::{PicoUsd, Text};

use crate::{
    book::PriceBook,
    choose::{self, Choice},
    class::{Item, PriceClass, TokenClass},
    facts::Facts,
    finding::Finding,
    quote::{CostLine, Quote, Reason},
    usage::Usage,
};

/// What an attempt costs, part by part. `total` is the sum of the parts, exactly.
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
    /// Part for what is no token; nothing where only tokens were used.
    pub items: PicoUsd,
    /// The whole.
    pub total: PicoUsd,
}

impl Priced {
    pub(crate) const fn nothing(entry_id: Text) -> Self {
        let zero = PicoUsd::ZERO;
        Self { entry_id, input: zero, cache_read: zero, cache_write: zero, output: zero, items: zero, total: zero }
    }
}

pub(crate) fn charge(book: &PriceBook, facts: &Facts, usage: &Usage) -> Result<Quote, Finding> {
    let counts = usage.by_class()?;
    let mut choice = choose::choose(book, facts, usage.tokens.input)?;
    let mut lines = Vec::new();
    for (class, tokens) in counts.into_iter().filter(|(_, tokens)| *tokens > 0) {
        let price = token_price(&mut choice, class)?;
        lines.push(line(PriceClass::Token(class), tokens, price, &choice)?);
    }
    for (item, count) in usage.items.iter().filter(|(_, count)| **count > 0) {
        let price = item_price(&choice, facts, *item).ok_or(Finding::MissingPrice)?;
        lines.push(line(PriceClass::Item(*item), *count, price, &choice)?);
    }
    let total = lines.iter().try_fold(PicoUsd::ZERO, |sum, line| sum.checked_add(line.amount)).ok_or(Finding::AmountOutOfRange)?;
    Ok(Quote { entry_id: choice.entry.id.clone(), reasons: choice.reasons, lines, total })
}

fn token_price(choice: &mut Choice<'_>, class: TokenClass) -> Result<PicoUsd, Finding> {
    if let Some(price) = choice.prices.per_token.of(class) {
        return Ok(price);
    }
    if !choice.entry.tokens_included {
        return Err(Finding::MissingPrice);
    }
    if !choice.reasons.contains(&Reason::TokensIncluded) {
        choice.reasons.push(Reason::TokensIncluded);
    }
    Ok(PicoUsd::ZERO)
}

/// What is no token does not depend on the input's length: a longer tier that leaves it out has the shorter one's price.
fn item_price(choice: &Choice<'_>, facts: &Facts, item: Item) -> Option<PicoUsd> {
    let of_tier = choice.prices.per_item.get(&item);
    let of_service = || choice.entry.tier(facts.service, 0).and_then(|(_, prices)| prices.per_item.get(&item));
    of_tier.or_else(of_service).copied()
}

fn line(class: PriceClass, quantity: u64, unit_price: PicoUsd, choice: &Choice<'_>) -> Result<CostLine, Finding> {
    let effective = choice.premium.map_or(Some(unit_price), |factor| factor.of(unit_price));
    let amount = effective.and_then(|price| price.checked_mul(quantity)).ok_or(Finding::AmountOutOfRange)?;
    Ok(CostLine { class, quantity, unit_price, premium: choice.premium, amount })
}
