//! Identifiers of Australia, India, Korea, Nigeria, Singapore, South Africa and Thailand.

use super::{Digits, is_day_of_month};

const VERHOEFF_PRODUCT: [[u8; 10]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
    [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
    [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
    [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
    [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
    [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
    [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
    [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
];

const VERHOEFF_PLACE: [[u8; 10]; 8] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
    [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
    [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
    [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
    [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
    [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
    [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
];

/// Verhoeff's check digit: India's Aadhaar and Nigeria's NIN use it.
fn verhoeff(digits: &[u8]) -> bool {
    let pick =
        |table: &[[u8; 10]], row: usize, column: u8| table.get(row).and_then(|row| row.get(usize::from(column))).copied().unwrap_or(0);
    let product = digits
        .iter()
        .rev()
        .enumerate()
        .fold(0_u8, |product, (place, digit)| pick(&VERHOEFF_PRODUCT, usize::from(product), pick(&VERHOEFF_PLACE, place % 8, *digit)));
    product == 0
}

/// India, Aadhaar: twelve digits, the first from 2 on, not a palindrome.
pub(crate) fn aadhaar(text: &[u8]) -> bool {
    let digits = Digits::of(text);
    let palindrome = digits.all().iter().eq(digits.all().iter().rev());
    digits.len() == 12 && digits.at(0) >= 2 && !palindrome && verhoeff(digits.all())
}

/// Nigeria, NIN: eleven digits.
pub(crate) fn nigerian(text: &[u8]) -> bool {
    let digits = Digits::of(text);
    digits.len() == 11 && !digits.is_filler() && verhoeff(digits.all())
}

/// India, GSTIN: a state's code before the holder's PAN.
pub(crate) fn gstin(text: &[u8]) -> bool {
    matches!(Digits::of(text.get(..2).unwrap_or_default()).number(0, 2), 1..=38 | 97 | 99)
}

/// Australia, tax file number: weighted sum mod 11.
pub(crate) fn tfn(text: &[u8]) -> bool {
    let digits = Digits::of(text);
    digits.len() == 9 && !digits.is_filler() && digits.weighted(&[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11)
}

/// Australia, Medicare: weighted sum mod 10 in the ninth place.
pub(crate) fn medicare(text: &[u8]) -> bool {
    let digits = Digits::of(text);
    let check = digits.weighted(&[1, 3, 7, 9, 1, 3, 7, 9]) % 10;
    matches!(digits.len(), 10 | 11) && matches!(digits.at(0), 2..=6) && check == digits.at(8)
}

/// Australia, business number: one less in the first place, weighted sum mod 89.
pub(crate) fn abn(text: &[u8]) -> bool {
    let digits = Digits::of(text);
    let sum = digits.weighted(&[10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
    digits.len() == 11 && digits.at(0) > 0 && (sum - 10).is_multiple_of(89)
}

/// Australia, company number: weighted sum mod 10.
pub(crate) fn acn(text: &[u8]) -> bool {
    let digits = Digits::of(text);
    let rest = digits.weighted(&[8, 7, 6, 5, 4, 3, 2, 1]) % 10;
    digits.len() == 9 && !digits.is_filler() && (10 - rest) % 10 == digits.at(8)
}

/// Singapore, NRIC and FIN: a letter by the weighted sum mod 11, with a table for each series.
pub(crate) fn nric(text: &[u8]) -> bool {
    let digits = Digits::of(text);
    let (offset, letters): (u32, &[u8; 11]) = match text.first().map(u8::to_ascii_uppercase) {
        Some(b'S') => (0, b"JZIHGFEDCBA"),
        Some(b'T') => (4, b"JZIHGFEDCBA"),
        Some(b'F') => (0, b"XWUTRQPNMLK"),
        Some(b'G') => (4, b"XWUTRQPNMLK"),
        Some(b'M') => (3, b"XWUTRQPNJLK"),
        _ => return false,
    };
    let rest = (digits.weighted(&[2, 7, 6, 5, 4, 3, 2]) + offset) % 11;
    let place = if text.first().is_some_and(|byte| byte.eq_ignore_ascii_case(&b'M')) { 10 - rest } else { rest };
    digits.len() == 7 && text.last().map(u8::to_ascii_uppercase).as_ref() == letters.get(place as usize)
}

/// Korea, resident and foreigner registration: a date, and a place for sex and century; the check digit ended in 2020.
pub(crate) fn korean(text: &[u8]) -> bool {
    let digits = Digits::of(text);
    digits.len() == 13 && is_day_of_month(digits.number(4, 6), digits.number(2, 4)) && matches!(digits.at(6), 1..=8)
}

/// Korea, without a hyphen: the check digit counts too, as the form alone is thirteen digits.
pub(crate) fn korean_checked(text: &[u8]) -> bool {
    let digits = Digits::of(text);
    let rest = digits.weighted(&[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11;
    let foreign = matches!(digits.at(6), 5..=8);
    let check = if foreign { (13 - rest) % 10 } else { (11 - rest) % 10 };
    korean(text) && check == digits.at(12)
}

/// Thailand, citizen number: mod 11 over twelve digits.
pub(crate) fn thai(text: &[u8]) -> bool {
    let digits = Digits::of(text);
    let rest = digits.weighted(&[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    digits.len() == 13 && matches!(digits.at(0), 1..=8) && (11 - rest) % 10 == digits.at(12)
}

/// South Africa: a date, citizenship, and Luhn.
pub(crate) fn south_african(text: &[u8]) -> bool {
    let digits = Digits::of(text);
    let dated = is_day_of_month(digits.number(4, 6), digits.number(2, 4));
    digits.len() == 13 && dated && matches!(digits.at(10), 0..=2) && digits.luhn()
}
