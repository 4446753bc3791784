//! Exactly once, by simulation: the product's journals and ingest loops over disks, a broker and a table that fail on purpose, in
//! one thread, without real time. C-02, C-04, PATH-13, LOG-16.
//!
//! A seed decides everything. A failing run prints its seed and the oracle's sentence:
//!
//! ```text
//! CUSTODY_SIM_SEED=7 cargo test --workspace --test sim -- --nocapture         one seed, and what happened in it
//! CUSTODY_SIM_SEEDS=10000 cargo test --workspace --test sim -- --nocapture    as many as you like; 300 by default
//! ```
//! Every tenth seed uses the product's own Avro and Arrow. Each safeguard has a mutant in `mutants/`: see its README.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr, missing_docs)]

mod book;
mod broker;
mod coverage;
mod dice;
mod facts;
mod gateway;
mod lane;
mod oracle;
mod plant;
mod ports;
mod shipper;
mod site;
mod weather;
mod world;

use coverage::Coverage;

const DEFAULT_SEEDS: u64 = 300;
const REAL_CODEC_EVERY: u64 = 10;

/// What a run of the default length must have met, or it proves nothing.
const MUST_HAPPEN: [&str; 26] = [
    "machine died: in append or fsync",
    "machine died: power cut",
    "machine died: kill",
    "machine died: in restart",
    "ingest died: read",
    "ingest died: decode",
    "ingest died: before upload",
    "ingest died: after upload",
    "ingest died: before commit",
    "ingest died: after commit",
    "ingest died: acknowledge",
    "fault: disk Write",
    "fault: disk Sync",
    "fault: ship",
    "fault: read",
    "fault: upload",
    "fault: commit",
    "fault: acknowledge",
    "fault: bounds",
    "fault: ship acknowledgement",
    "late batches",
    "partitions added",
    "rebalances",
    "zombies",
    "duplicates dropped",
    "truncations",
];

#[expect(clippy::disallowed_methods, reason = "the person who runs a test chooses its seeds by environment")]
fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|text| text.parse().ok())
}

fn run(seed: u64, coverage: &Coverage) -> Result<(), String> {
    if seed.is_multiple_of(REAL_CODEC_EVERY) {
        world::run(seed, facts::Real::new(), coverage)
    } else {
        world::run(seed, facts::Plain, coverage)
    }
}

#[test]
fn every_acknowledged_record_is_in_the_lake_exactly_once() {
    let (seeds, coverage) = match number("CUSTODY_SIM_SEED") {
        Some(seed) => (seed..seed + 1, Coverage::loud()),
        None => (1..number("CUSTODY_SIM_SEEDS").unwrap_or(DEFAULT_SEEDS) + 1, Coverage::default()),
    };
    for seed in seeds.clone() {
        if let Err(message) = run(seed, &coverage) {
            panic!("seed {seed}: {message}\n  again: CUSTODY_SIM_SEED={seed} cargo test --workspace --test sim -- --nocapture");
        }
    }
    eprintln!("{} seeds, zero missing, zero twice:\n{coverage}", seeds.end - seeds.start);
    if seeds.end - seeds.start >= DEFAULT_SEEDS {
        let never: Vec<_> = MUST_HAPPEN.iter().filter(|what| coverage.of(what) == 0).collect();
        assert!(never.is_empty(), "never happened: {never:?}");
    }
}

#[test]
fn a_seed_decides_everything() {
    let report = |seed| {
        let coverage = Coverage::default();
        (run(seed, &coverage), coverage.to_string())
    };
    for seed in [1, 2, 3, 10] {
        assert_eq!(report(seed), report(seed), "seed {seed}");
    }
}
