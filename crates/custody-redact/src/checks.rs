//! What makes a candidate believable beyond its form: check sums, ranges, lengths, entropy.
//!
//! Each check takes the bytes of a candidate, separators included, and answers yes or no.

mod africa_and_asia;
mod americas;
mod digits;
mod europe;
mod network;
mod payment;
mod secret;
mod time;

pub(crate) use africa_and_asia::*;
pub(crate) use americas::*;
pub(crate) use digits::Digits;
pub(crate) use europe::*;
pub(crate) use network::*;
pub(crate) use payment::*;
pub(crate) use secret::*;
pub(crate) use time::*;

/// A form that needs nothing more.
pub(crate) fn any(_: &[u8]) -> bool {
    true
}

#[cfg(test)]
mod tests;
