//! Which day's key may be used when.
//!
//! ```text
//!              day D                     day D+1
//!   ──┬─────────┬───────────────────┬─────────┬──────────────────▶ time (UTC)
//!     │ overlap │                   │ overlap │      retention    │
//!     └─────────┴─── key D seals ───┴─────────┘                   │
//!     └───────────────── key D opens ─────────────────────────────┘ destroyed
//! ```
//!
//! The overlap is for gateways whose clock is off, for segments that are open at midnight and for a new key that comes late.
//! The private key opens until it is destroyed, which is due once the content stream has forgotten the last text it may hold.

use std::{fmt, time::Duration};

use custody_types::Timestamp;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// A day in UTC, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EdgeDay(i32);

/// How long around its day a key seals, and how long after that it must still open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EdgeWindow {
    overlap_micros: i64,
    retention_micros: i64,
}

impl EdgeDay {
    /// The day of a time.
    #[must_use]
    pub fn of(time: Timestamp) -> Self {
        Self(i32::try_from(time.utc_day()).unwrap_or(i32::MAX))
    }

    /// The day with this number.
    #[must_use]
    pub const fn from_number(days_since_epoch: i32) -> Self {
        Self(days_since_epoch)
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn number(self) -> i32 {
        self.0
    }

    fn start_micros(self) -> i64 {
        i64::from(self.0).saturating_mul(MICROS_PER_DAY)
    }

    fn end_micros(self) -> i64 {
        self.start_micros().saturating_add(MICROS_PER_DAY)
    }
}

impl EdgeWindow {
    /// `retention` is that of the content stream. An overlap beyond half a day would let three keys seal at once and counts as
    /// half a day.
    #[must_use]
    pub fn new(overlap: Duration, retention: Duration) -> Self {
        Self { overlap_micros: micros(overlap).min(MICROS_PER_DAY / 2), retention_micros: micros(retention) }
    }

    /// Whether the key of `day` may seal at `now`.
    #[must_use]
    pub fn may_seal(&self, day: EdgeDay, now: Timestamp) -> bool {
        let opens = day.start_micros().saturating_sub(self.overlap_micros);
        let closes = day.end_micros().saturating_add(self.overlap_micros);
        (opens..closes).contains(&now.micros())
    }

    /// When the private key of `day` must be destroyed.
    #[must_use]
    pub fn destroy_at(&self, day: EdgeDay) -> Timestamp {
        let last_seal = day.end_micros().saturating_add(self.overlap_micros);
        Timestamp::from_micros(last_seal.saturating_add(self.retention_micros))
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

impl fmt::Display for EdgeDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
