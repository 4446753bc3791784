//! Exact cost: the price book, normalised usage, and the amounts that follow from both (D11).
//!
//! Amounts are whole pico-dollars; nothing is ever rounded. Where a price or a count is missing there is a [`Finding`] and no
//! amount, never a wrong number. A book is a value: any period can be priced again with another one.
//!
//! What this crate does not do: read files, convert currencies, or know what a request was for.

mod book;
mod cost;
mod finding;
mod mistake;
mod normalise;
mod parse;
mod provider;

pub use book::{PriceBook, PriceEntry, TokenPrices};
pub use cost::Priced;
pub use finding::Finding;
pub use mistake::{PriceMistake, PriceMistakes};
pub use normalise::{Normalised, RawUsage, normalise};
pub use provider::{Provider, UnknownProviderError};

#[cfg(test)]
mod tests;
