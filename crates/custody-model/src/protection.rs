//! What keeps a provider in trouble from being asked ever more: a circuit breaker for each route, and one budget for all retries.
//! Both are values that are told the time; nothing here waits or calls.

mod breaker;
mod retry_budget;
mod window;

pub use breaker::{Admission, Breaker, BreakerConfig, BreakerState, Change, Verdict};
pub use retry_budget::{RetryBudget, RetryBudgetConfig};

#[cfg(test)]
mod tests;
