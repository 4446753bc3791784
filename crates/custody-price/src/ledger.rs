//! Exact sums of many amounts, by any key. A single amount fits an event; a sum of many is wider.

use std::{collections::BTreeMap, fmt};

use custody_types::PicoUsd;

use crate::finding::Finding;

const PICO_PER_USD: u128 = 1_000_000_000_000;

/// The sum of some amounts, and how many had none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sum {
    pico: i128,
    priced: u64,
    findings: BTreeMap<Finding, u64>,
}

impl Sum {
    /// Adds one amount, or the reason why there is none.
    pub fn add(&mut self, amount: Result<PicoUsd, Finding>) {
        match amount {
            // 2^64 amounts of an event's range stay within the range of the sum.
            Ok(amount) => {
                self.pico = self.pico.saturating_add(i128::from(amount.pico()));
                self.priced = self.priced.saturating_add(1);
            }
            Err(finding) => *self.findings.entry(finding).or_default() += 1,
        }
    }

    /// Adds what another sum holds.
    pub fn merge(&mut self, other: &Self) {
        self.pico = self.pico.saturating_add(other.pico);
        self.priced = self.priced.saturating_add(other.priced);
        for (finding, count) in &other.findings {
            *self.findings.entry(*finding).or_default() += count;
        }
    }

    /// The sum in pico-dollars.
    #[must_use]
    pub const fn pico(&self) -> i128 {
        self.pico
    }

    /// How many amounts it has.
    #[must_use]
    pub const fn priced(&self) -> u64 {
        self.priced
    }

    /// How many have no amount, by reason.
    #[must_use]
    pub const fn findings(&self) -> &BTreeMap<Finding, u64> {
        &self.findings
    }
}

impl fmt::Display for Sum {
    /// Decimal dollars with all twelve fraction digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.pico < 0 { "-" } else { "" };
        let magnitude = self.pico.unsigned_abs();
        write!(f, "{sign}{}.{:012}", magnitude / PICO_PER_USD, magnitude % PICO_PER_USD)
    }
}
