//! The price book: what each model's tokens cost, and when.

use std::collections::HashMap;

use custody_types::{ModelName, PicoUsd, Text, Timestamp, TokenUsage};

use crate::{
    cost::{self, Priced},
    finding::Finding,
    mistake::PriceMistakes,
    parse,
    provider::Provider,
};

/// Prices of one version. Invariant: no two entries of one provider and model hold at the same time, and entries stand in
/// order of time.
#[derive(Debug, Clone)]
pub struct PriceBook {
    version: Text,
    hash: Text,
    entries: HashMap<(Provider, ModelName), Vec<PriceEntry>>,
}

/// What one model's tokens cost for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceEntry {
    /// Name of the entry, unique in the book.
    pub id: Text,
    /// Who serves the model.
    pub provider: Provider,
    /// The model as its provider names it.
    pub model: ModelName,
    /// First moment at which it holds.
    pub effective_from: Timestamp,
    /// First moment at which it no longer holds, where that is known.
    pub effective_to: Option<Timestamp>,
    /// Amount per single token, by class.
    pub per_token: TokenPrices,
}

/// Amounts per single token; a class without a price cannot be charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenPrices {
    /// Input that no cache was involved in.
    pub input: Option<PicoUsd>,
    /// Input read from a cache.
    pub cache_read: Option<PicoUsd>,
    /// Input written to a cache for five minutes, or of unstated lifetime.
    pub cache_write_5m: Option<PicoUsd>,
    /// Input written to a cache for an hour.
    pub cache_write_1h: Option<PicoUsd>,
    /// Output.
    pub output: Option<PicoUsd>,
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

    /// The entry that holds for a model at a time.
    #[must_use]
    pub fn entry(&self, provider: Provider, model: &ModelName, at: Timestamp) -> Option<&PriceEntry> {
        let history = self.entries.get(&(provider, model.clone()))?;
        history.iter().rev().find(|entry| entry.effective_from <= at).filter(|entry| entry.effective_to.is_none_or(|end| at < end))
    }

    /// What this use of a model costs at a time. Parts always sum to the whole, and nothing is rounded.
    ///
    /// # Errors
    /// The finding that stands in the cost event in place of an amount.
    pub fn price(&self, provider: Provider, model: &ModelName, at: Timestamp, usage: &TokenUsage) -> Result<Priced, Finding> {
        let entry = self.entry(provider, model, at).ok_or(Finding::MissingPrice)?;
        cost::charge(entry, usage)
    }
}
