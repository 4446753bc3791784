//! The log on Kafka. What a mock cluster can show runs everywhere; what needs a real broker is `ignore`d, and `cargo xtask test` runs
//! it with `--ignored` and the broker's address in `CUSTODY_TEST_KAFKA`.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "test helpers may stop a test")]

mod away;
mod group;
mod measure;
mod protected;
mod real;
mod shipper;
mod suite;
mod world;
