//! What was promised, kept outside the system under test: the oracle's memory. It survives every crash.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Fact, Role};

#[derive(Debug, Default)]
pub struct Book {
    /// Everything the gateway ever handed to its journal and that was not refused.
    pub written: BTreeMap<u64, Fact>,
    /// What the journal refused: it must never turn up.
    pub refused: BTreeSet<u64>,
    /// What the journal acknowledged: it must turn up, once.
    pub acknowledged: BTreeSet<u64>,
    /// What the gateway must never have seen.
    pub violations: Vec<String>,
    last_id: u64,
}

impl Book {
    /// New facts of one request.
    pub fn facts(&mut self, request: u64, roles: &[Role]) -> Vec<Fact> {
        roles.iter().map(|role| Fact { id: self.next_id(), request, role: *role }).collect()
    }

    pub fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub fn write(&mut self, facts: &[Fact]) -> Vec<u64> {
        self.written.extend(facts.iter().map(|fact| (fact.id, *fact)));
        facts.iter().map(|fact| fact.id).collect()
    }

    pub fn refuse(&mut self, facts: &[Fact]) {
        self.refused.extend(facts.iter().map(|fact| fact.id));
    }
}
