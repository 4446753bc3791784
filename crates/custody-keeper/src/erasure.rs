//! Erasure: a person or a tenant is forgotten on request, with a certificate that says what that means for each old copy (D5).
//!
//! ```text
//! plan ─▶ `erasure.begun` ─▶ tombstone ─▶ list ─▶ keys ─▶ parked ─▶ claim checks ─▶ rows ─▶ vacuum ─▶ look again
//! durable                                  ▲                                                           │
//!                                          └────────── texts that were on their way have arrived ◀─────┤
//!                                                                                                      ▼ none
//!                         event `erased` with its hash ◀── certificate ◀── the tenant's wrapping keys, where all of it goes
//! ```
//! Keys are those of units, and for all of a tenant that of its pseudonyms. A person's values have the letters that the tenant's key gives
//! them, in texts of others too, so that a person's erasure leaves that key.
//!
//! The tombstone comes first: texts made up to its time are dropped wherever a copy of them turns up. What is made later is kept under
//! new keys.

mod certificate;
mod plan;
mod run;

pub use self::{
    certificate::{Certificate, Copy, EdgeCopy},
    plan::{ErasurePlan, ErasureStep, Found, MAX_PASSES},
    run::{Erasure, ErasureParts, ErasureRequest},
};

#[cfg(test)]
mod tests;
