//! The price book: what each model costs, and when.

use std::collections::{BTreeSet, HashMap};

use custody_types::{ModelName, Text, Timestamp, TokenUsage};

use crate::{
    choose,
    class::Item,
    cost::{self, Priced},
    entry::PriceEntry,
    facts::Facts,
    finding::Finding,
    mistake::PriceMistakes,
    parse,
    provider::Provider,
    quote::Quote,
    usage::Usage,
};

/// Prices of one version. Invariant: no two entries hold at the same time for the same provider, model, variant and Region, and the
/// entries of a model stand in order of time.
#[derive(Debug, Clone)]
pub struct PriceBook {
    version: Text,
    hash: Text,
    entries: HashMap<(Provider, ModelName), Vec<PriceEntry>>,
}

impl PriceBook {
    /// The only currency of books so far.
    pub const CURRENCY: &'static str = "USD";

    /// Reads a book; `file` is named in mistakes.
    ///
    /// # Errors
    /// Every mistake of the file at once.
    pub fn parse(file: &str, text: &str) -> Result<Self, PriceMistakes> {
        parse::book(file, text)
    }

    pub(crate) fn assemble(version: Text, hash: Text, entries: Vec<PriceEntry>) -> Self {
        let mut by_model: HashMap<(Provider, ModelName), Vec<PriceEntry>> = HashMap::new();
        for entry in entries {
            by_model.entry((entry.provider, entry.model.clone())).or_default().push(entry);
        }
        for history in by_model.values_mut() {
            history.sort_by_key(|entry| entry.effective_from);
        }
        Self { version, hash, entries: by_model }
    }

    /// The version that the book calls itself, for events.
    #[must_use]
    pub const fn version(&self) -> &Text {
        &self.version
    }

    /// SHA-256 of the file's text, hex.
    #[must_use]
    pub const fn hash(&self) -> &Text {
        &self.hash
    }

    /// Every entry, sorted by id.
    #[must_use]
    pub fn entries(&self) -> Vec<&PriceEntry> {
        let mut all: Vec<&PriceEntry> = self.entries.values().flatten().collect();
        all.sort_by(|one, other| one.id.cmp(&other.id));
        all
    }

    pub(crate) fn history(&self, provider: Provider, model: &ModelName) -> &[PriceEntry] {
        self.entries.get(&(provider, model.clone())).map_or(&[], Vec::as_slice)
    }

    /// Whether any entry names the model.
    #[must_use]
    pub fn knows(&self, provider: Provider, model: &ModelName) -> bool {
        !self.history(provider, model).is_empty()
    }

    /// The entry that holds for a model at a time, wherever and however it is asked.
    #[must_use]
    pub fn entry(&self, provider: Provider, model: &ModelName, at: Timestamp) -> Option<&PriceEntry> {
        let plain = |entry: &&PriceEntry| entry.regions.is_empty() && entry.variant.is_none() && entry.holds_at(at);
        self.history(provider, model).iter().find(plain)
    }

    /// What a request costs, with every factor. Pure: the same usage and facts with another book price a period again.
    ///
    /// # Errors
    /// The finding that stands in the cost event in place of an amount.
    pub fn quote(&self, facts: &Facts, usage: &Usage) -> Result<Quote, Finding> {
        cost::charge(self, facts, usage)
    }

    /// The items that the prices which hold for a request know: what every request has, such as its time, is charged only there.
    ///
    /// # Errors
    /// Where no prices hold.
    pub fn priced_items(&self, facts: &Facts, input: u64) -> Result<BTreeSet<Item>, Finding> {
        let choice = choose::choose(self, facts, input)?;
        let of_service = choice.entry.tier(facts.service, 0).map(|(_, prices)| &prices.per_item);
        Ok(choice.prices.per_item.keys().chain(of_service.into_iter().flat_map(|prices| prices.keys())).copied().collect())
    }

    /// What tokens on demand cost at a time. Parts always sum to the whole, and nothing is rounded.
    ///
    /// # Errors
    /// The finding that stands in the cost event in place of an amount.
    pub fn price(&self, provider: Provider, model: &ModelName, at: Timestamp, usage: &TokenUsage) -> Result<Priced, Finding> {
        let facts = Facts::on_demand(provider, model.clone(), at);
        self.quote(&facts, &Usage::from(*usage)).map(|quote| quote.priced())
    }
}
