//! When keys go: pure arithmetic on days.

use std::time::Duration;

use custody_seal::{
    edge::{EdgeDay, EdgeWindow},
    rest::ShredUnit,
};
use custody_types::Timestamp;

use crate::forgetting::first_day_after;

/// A day for gateways whose clock is off and segments that are open at midnight.
const OVERLAP_DAYS: i32 = 1;

const SECONDS_A_DAY: u64 = 24 * 60 * 60;

/// How long the content stream may hold a text before ingest has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamRetention {
    window: EdgeWindow,
    days: i32,
}

impl StreamRetention {
    /// `window` is that of the edge keys, made of the same retention.
    #[must_use]
    pub fn new(window: EdgeWindow, retention: Duration) -> Self {
        Self { window, days: i32::try_from(retention.as_secs().div_ceil(SECONDS_A_DAY)).unwrap_or(i32::MAX) }
    }

    /// When the edge key of a day goes, where nothing is parked under it.
    #[must_use]
    pub fn edge_key_goes_at(self, day: EdgeDay) -> Timestamp {
        self.window.destroy_at(day)
    }

    fn closes(self, unit: &ShredUnit) -> i32 {
        first_day_after(unit.month).saturating_add(self.days).saturating_add(OVERLAP_DAYS)
    }
}

/// The day on which the key of a unit goes: when its last text is due, and no text of its month comes any more.
#[must_use]
pub fn key_goes_on(unit: &ShredUnit, last_expiry: Option<i32>, stream: StreamRetention) -> i32 {
    let closes = stream.closes(unit);
    last_expiry.map_or(closes, |last| last.max(closes))
}

#[cfg(test)]
mod tests {
    use custody_seal::rest::Month;

    use super::*;
    use crate::forgetting::testing::a_week;

    fn november() -> ShredUnit {
        let month = Month::of(Timestamp::from_micros(20_780 * 86_400_000_000));
        ShredUnit { tenant: "acme".parse().unwrap(), person: None, purpose: "quality".parse().unwrap(), month }
    }

    #[test]
    fn a_key_goes_with_its_last_text_and_never_while_texts_of_its_month_may_come() {
        let first_of_december = 20_788;
        assert_eq!(key_goes_on(&november(), None, a_week()), first_of_december + 8);
        assert_eq!(key_goes_on(&november(), Some(20_770), a_week()), first_of_december + 8);
        assert_eq!(key_goes_on(&november(), Some(first_of_december + 90), a_week()), first_of_december + 90);
    }

    #[test]
    fn an_edge_key_goes_half_a_day_and_the_streams_retention_after_its_day() {
        let goes = a_week().edge_key_goes_at(EdgeDay::from_number(20_780));
        assert_eq!(goes.micros(), (20_780 + 1 + 7) * 86_400_000_000 + 43_200_000_000);
    }
}
