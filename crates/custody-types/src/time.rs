//! Time as events carry it, and the clock that code asks.

use serde::{Deserialize, Serialize};

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Wraps microseconds since the epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Days since the epoch in UTC, the partition of an event.
    #[must_use]
    pub const fn utc_day(self) -> i64 {
        self.0.div_euclid(MICROS_PER_DAY)
    }

    /// Microseconds since an earlier time; zero where a clock stepped back.
    #[must_use]
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).max(0)
    }
}

/// The clock that code asks; tests and simulations inject their own.
pub trait Clock: Send + Sync {
    /// Wall-clock time, for events. May step.
    fn now(&self) -> Timestamp;
    /// Microseconds of a clock that never steps back, for durations.
    fn monotonic_micros(&self) -> u64;
}
