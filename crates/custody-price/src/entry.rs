//! One entry of a price book: what one model costs for a time, in some Regions, by tier.

use std::collections::{BTreeMap, BTreeSet};

use custody_types::{ModelName, PicoUsd, Text, Timestamp};

use crate::{
    class::{Item, ServiceTier, TokenClass},
    premium::Factor,
    provider::Provider,
};

/// What one model costs for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceEntry {
    /// Name of the entry, unique in the book.
    pub id: Text,
    /// Who serves the model.
    pub provider: Provider,
    /// The model as its provider names it.
    pub model: ModelName,
    /// What is priced apart under the same model name; see [`crate::Facts::variant`].
    pub variant: Option<Text>,
    /// Regions it holds in; empty for every Region that no other entry names.
    pub regions: BTreeSet<Text>,
    /// First moment at which it holds.
    pub effective_from: Timestamp,
    /// First moment at which it no longer holds, where that is known.
    pub effective_to: Option<Timestamp>,
    /// Whether tokens without a price cost nothing because something else pays for them: capacity.
    pub tokens_included: bool,
    /// Prices of the standard tier at any length of input.
    pub prices: Prices,
    /// Prices of other tiers, and of longer inputs.
    pub tiers: Vec<PriceTier>,
    /// Factors by geography, or by kind of it: `in_region`, `geographic`, `global`.
    pub premiums: BTreeMap<Text, Factor>,
}

/// Prices of a tier of service above a length of input. They hold for the whole request, not for the part above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceTier {
    /// Tier of service.
    pub service: ServiceTier,
    /// It holds where all input, cached input included, is more than this.
    pub above_input_tokens: u64,
    /// The prices.
    pub prices: Prices,
}

/// Prices by class.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prices {
    /// Amount per single token.
    pub per_token: TokenPrices,
    /// Amount per piece, or per millisecond where the item is a time.
    pub per_item: BTreeMap<Item, PicoUsd>,
}

/// Amounts per single token; a class without a price cannot be charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenPrices {
    /// Input that no cache was involved in.
    pub input: Option<PicoUsd>,
    /// Uncached input that is sound.
    pub input_audio: Option<PicoUsd>,
    /// Uncached input that is a picture.
    pub input_image: Option<PicoUsd>,
    /// Input read from a cache.
    pub cache_read: Option<PicoUsd>,
    /// Input written to a cache for five minutes, or of unstated lifetime.
    pub cache_write_5m: Option<PicoUsd>,
    /// Input written to a cache for an hour.
    pub cache_write_1h: Option<PicoUsd>,
    /// Output.
    pub output: Option<PicoUsd>,
    /// Output that is sound.
    pub output_audio: Option<PicoUsd>,
}

impl TokenPrices {
    /// The price of a class.
    #[must_use]
    pub const fn of(&self, class: TokenClass) -> Option<PicoUsd> {
        match class {
            TokenClass::Input => self.input,
            TokenClass::InputAudio => self.input_audio,
            TokenClass::InputImage => self.input_image,
            TokenClass::CacheRead => self.cache_read,
            TokenClass::CacheWrite5m => self.cache_write_5m,
            TokenClass::CacheWrite1h => self.cache_write_1h,
            TokenClass::Output => self.output,
            TokenClass::OutputAudio => self.output_audio,
        }
    }

    pub(crate) const fn place_of(&mut self, class: TokenClass) -> &mut Option<PicoUsd> {
        match class {
            TokenClass::Input => &mut self.input,
            TokenClass::InputAudio => &mut self.input_audio,
            TokenClass::InputImage => &mut self.input_image,
            TokenClass::CacheRead => &mut self.cache_read,
            TokenClass::CacheWrite5m => &mut self.cache_write_5m,
            TokenClass::CacheWrite1h => &mut self.cache_write_1h,
            TokenClass::Output => &mut self.output,
            TokenClass::OutputAudio => &mut self.output_audio,
        }
    }
}

impl Prices {
    /// Every price that is stated.
    pub(crate) fn all(&self) -> impl Iterator<Item = PicoUsd> {
        let tokens = TokenClass::ALL.iter().filter_map(|class| self.per_token.of(*class));
        tokens.chain(self.per_item.values().copied())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }
}

impl PriceEntry {
    /// The prices for a tier of service at a length of input, and the length above which they hold.
    pub(crate) fn tier(&self, service: ServiceTier, input: u64) -> Option<(u64, &Prices)> {
        let standard = (service == ServiceTier::Standard).then_some((0, &self.prices));
        let of_service = self.tiers.iter().filter(|tier| tier.service == service);
        let longer = of_service.filter(|tier| tier.above_input_tokens == 0 || tier.above_input_tokens < input);
        let longest = longer.max_by_key(|tier| tier.above_input_tokens).map(|tier| (tier.above_input_tokens, &tier.prices));
        longest.or(standard)
    }

    /// Whether it holds at a moment.
    pub(crate) fn holds_at(&self, at: Timestamp) -> bool {
        self.effective_from <= at && self.effective_to.is_none_or(|end| at < end)
    }

    /// Whether both hold at some moment for the same thing.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let begins_before_end_of = |a: &Self, b: &Self| b.effective_to.is_none_or(|end| a.effective_from < end);
        let same = self.provider == other.provider && self.model == other.model && self.variant == other.variant;
        let both_everywhere = self.regions.is_empty() && other.regions.is_empty();
        let same_place = both_everywhere || !self.regions.is_disjoint(&other.regions);
        same && same_place && begins_before_end_of(self, other) && begins_before_end_of(other, self)
    }
}
