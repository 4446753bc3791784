//! Exact cost: the price book, normalised usage, and the amounts that follow from both (D11).
//!
//! Amounts are whole pico-dollars; nothing is ever rounded. Where a price or a count is missing there is a [`Finding`] and no
//! amount, never a wrong number. A book is a value: any period can be priced again with another one.
//!
//! What this crate does not do: read files, convert currencies, or know what a request was for.

mod book;
mod choose;
mod class;
mod compare;
mod cost;
mod entry;
mod facts;
mod finding;
mod guardrail;
pub mod invocation_log;
mod ledger;
pub mod litellm;
mod mistake;
mod normalise;
mod parse;
mod premium;
mod provider;
mod question;
mod quote;
mod render;
mod usage;

pub use book::PriceBook;
pub use class::{Item, PriceClass, ServiceTier, TokenClass, UnknownClassError};
pub use compare::{BookDifference, FieldChange};
pub use cost::Priced;
pub use entry::{PriceEntry, PriceTier, Prices, TokenPrices};
pub use facts::Facts;
pub use finding::Finding;
pub use guardrail::guardrail_item;
pub use ledger::Sum;
pub use mistake::{PriceMistake, PriceMistakes};
pub use normalise::{CacheWrites, ModelFamily, Normalised, Operation, RawUsage, normalise, normalise_call};
pub use premium::{Factor, InvalidFactorError};
pub use provider::{Provider, UnknownProviderError};
pub use question::{Question, QuestionError, answer_json};
pub use quote::{CostLine, Quote, Reason};
pub use usage::Usage;

#[cfg(test)]
mod tests;
