//! Days and months, as expiry counts them: in UTC, from 1970-01-01.

use chrono::{Datelike, NaiveDate};
use custody_seal::rest::Month;
use custody_types::Timestamp;

/// A day that never comes.
pub const DAYS_WITHOUT_END: i32 = i32::MAX;

/// 1970-01-01, counted as chrono counts days.
const EPOCH_FROM_COMMON_ERA: i32 = 719_163;

/// The first day that is not of the month any more.
#[must_use]
pub fn first_day_after(month: Month) -> i32 {
    let next = month.number().saturating_add(1);
    let date = u32::try_from(next.rem_euclid(12) + 1).ok().and_then(|month| NaiveDate::from_ymd_opt(next.div_euclid(12), month, 1));
    date.map_or(DAYS_WITHOUT_END, |date| date.num_days_from_ce() - EPOCH_FROM_COMMON_ERA)
}

/// A time as people read it.
#[must_use]
pub fn shown_time(time: Timestamp) -> String {
    let time = chrono::DateTime::from_timestamp_micros(time.micros());
    time.map_or_else(|| "unknown".to_owned(), |time| time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
}

/// A day as people read it: YYYY-MM-DD.
#[must_use]
pub fn shown_day(day: i32) -> String {
    let date = day.checked_add(EPOCH_FROM_COMMON_ERA).and_then(NaiveDate::from_num_days_from_ce_opt);
    date.map_or_else(|| "never".to_owned(), |date| date.format("%Y-%m-%d").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_over_on_the_first_of_the_next() {
        let november = Month::of(Timestamp::from_micros(20_780 * 86_400_000_000));
        assert_eq!(november.to_string(), "2026-11");
        assert_eq!(first_day_after(november), 20_788);
        assert_eq!(shown_day(first_day_after(november)), "2026-12-01");
        assert_eq!(shown_day(first_day_after(Month::from_number(november.number() + 1))), "2027-01-01");
        assert_eq!(shown_day(DAYS_WITHOUT_END), "never");
    }
}
