//! The digits of a candidate, without its separators, and the sums that most check digits are made of.

/// More digits than any identifier has; what is longer has no digits at all.
const MOST: usize = 40;

/// At most forty decimal digits.
pub(crate) struct Digits {
    values: [u8; MOST],
    count: usize,
}

impl Digits {
    pub(crate) fn of(text: &[u8]) -> Self {
        let mut digits = Self { values: [0; MOST], count: 0 };
        for byte in text.iter().filter(|byte| byte.is_ascii_digit()) {
            let Some(place) = digits.values.get_mut(digits.count) else { return Self { values: [0; MOST], count: 0 } };
            *place = byte - b'0';
            digits.count += 1;
        }
        digits
    }

    pub(crate) fn all(&self) -> &[u8] {
        self.values.get(..self.count).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// One digit, from the left; none is there beyond the last, which reads as zero.
    pub(crate) fn at(&self, index: usize) -> u32 {
        self.all().get(index).copied().map_or(0, u32::from)
    }

    /// The number that some of the digits write.
    pub(crate) fn number(&self, from: usize, to: usize) -> u64 {
        let piece = self.all().get(from..to).unwrap_or_default();
        piece.iter().fold(0_u64, |sum, digit| sum.wrapping_mul(10).wrapping_add(u64::from(*digit)))
    }

    pub(crate) fn weighted(&self, weights: &[u32]) -> u32 {
        self.all().iter().zip(weights).map(|(digit, weight)| u32::from(*digit) * weight).sum()
    }

    /// All digits equal, or a run like 123456789: what people write to show a form.
    pub(crate) fn is_filler(&self) -> bool {
        self.all().windows(2).all(|pair| matches!(pair, [one, two] if one == two))
    }

    pub(crate) fn luhn(&self) -> bool {
        luhn(self.all())
    }
}

/// Luhn's check over all digits, the last one being the check digit.
pub(crate) fn luhn(digits: &[u8]) -> bool {
    let doubled = |digit: u32| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
    let places = digits.iter().rev().map(|digit| u32::from(*digit)).enumerate();
    let sum: u32 = places.map(|(place, digit)| if place % 2 == 1 { doubled(digit) } else { digit }).sum();
    !digits.is_empty() && sum.is_multiple_of(10)
}

/// The remainder of a long number, digit by digit.
pub(crate) fn remainder(digits: &[u8], modulus: u32) -> u32 {
    digits.iter().fold(0, |rest, digit| (rest * 10 + u32::from(*digit)) % modulus)
}
