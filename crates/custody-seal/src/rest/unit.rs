//! The unit of forgetting: what one key covers, and so what is destroyed together.

use std::fmt;

use custody_types::{PersonPseudonym, Purpose, TenantId, Timestamp};

use crate::{
    error::FormatError,
    text_context::{TextContext, put_person},
    wire::{Reader, put_field},
};

/// A month in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(i32);

/// Texts of one tenant, person and purpose from one month. Texts that name no person share a unit of their own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShredUnit {
    /// The tenant.
    pub tenant: TenantId,
    /// The person, where the texts name one.
    pub person: Option<PersonPseudonym>,
    /// Why the texts are kept.
    pub purpose: Purpose,
    /// When they were made.
    pub month: Month,
}

impl Month {
    /// The month of a time.
    #[must_use]
    pub fn of(time: Timestamp) -> Self {
        let (year, month) = year_and_month(time.utc_day());
        Self(i32::try_from(year * 12 + month - 1).unwrap_or(i32::MAX))
    }

    /// The month with this number.
    #[must_use]
    pub const fn from_number(months_since_year_zero: i32) -> Self {
        Self(months_since_year_zero)
    }

    /// Months since the start of the year 0.
    #[must_use]
    pub const fn number(self) -> i32 {
        self.0
    }
}

impl ShredUnit {
    /// The unit that a text made at `time` belongs to.
    #[must_use]
    pub fn of(context: &TextContext, time: Timestamp) -> Self {
        let TextContext { tenant, person, purpose, .. } = context.clone();
        Self { tenant, person, purpose, month: Month::of(time) }
    }

    /// Whether a text may be sealed under this unit's key.
    #[must_use]
    pub fn takes(&self, context: &TextContext) -> bool {
        self.tenant == context.tenant && self.person == context.person && self.purpose == context.purpose
    }

    /// tenant (2 + n), person (1, then 2 + n), purpose (2 + n), month (4).
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        put_field(out, self.tenant.as_str().as_bytes());
        put_person(out, self.person.as_ref());
        put_field(out, self.purpose.as_str().as_bytes());
        out.extend_from_slice(&self.month.0.to_be_bytes());
    }

    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        let tenant = reader.label()?;
        let person = match reader.byte()? {
            0 => None,
            1 => Some(reader.label()?),
            _ => return Err(FormatError::Malformed),
        };
        Ok(Self { tenant, person, purpose: reader.label()?, month: Month(reader.i32()?) })
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }
}

/// Proleptic Gregorian year and month of a day since 1970-01-01, by counting in years that begin in March.
fn year_and_month(day: i64) -> (i64, i64) {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let day_of_era = day.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_follow_the_calendar() {
        let shown = |day: i64| Month::of(Timestamp::from_micros(day * 86_400_000_000)).to_string();
        assert_eq!(shown(0), "1970-01");
        assert_eq!(shown(-1), "1969-12");
        assert_eq!(shown(11_016), "2000-02");
        assert_eq!(shown(11_017), "2000-03");
        assert_eq!(shown(20_787), "2026-11");
        assert_eq!(shown(20_788), "2026-12");
    }
}
