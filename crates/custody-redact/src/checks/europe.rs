//! National identifiers of Europe. Sources: each state's published algorithm; dates inside are checked where there are any.

use super::digits::remainder;
use super::{Digits, is_day_of_month};

/// United Kingdom, NHS number: mod 11 over ten digits.
pub(crate) fn nhs(text: &[u8]) -> bool {
    let digits = Digits::of(text);
    let rest = 11 - digits.weighted(&[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    digits.len() == 10 && !digits.is_filler() && rest != 10 && rest % 11 == digits.at(9)
}

/// United Kingdom, National Insurance number: prefixes never issued are refused.
pub(crate) fn nino(text: &[u8]) -> bool {
    let prefix: Vec<u8> = text.iter().take(2).map(u8::to_ascii_uppercase).collect();
    !matches!(prefix.as_slice(), b"BG" | b"GB" | b"NK" | b"KN" | b"TN" | b"NT" | b"ZZ")
}

/// Netherlands, burgerservicenummer: the eleven test.
pub(crate) fn bsn(text: &[u8]) -> bool {
    let digits = Digits::of(text);
    let sum = digits.weighted(&[9, 8, 7, 6, 5, 4, 3, 2]);
    digits.len() == 9 && !digits.is_filler() && sum % 11 == digits.at(8) % 11
}

/// Germany, Steuer-ID: ISO 7064 mod 11,10; the first digit is not zero, no digit more than three times.
pub(crate) fn german_tax(text: &[u8]) -> bool {
    let digits = Digits::of(text);
    let Some((check, body)) = digits.all().split_last() else { return false };
    let product = body.iter().fold(10, |product, digit| {
        let sum = (u32::from(*digit) + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    let most = (0..10).map(|value| body.iter().filter(|digit| **digit == value).count()).max();
    digits.len() == 11 && digits.at(0) != 0 && most <= Some(3) && (11 - product) % 10 == u32::from(*check)
}

/// Germany, LANR: six digits, a check digit, the specialty.
pub(crate) fn german_doctor(text: &[u8]) -> bool {
    let digits = Digits::of(text);
    let sum = digits.weighted(&[4, 9, 4, 9, 4, 9]) % 10;
    digits.len() == 9 && digits.number(0, 6) > 0 && (10 - sum) % 10 == digits.at(6)
}

/// Germany, passport and identity card: weights 7, 3, 1 with letters from A = 10.
pub(crate) fn german_document(text: &[u8]) -> bool {
    let Some((check, body)) = text.split_last() else { return false };
    let value = |byte: &u8| char::from(*byte).to_digit(36).unwrap_or(0);
    let sum: u32 = body.iter().zip([7, 3, 1].iter().cycle()).map(|(byte, weight)| value(byte) * weight).sum();
    text.len() == 9 && body.iter().any(u8::is_ascii_digit) && sum % 10 == value(check)
}

/// France, NIR: 97 minus the first thirteen digits mod 97; Corsica's letters stand for numbers.
pub(crate) fn nir(text: &[u8]) -> bool {
    let compact: Vec<u8> = text.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_uppercase).collect();
    let corsica = match (compact.get(5), compact.get(6)) {
        (Some(b'2'), Some(b'A')) => Some(b'9'),
        (Some(b'2'), Some(b'B')) => Some(b'8'),
        _ => None,
    };
    let plain: Vec<u8> = match corsica {
        Some(second) => compact
            .iter()
            .enumerate()
            .map(|(at, byte)| {
                if at == 5 {
                    b'1'
                } else if at == 6 {
                    second
                } else {
                    *byte
                }
            })
            .collect(),
        None => compact,
    };
    let digits = Digits::of(&plain);
    let month = digits.number(3, 5);
    let body = digits.all().get(..13).unwrap_or_default();
    let plausible = matches!(month, 1..=12 | 20..=42 | 50..=99) && matches!(digits.at(0), 1..=4 | 7 | 8);
    digits.len() == 15 && plausible && u64::from(97 - remainder(body, 97)) == digits.number(13, 15)
}

/// Spain, DNI and NIE: a letter by the number mod 23; X, Y, Z stand for 0, 1, 2.
pub(crate) fn spanish(text: &[u8]) -> bool {
    let first = match text.first().map(u8::to_ascii_uppercase) {
        Some(b'Y') => 1,
        Some(b'Z') => 2,
        _ => 0,
    };
    let digits = Digits::of(text);
    let number = first * 10_u64.pow(7) * u64::from(digits.len() == 7) + digits.number(0, digits.len());
    let letter = b"TRWAGMYFPDXBNJZSQVHLCKE".get((number % 23) as usize);
    text.last().map(u8::to_ascii_uppercase).as_ref() == letter
}

/// Italy, codice fiscale: odd and even places have values of their own; the last letter is their sum mod 26.
pub(crate) fn codice_fiscale(text: &[u8]) -> bool {
    const ODD: [u32; 26] = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let place = |byte: u8| match byte.to_ascii_uppercase() {
        digit @ b'0'..=b'9' => usize::from(digit - b'0'),
        letter => usize::from(letter.saturating_sub(b'A')),
    };
    let Some((check, body)) = text.split_last() else { return false };
    let odd = |byte: u8| ODD.get(place(byte)).copied().unwrap_or(0);
    let value = |(at, byte): (usize, &u8)| if at % 2 == 0 { odd(*byte) } else { place(*byte) as u32 };
    let sum: u32 = body.iter().enumerate().map(value).sum();
    text.len() == 16 && sum % 26 == u32::from(check.to_ascii_uppercase().saturating_sub(b'A'))
}

/// Poland, PESEL: a date with its century in the month, and a weighted check digit.
pub(crate) fn pesel(text: &[u8]) -> bool {
    let digits = Digits::of(text);
    let dated = is_day_of_month(digits.number(4, 6), digits.number(2, 4) % 20);
    let sum = digits.weighted(&[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10;
    digits.len() == 11 && dated && (10 - sum) % 10 == digits.at(10)
}

/// Portugal, NIF: mod 11 over nine digits.
pub(crate) fn nif(text: &[u8]) -> bool {
    let digits = Digits::of(text);
    let rest = digits.weighted(&[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    let check = if rest < 2 { 0 } else { 11 - rest };
    digits.len() == 9 && matches!(digits.at(0), 1..=3 | 5 | 6 | 8 | 9) && check == digits.at(8)
}

/// Sweden, personnummer and samordningsnummer (day plus sixty): Luhn over the last ten digits.
pub(crate) fn personnummer(text: &[u8]) -> bool {
    let digits = Digits::of(text);
    let skip = digits.len().saturating_sub(10);
    let (month, day) = (digits.number(skip + 2, skip + 4), digits.number(skip + 4, skip + 6));
    let dated = is_day_of_month(if day > 60 { day - 60 } else { day }, month);
    matches!(digits.len(), 10 | 12) && dated && super::digits::luhn(digits.all().get(skip..).unwrap_or_default())
}

/// Sweden, organisationsnummer: Luhn; the third digit is two or more.
pub(crate) fn swedish_organisation(text: &[u8]) -> bool {
    let digits = Digits::of(text);
    digits.len() == 10 && matches!(digits.at(0), 1..=3 | 5..=9) && digits.at(2) >= 2 && digits.luhn()
}

/// Finland, henkilötunnus: a date, a century sign and the number mod 31.
pub(crate) fn hetu(text: &[u8]) -> bool {
    let digits = Digits::of(text.get(..10).unwrap_or_default());
    let dated = is_day_of_month(digits.number(0, 2), digits.number(2, 4));
    let check = b"0123456789ABCDEFHJKLMNPRSTUVWXY".get((digits.number(0, 9) % 31) as usize);
    digits.len() == 9 && dated && text.last().map(u8::to_ascii_uppercase).as_ref() == check
}

/// Belgium, national number: 97 minus the first nine digits mod 97, with a 2 before them for those born since 2000.
pub(crate) fn belgian(text: &[u8]) -> bool {
    let digits = Digits::of(text);
    let dated = digits.number(2, 4) % 20 <= 12 && digits.number(4, 6) <= 31;
    let (body, check) = (digits.number(0, 9), digits.number(9, 11));
    digits.len() == 11 && dated && (97 - body % 97 == check || 97 - (body + 2_000_000_000) % 97 == check)
}
