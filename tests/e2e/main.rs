//! The real binary, used as its users use it: `custody up` in a folder of its own, requests over HTTP, questions in SQL.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout, missing_docs)]

mod first_light;
mod forget;
mod harness;
mod kept_texts;
mod kill;
mod prices;
mod reconcile;
mod reveal;
mod trail;
mod vault_step;
