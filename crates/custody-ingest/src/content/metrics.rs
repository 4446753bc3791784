//! What the vault step counts. Labels are names of kinds of things found, a closed list and a deployment's own; never a part of a text.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use custody_lake::TextState;

/// Counters of one process.
#[derive(Debug, Default)]
pub struct ContentMetrics {
    kept: AtomicU64,
    forgotten: AtomicU64,
    unopened: AtomicU64,
    parked: AtomicU64,
    unparked: AtomicU64,
    staged_again: AtomicU64,
    vault_micros: AtomicU64,
    redactions: Mutex<BTreeMap<String, u64>>,
}

/// The counters at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContentFigures {
    /// Texts that are kept.
    pub kept: u64,
    /// Texts that were forgotten or had expired before they came.
    pub forgotten: u64,
    /// Texts that did not open.
    pub unopened: u64,
    /// Texts that were parked.
    pub parked: u64,
    /// Texts of parked batches that became rows.
    pub unparked: u64,
    /// Batches that were sealed again, because a key was destroyed meanwhile.
    pub staged_again: u64,
    /// Time in the vault step.
    pub vault_micros: u64,
    /// What was redacted, by kind.
    pub redactions: BTreeMap<String, u64>,
}

/// What rows of one commit add to the counters once it landed.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) states: BTreeMap<TextState, u64>,
    pub(super) redactions: BTreeMap<String, u64>,
    pub(super) parked: usize,
}

impl ContentMetrics {
    /// The counters now.
    #[must_use]
    pub fn figures(&self) -> ContentFigures {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ContentFigures {
            kept: count(&self.kept),
            forgotten: count(&self.forgotten),
            unopened: count(&self.unopened),
            parked: count(&self.parked),
            unparked: count(&self.unparked),
            staged_again: count(&self.staged_again),
            vault_micros: count(&self.vault_micros),
            redactions: self.redactions.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    pub(super) fn landed(&self, tally: &Tally) {
        for (state, texts) in &tally.states {
            let counter = match state {
                TextState::Kept => &self.kept,
                TextState::Forgotten => &self.forgotten,
                TextState::Unopened => &self.unopened,
            };
            counter.fetch_add(*texts, Ordering::Relaxed);
        }
        self.parked.fetch_add(tally.parked as u64, Ordering::Relaxed);
        let mut redactions = self.redactions.lock().unwrap_or_else(PoisonError::into_inner);
        for (kind, found) in &tally.redactions {
            let counter = redactions.entry(kind.clone()).or_default();
            *counter = counter.saturating_add(*found);
        }
    }

    pub(super) fn unparked(&self, texts: usize) {
        self.unparked.fetch_add(texts as u64, Ordering::Relaxed);
    }

    pub(super) fn staged_again(&self) {
        self.staged_again.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn spent(&self, micros: u64) {
        self.vault_micros.fetch_add(micros, Ordering::Relaxed);
    }
}
