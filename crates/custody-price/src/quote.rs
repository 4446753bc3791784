//! An amount with every factor that made it.

use std::fmt;

use custody_types::{ModelName, PicoUsd, Text};

use crate::{
    class::{PriceClass, ServiceTier, TokenClass},
    cost::Priced,
    premium::Factor,
};

/// What a request costs, line by line. Invariant: `total` is the sum of the lines' amounts, exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    pub(crate) entry_id: Text,
    pub(crate) reasons: Vec<Reason>,
    pub(crate) lines: Vec<CostLine>,
    pub(crate) total: PicoUsd,
}

/// One factor of an amount: `quantity` × `unit_price` × `premium`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CostLine {
    /// What is charged.
    pub class: PriceClass,
    /// How many, in the class's unit.
    pub quantity: u64,
    /// The book's price of one.
    pub unit_price: PicoUsd,
    /// The profile's factor, where there is one.
    pub premium: Option<Factor>,
    /// The product.
    pub amount: PicoUsd,
}

/// Why a price was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The entry names the Region that was called.
    Region(Text),
    /// The entry holds where no other names the Region; the Region that was called, where it is known.
    AnyRegion(Option<Text>),
    /// The book has no price for the profile; the model behind it has, with a factor for the geography.
    BehindProfile(ModelName),
    /// The model's geography is known, and the book has a price for the profile of that geography.
    OfProfile(ModelName),
    /// The tier of service.
    Service(ServiceTier),
    /// Input is longer than a border: the whole request costs what longer ones cost.
    LongInput {
        /// All input tokens.
        input: u64,
        /// The border.
        above: u64,
    },
    /// A factor by geography or kind of profile.
    Premium(Text, Factor),
    /// Tokens without a price are paid for by capacity.
    TokensIncluded,
}

impl Quote {
    /// The entry of the price book.
    #[must_use]
    pub const fn entry_id(&self) -> &Text {
        &self.entry_id
    }

    /// Why this entry and these prices.
    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    /// The lines, in the order of [`TokenClass::ALL`] and [`crate::Item::ALL`]; what was not used has none.
    #[must_use]
    pub fn lines(&self) -> &[CostLine] {
        &self.lines
    }

    /// The whole.
    #[must_use]
    pub const fn total(&self) -> PicoUsd {
        self.total
    }

    /// The same as the parts of a cost event.
    #[must_use]
    pub fn priced(&self) -> Priced {
        let mut priced = Priced::nothing(self.entry_id.clone());
        for line in &self.lines {
            let part = match line.class {
                PriceClass::Token(TokenClass::Input | TokenClass::InputAudio | TokenClass::InputImage) => &mut priced.input,
                PriceClass::Token(TokenClass::CacheRead) => &mut priced.cache_read,
                PriceClass::Token(TokenClass::CacheWrite5m | TokenClass::CacheWrite1h) => &mut priced.cache_write,
                PriceClass::Token(TokenClass::Output | TokenClass::OutputAudio) => &mut priced.output,
                PriceClass::Item(_) => &mut priced.items,
            };
            // No part can leave the range: amounts are never negative and their sum, the total, is within it.
            *part = PicoUsd::from_pico(part.pico().saturating_add(line.amount.pico()));
        }
        priced.total = self.total;
        priced
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Region(region) => write!(f, "the entry is for Region {region}"),
            Self::AnyRegion(None) => write!(f, "the entry is for any Region; the request's is not known"),
            Self::AnyRegion(Some(region)) => write!(f, "the entry is for any Region; none is for {region} alone"),
            Self::BehindProfile(model) => write!(f, "the profile has no entry; {model} behind it has a factor for it"),
            Self::OfProfile(profile) => write!(f, "the geography is known; {profile} has an entry for it"),
            Self::Service(tier) => write!(f, "the {tier} tier answered"),
            Self::LongInput { input, above } => write!(f, "{input} input tokens are more than {above}: all cost the longer tier's price"),
            Self::Premium(name, factor) => write!(f, "every price times {factor} for {name}"),
            Self::TokensIncluded => write!(f, "tokens without a price are paid for by capacity"),
        }
    }
}
