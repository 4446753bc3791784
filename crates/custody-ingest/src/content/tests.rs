//! The vault step over fakes and over a real table.

mod delta;
mod exactly_once;
mod held;
mod kept;
mod outcomes;
mod parking;
mod world;
