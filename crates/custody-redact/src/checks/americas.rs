//! Identifiers of the United States, Canada and Brazil.

use super::Digits;
use super::digits::luhn;

/// United States, social security number: the areas, groups and serials that are never issued are refused.
pub(crate) fn ssn(text: &[u8]) -> bool {
    let digits = Digits::of(text);
    let area = digits.number(0, 3);
    let issued = !matches!(area, 0 | 666) && digits.number(3, 5) != 0 && digits.number(5, 9) != 0;
    digits.len() == 9 && issued && !digits.is_filler() && !matches!(digits.number(0, 9), 78_051_120 | 219_099_999 | 123_456_789)
}

/// United States, individual taxpayer number: nine hundreds, and the groups set aside for it.
pub(crate) fn itin(text: &[u8]) -> bool {
    let digits = Digits::of(text);
    digits.len() == 9 && digits.at(0) == 9 && matches!(digits.number(3, 5), 50..=65 | 70..=88 | 90..=92 | 94..=99)
}

/// United States, national provider identifier: Luhn with the prefix 80840.
pub(crate) fn npi(text: &[u8]) -> bool {
    let digits = Digits::of(text);
    let mut prefixed = vec![8, 0, 8, 4, 0];
    prefixed.extend_from_slice(digits.all());
    digits.len() == 10 && matches!(digits.at(0), 1 | 2) && !digits.is_filler() && luhn(&prefixed)
}

/// Canada, social insurance number: Luhn; none begins with 0 or 8 except by programmes of their own, so only 0 is refused.
pub(crate) fn sin(text: &[u8]) -> bool {
    let digits = Digits::of(text);
    digits.len() == 9 && digits.at(0) != 0 && digits.luhn()
}

/// Brazil, CPF: two check digits mod 11.
pub(crate) fn cpf(text: &[u8]) -> bool {
    let digits = Digits::of(text);
    let check = |weights: &[u32]| {
        let rest = digits.weighted(weights) * 10 % 11;
        rest % 10
    };
    let first = check(&[10, 9, 8, 7, 6, 5, 4, 3, 2]);
    let second = check(&[11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
    digits.len() == 11 && !digits.is_filler() && first == digits.at(9) && second == digits.at(10)
}

/// Brazil, CNPJ: two check digits mod 11 with weights two to nine.
pub(crate) fn cnpj(text: &[u8]) -> bool {
    let digits = Digits::of(text);
    let check = |weights: &[u32]| {
        let rest = digits.weighted(weights) % 11;
        if rest < 2 { 0 } else { 11 - rest }
    };
    let first = check(&[5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]);
    let second = check(&[6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]);
    digits.len() == 14 && !digits.is_filler() && first == digits.at(12) && second == digits.at(13)
}
