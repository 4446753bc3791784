//! One budget for all retries of a process: however many requests fail at once, providers get at most a share more attempts than
//! there are requests. A retry is every attempt after a request's first, on the same route or another.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::window::Window;

/// How far back requests and retries count.
const WINDOW: Duration = Duration::from_secs(10);

/// How many retries there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryBudgetConfig {
    /// Retries for each hundred first attempts.
    pub percent: u32,
    /// Retries a second that are allowed whatever the number of first attempts.
    pub min_per_second: u32,
}

/// The budget. In any ten seconds retries ≤ `percent` of the first attempts + `min_per_second` × 10.
#[derive(Debug)]
pub struct RetryBudget {
    config: RetryBudgetConfig,
    /// Attempts; the retries among them are marked.
    attempts: Mutex<Window>,
}

impl RetryBudget {
    /// A full budget.
    #[must_use]
    pub fn new(config: RetryBudgetConfig) -> Self {
        let window = u64::try_from(WINDOW.as_micros()).unwrap_or(u64::MAX);
        Self { config, attempts: Mutex::new(Window::new(window)) }
    }

    /// Counts a request's first attempt.
    pub fn first(&self, now_us: u64) {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner).count(now_us, false);
    }

    /// Takes one retry out of the budget; whether there was one.
    pub fn take(&self, now_us: u64) -> bool {
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = attempts.counts(now_us);
        let firsts = counts.all.saturating_sub(counts.marked);
        let allowed = firsts * u64::from(self.config.percent) / 100 + u64::from(self.config.min_per_second) * WINDOW.as_secs();
        let within = counts.marked < allowed;
        if within {
            attempts.count(now_us, true);
        }
        within
    }
}
