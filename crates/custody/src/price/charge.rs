//! One cost event, and what prices it again: the facts that it keeps, and the attempt that it belongs to.
//!
//! ```text
//! charged for          tokens                 items                                           class of service and the like
//! model                the invocation's       the event's; request and its time by the        the event's
//!                                             invocation, where the book prices them
//! guardrail            none                   the event's                                     the event's
//! not said (1.0)       the invocation's       as for a model                                  not recorded: standard, Region of the route
//! ```

use std::collections::BTreeMap;

use custody_price::{Facts, Finding, Item, PriceBook, Quote, ServiceTier, Usage};
use custody_types::{ModelName, PicoUsd, Text, TokenUsage};
use serde::Deserialize;

use super::events::moment;

const GUARDRAIL: &str = "guardrail";

/// What the events of an attempt say of it.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Attempted {
    pub started_at: Option<String>,
    duration_us: Option<u64>,
    /// The Region of its route.
    pub route_region: Option<String>,
    input: Option<u64>,
    cache_read: Option<u64>,
    cache_write_5m: Option<u64>,
    cache_write_1h: Option<u64>,
    output: Option<u64>,
    reasoning: Option<u64>,
}

/// What a cost event says.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Recorded {
    pub charged_for: Option<String>,
    pub provider: Option<String>,
    pub model: Option<String>,
    pub priced_model: Option<String>,
    pub region: Option<String>,
    pub geography: Option<String>,
    pub variant: Option<String>,
    pub service_tier: Option<String>,
    pub items: Option<BTreeMap<String, u64>>,
    pub amount_pico: Option<i64>,
    pub finding: Option<String>,
    pub price_book: Option<String>,
}

/// What is priced, and by which facts.
#[derive(Debug)]
pub struct Charge {
    pub facts: Facts,
    pub usage: Usage,
}

impl Attempted {
    /// The counts, where the event has them.
    pub fn tokens(&self) -> Option<TokenUsage> {
        Some(TokenUsage {
            input: self.input?,
            cache_read: self.cache_read.unwrap_or(0),
            cache_write_5m: self.cache_write_5m.unwrap_or(0),
            cache_write_1h: self.cache_write_1h.unwrap_or(0),
            output: self.output?,
            reasoning: self.reasoning.unwrap_or(0),
        })
    }
}

impl Recorded {
    /// The amount, or the finding in its place.
    pub fn amount(&self) -> Result<PicoUsd, Finding> {
        self.amount_pico.map(PicoUsd::from_pico).ok_or_else(|| self.finding().unwrap_or(Finding::UsageUnknown))
    }

    /// Whether the event keeps what chose its price; those of version 1.0 do not.
    pub const fn has_facts(&self) -> bool {
        self.charged_for.is_some()
    }

    pub fn is_guardrail(&self) -> bool {
        self.charged_for.as_deref() == Some(GUARDRAIL)
    }

    /// What is priced. A call without a start has no price, and a class of service that nobody knows has none either.
    pub fn charge(&self, attempted: &Attempted, book: &PriceBook) -> Result<Charge, Finding> {
        let tokens = self.tokens(attempted)?;
        let facts = self.facts(attempted)?;
        let items = self.items()?;
        let usage = if self.is_guardrail() {
            Usage { items, ..Usage::from(tokens) }
        } else {
            book.usage_of_call(&facts, tokens, attempted.duration_us, items)?
        };
        Ok(Charge { facts, usage })
    }

    fn finding(&self) -> Option<Finding> {
        self.finding.as_deref()?.parse().ok()
    }

    fn tokens(&self, attempted: &Attempted) -> Result<TokenUsage, Finding> {
        if !self.is_guardrail() {
            let inconsistent = self.finding().filter(|finding| *finding == Finding::UsageInconsistent);
            return attempted.tokens().ok_or_else(|| inconsistent.unwrap_or(Finding::UsageUnknown));
        }
        let nothing_counted = self.items.as_ref().is_none_or(BTreeMap::is_empty);
        self.finding().filter(|_| nothing_counted).map_or(Ok(TokenUsage::default()), Err)
    }

    pub fn facts(&self, attempted: &Attempted) -> Result<Facts, Finding> {
        let named = |text: &Option<String>| text.as_deref().and_then(|name| name.parse::<ModelName>().ok());
        let provider = self.provider.as_deref().and_then(|name| name.parse().ok()).ok_or(Finding::MissingPrice)?;
        let model = named(&self.priced_model).or_else(|| named(&self.model)).ok_or(Finding::MissingPrice)?;
        let at = attempted.started_at.as_deref().and_then(moment).ok_or(Finding::MissingPrice)?;
        let on_demand = Facts::on_demand(provider, model, at);
        let text = |text: &Option<String>| text.as_deref().map(Text::from);
        if !self.has_facts() {
            return Ok(Facts { region: text(&attempted.route_region), ..on_demand });
        }
        let service = self.service_tier.as_deref().and_then(|tier| tier.parse::<ServiceTier>().ok()).ok_or(Finding::MissingPrice)?;
        let (region, geography, variant) = (text(&self.region), text(&self.geography), text(&self.variant));
        Ok(Facts { region, geography, variant, service, ..on_demand })
    }

    fn items(&self) -> Result<BTreeMap<Item, u64>, Finding> {
        let named = |(name, count): (&String, &u64)| name.parse::<Item>().map(|item| (item, *count)).map_err(|_| Finding::MissingPrice);
        self.items.iter().flatten().map(named).collect()
    }
}

impl Charge {
    /// What it costs by a book.
    pub fn quote(&self, book: &PriceBook) -> Result<Quote, Finding> {
        book.quote_usage(&self.facts, &self.usage)
    }
}
