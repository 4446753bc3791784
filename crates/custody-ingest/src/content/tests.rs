//! The vault step over fakes and over a real table.

mod delta;
mod effort;
mod exactly_once;
mod held;
mod kept;
mod outcomes;
mod parking;
mod pseudonyms;
mod twice;
mod unparking;
mod upkeep;
mod world;
