//! Days and months, as far as an identifier or a date of birth must respect them.

/// A day and a month that can stand together in some year.
pub(crate) fn is_day_of_month(day: u64, month: u64) -> bool {
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 29,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// Three numbers with separators in any of the usual orders: year first, day first or month first.
pub(crate) fn numeric_date(text: &[u8]) -> bool {
    let parts: Vec<(usize, u64)> = text.split(|byte| !byte.is_ascii_digit()).filter(|part| !part.is_empty()).map(part).collect();
    match parts.as_slice() {
        [(4, year), (_, month), (_, day), ..] => is_year(*year) && is_day_of_month(*day, *month),
        [(1 | 2, one), (1 | 2, two), (4, year), ..] => is_year(*year) && either_order(*one, *two),
        [(1 | 2, one), (1 | 2, two), (2, _), ..] => either_order(*one, *two),
        _ => false,
    }
}

fn part(text: &[u8]) -> (usize, u64) {
    (text.len(), text.iter().fold(0, |sum, byte| sum * 10 + u64::from(byte - b'0')))
}

fn is_year(year: u64) -> bool {
    (1880..=2100).contains(&year)
}

fn either_order(one: u64, two: u64) -> bool {
    is_day_of_month(one, two) || is_day_of_month(two, one)
}
