//! Exact cost: the price book, normalised usage, and the amounts that follow from both (D11).
//!
//! Amounts are whole pico-dollars; nothing is ever rounded. Where a price or a count is missing there is a [`Finding`] and no
//! amount, never a wrong number. A book is a value: any period can be priced again with another one.
//!
//! ```text
//! raw counts ──normalise──▶ Usage ─┐
//! who, where, when, how ──▶ Facts ─┼─ PriceBook::quote ──▶ Quote: lines, reasons, total ──▶ Priced: the parts of a cost event
//!                      price book ─┘                            └──▶ Sum: by any key
//! ```
//!
//! Where each driver of cost is seen (LOG-39):
//!
//! ```text
//! input, output tokens      lines of a quote, by class: caches, lifetimes, sound and pictures apart
//! retries, routing          one cost event for each attempt, with its route
//! retrieval                 its tokens are input of the attempt; queries and pages are items
//! self-hosted capacity      seconds of a request, `request_second`, at what a second costs
//! concurrency               in that price: dollars an hour shared by the requests served at once; idle time is in no request
//! ```
//! An answer that was cut before it stated its usage has none: the finding is `usage_unknown`, and nobody counts in the provider's
//! place.
//!
//! What this crate does not do: read files, convert currencies, or know what a request was for.

mod book;
mod call;
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
mod savings;
mod usage;

pub use book::PriceBook;
pub use class::{Item, PriceClass, ServiceTier, TokenClass, UnknownClassError};
pub use compare::{BookDifference, FieldChange};
pub use cost::Priced;
pub use entry::{PriceEntry, PriceTier, Prices, TokenPrices};
pub use facts::Facts;
pub use finding::{Finding, UnknownFindingError};
pub use guardrail::{GUARDRAILS, guardrail_item};
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
