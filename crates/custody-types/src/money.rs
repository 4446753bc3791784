//! Money as whole pico-dollars (10⁻¹² USD). Every published token price is exact in it; nano-dollars are not.

use std::{fmt, str::FromStr};

const PICO_DIGITS: usize = 12;
const PICO_PER_USD: u64 = 1_000_000_000_000;

/// An amount in pico-dollars. The range is ±9.2 million USD, wide enough for one event; sums over events are made in wider types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PicoUsd(i64);

/// The text is not a decimal amount that pico-dollars can hold exactly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a decimal amount with at most 12 fraction digits and below 9.2 million")]
pub struct InvalidAmountError(String);

impl PicoUsd {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Wraps a number of pico-dollars.
    #[must_use]
    pub const fn from_pico(pico: i64) -> Self {
        Self(pico)
    }

    /// The number of pico-dollars.
    #[must_use]
    pub const fn pico(self) -> i64 {
        self.0
    }

    /// The sum, or nothing where it leaves the range.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The amount times a count, or nothing where it leaves the range.
    #[must_use]
    pub fn checked_mul(self, count: u64) -> Option<Self> {
        i64::try_from(count).ok().and_then(|count| self.0.checked_mul(count)).map(Self)
    }
}

impl fmt::Display for PicoUsd {
    /// Decimal dollars with all twelve fraction digits, so that columns line up and nothing is rounded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:0PICO_DIGITS$}", magnitude / PICO_PER_USD, magnitude % PICO_PER_USD)
    }
}

impl FromStr for PicoUsd {
    type Err = InvalidAmountError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_decimal(text).map(Self).ok_or_else(|| InvalidAmountError(text.chars().take(64).collect()))
    }
}

fn parse_decimal(text: &str) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !plain(fraction) || fraction.len() > PICO_DIGITS {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let fraction: i64 = format!("{fraction:0<PICO_DIGITS$}").parse().ok()?;
    let magnitude = whole.checked_mul(i64::try_from(PICO_PER_USD).ok()?)?.checked_add(fraction)?;
    Some(if negative { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_text_round_trips_exactly() {
        for (text, pico) in [("0.0000375", 37_500_000), ("3", 3_000_000_000_000), ("-0.000000000001", -1), ("0.25", 250_000_000_000)] {
            let amount: PicoUsd = text.parse().unwrap_or_default();
            assert_eq!(amount.pico(), pico, "{text}");
            assert_eq!(amount.to_string().parse::<PicoUsd>(), Ok(amount));
        }
    }

    #[test]
    fn what_pico_dollars_cannot_hold_is_refused() {
        for bad in ["", ".", "1.", ".5", "1e3", "0.0000000000001", "99999999999", "--1", "+1", "1,0"] {
            assert!(bad.parse::<PicoUsd>().is_err(), "{bad}");
        }
    }
}
