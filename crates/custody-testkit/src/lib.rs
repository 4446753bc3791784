//! Fakes with faults, for tests and simulations. Never part of the product.

pub mod disk;
pub mod events;
#[cfg(feature = "log-suite")]
pub mod log_suite;
#[cfg(feature = "store")]
pub mod store;
#[cfg(feature = "upstream")]
pub mod upstream;
#[cfg(feature = "vault")]
pub mod vault;
