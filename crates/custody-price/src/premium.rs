//! What a cross-Region profile costs more or less than the Region itself.

use std::{fmt, str::FromStr};

use custody_types::PicoUsd;

const MAX_FRACTION: usize = 6;

/// An exact decimal factor, such as `1.1`. Invariant: above zero, and `denominator` is a power of ten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Factor {
    numerator: u64,
    denominator: i64,
}

/// The text is no factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a factor is a decimal above zero with at most 6 fraction digits")]
pub struct InvalidFactorError;

impl Factor {
    /// The price times the factor; nothing where that is no whole number of pico-dollars, or out of range.
    #[must_use]
    pub fn of(self, price: PicoUsd) -> Option<PicoUsd> {
        let product = price.checked_mul(self.numerator)?.pico();
        (product % self.denominator == 0).then(|| PicoUsd::from_pico(product / self.denominator))
    }
}

impl FromStr for Factor {
    type Err = InvalidFactorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let ends_badly = text.ends_with('.') || whole.is_empty() || fraction.len() > MAX_FRACTION;
        if ends_badly || !plain(whole) || !plain(fraction) {
            return Err(InvalidFactorError);
        }
        let digits = fraction.trim_end_matches('0');
        let numerator: u64 = format!("{whole}{digits}").parse().map_err(|_| InvalidFactorError)?;
        let power = u32::try_from(digits.len()).map_err(|_| InvalidFactorError)?;
        if numerator == 0 { Err(InvalidFactorError) } else { Ok(Self { numerator, denominator: 10_i64.pow(power) }) }
    }
}

impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let denominator = self.denominator.unsigned_abs();
        let (whole, rest) = (self.numerator / denominator, self.numerator % denominator);
        match denominator.checked_ilog10() {
            Some(digits) if digits > 0 => write!(f, "{whole}.{rest:0width$}", width = digits as usize),
            _ => write!(f, "{whole}"),
        }
    }
}
