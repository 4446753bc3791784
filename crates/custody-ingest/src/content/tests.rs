//! The vault step over fakes and over a real table.

mod delta;
mod exactly_once;
mod kept;
mod outcomes;
mod parking;
mod pseudonyms;
mod upkeep;
mod world;
