//! Cards (ISO/IEC 7812), accounts (ISO 13616), routing numbers, addresses on chains.

use super::Digits;

/// Luhn, a length, and a range that a scheme really issues.
pub(crate) fn card(text: &[u8]) -> bool {
    let digits = Digits::of(text);
    is_issued(&digits) && !digits.is_filler() && digits.luhn()
}

fn is_issued(digits: &Digits) -> bool {
    let (two, four) = (digits.number(0, 2), digits.number(0, 4));
    match digits.len() {
        15 => matches!(two, 34 | 37) || matches!(four, 1800 | 2131 | 2014 | 2149),
        14 => matches!(two, 36 | 38 | 39) || matches!(four, 3000..=3059 | 3095),
        13 => matches!(two, 40..=49),
        16 => matches!(two, 30 | 35 | 36 | 38 | 39 | 40..=49 | 50..=69 | 81) || matches!(four, 2200..=2720),
        12 | 17..=19 => matches!(two, 40..=49 | 50 | 56..=69 | 35),
        _ => false,
    }
}

/// Length by country, from the IBAN registry.
const IBAN_LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// A known country, its length, and ISO 7064 mod 97-10.
pub(crate) fn iban(text: &[u8]) -> bool {
    let compact = || text.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_uppercase);
    let country: Vec<u8> = compact().take(2).collect();
    let length = IBAN_LENGTHS.iter().find(|(code, _)| code.as_slice() == country).map(|(_, length)| *length);
    if length != Some(compact().count()) {
        return false;
    }
    let rest = compact().skip(4).chain(compact().take(4)).fold(0_u32, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte - b'A') + 10) % 97,
    });
    rest == 1
}

/// The American Bankers Association's weights, and the first two digits of a Federal Reserve district.
pub(crate) fn routing(text: &[u8]) -> bool {
    let digits = Digits::of(text);
    let district = matches!(digits.number(0, 2), 1..=12 | 21..=32 | 61..=72 | 80);
    digits.len() == 9 && district && digits.weighted(&[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10)
}

/// Both letters and digits, and not one character over and over: base58 addresses have no cheap check sum without a hash.
pub(crate) fn mixed(text: &[u8]) -> bool {
    let digits = text.iter().filter(|byte| byte.is_ascii_digit()).count();
    let upper = text.iter().filter(|byte| byte.is_ascii_uppercase()).count();
    let lower = text.iter().filter(|byte| byte.is_ascii_lowercase()).count();
    digits >= 3 && upper >= 3 && lower >= 3
}
