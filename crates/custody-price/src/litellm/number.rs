//! A JSON number's own text as exact pico-dollars; a float between would already have rounded it.

use custody_types::PicoUsd;

const PICO_DIGITS: i64 = 12;
const MAX_DIGITS: usize = 30;
const MAX_EXPONENT: i64 = 60;

/// Why a number is no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NumberError {
    #[error("it is not a number")]
    NotANumber,
    #[error("it is negative")]
    Negative,
    #[error("it is not a whole number of pico-dollars for one unit")]
    Inexact,
    #[error("it is larger than an event can hold")]
    TooLarge,
}

/// The dollars that a JSON number states, divided by `units`.
pub(super) fn price(text: &str, units: i128) -> Result<PicoUsd, NumberError> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i64 = exponent.parse().map_err(|_| NumberError::NotANumber)?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.starts_with('-') {
        return Err(NumberError::Negative);
    }
    if whole.is_empty() || digits.len() > MAX_DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NumberError::NotANumber);
    }
    let value: i128 = digits.parse().map_err(|_| NumberError::NotANumber)?;
    if value == 0 {
        return Ok(PicoUsd::ZERO);
    }
    let places = i64::try_from(fraction.len()).map_err(|_| NumberError::NotANumber)?;
    let power = exponent.checked_sub(places).and_then(|power| power.checked_add(PICO_DIGITS)).ok_or(NumberError::NotANumber)?;
    let pico = scaled(value, power)?;
    if pico % units != 0 {
        return Err(NumberError::Inexact);
    }
    i64::try_from(pico / units).map(PicoUsd::from_pico).map_err(|_| NumberError::TooLarge)
}

fn scaled(value: i128, power: i64) -> Result<i128, NumberError> {
    if power > MAX_EXPONENT {
        return Err(NumberError::TooLarge);
    }
    if power < -MAX_EXPONENT {
        return Err(NumberError::Inexact);
    }
    let size = u32::try_from(power.unsigned_abs()).map_err(|_| NumberError::NotANumber)?;
    match 10_i128.checked_pow(size) {
        Some(factor) if power >= 0 => value.checked_mul(factor).ok_or(NumberError::TooLarge),
        Some(divisor) if value % divisor == 0 => Ok(value / divisor),
        Some(_) => Err(NumberError::Inexact),
        None if power >= 0 => Err(NumberError::TooLarge),
        None => Err(NumberError::Inexact),
    }
}
