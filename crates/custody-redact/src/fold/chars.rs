//! Which characters are read as which: digits, letters, spaces, dashes and invisible characters.

pub(super) enum Fold {
    Keep,
    Drop,
    To(u8),
}

/// The zero of every script with decimal digits that people write; nine more follow each.
const ZEROS: [u32; 40] = [
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040,
    0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50,
    0xABF0, 0xFF10, 0x104A0, 0x11066, 0x1E950, 0x1FBF0,
];

pub(super) fn fold_char(character: char) -> Fold {
    let code = character as u32;
    match code {
        0..0x80 => Fold::Keep,
        0x00A0 | 0x2000..=0x200A | 0x202F | 0x205F | 0x3000 | 0x2028 | 0x2029 => Fold::To(b' '),
        0x00AD | 0x034F | 0x061C | 0x115F | 0x1160 | 0x180B..=0x180E | 0x200B..=0x200F | 0x202A..=0x202E => Fold::Drop,
        0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xE0000..=0xE01EF => Fold::Drop,
        0x0300..=0x036F | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF | 0xFE20..=0xFE2F => Fold::Drop,
        0x2010..=0x2015 | 0x2212 | 0xFE58 | 0xFE63 => Fold::To(b'-'),
        0x2024 | 0x3002 | 0xFE52 | 0xFF61 => Fold::To(b'.'),
        0xFE6B => Fold::To(b'@'),
        0x017F => Fold::To(b's'),
        0x212A => Fold::To(b'K'),
        0x2044 | 0x2215 => Fold::To(b'/'),
        0x2018 | 0x2019 | 0x02BC => Fold::To(b'\''),
        0x201C..=0x201F => Fold::To(b'"'),
        0xA789 | 0x2236 => Fold::To(b':'),
        0xFF01..=0xFF5E => low(code - 0xFF01 + 0x21),
        0x1D400..=0x1D6A3 => mathematical_letter((code - 0x1D400) % 52),
        0x1D7CE..=0x1D7FF => low(u32::from(b'0') + (code - 0x1D7CE) % 10),
        _ => digit(code),
    }
}

fn mathematical_letter(place: u32) -> Fold {
    if place < 26 { low(u32::from(b'A') + place) } else { low(u32::from(b'a') + place - 26) }
}

fn digit(code: u32) -> Fold {
    let below = ZEROS.partition_point(|zero| *zero <= code);
    let zero = below.checked_sub(1).and_then(|index| ZEROS.get(index));
    match zero {
        Some(zero) if code - zero < 10 => low(u32::from(b'0') + code - zero),
        _ => Fold::Keep,
    }
}

fn low(code: u32) -> Fold {
    u8::try_from(code).map_or(Fold::Keep, Fold::To)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_are_in_order_so_that_they_can_be_searched() {
        assert!(ZEROS.is_sorted());
    }

    #[test]
    fn every_script_s_digits_are_digits() {
        for (character, expected) in [('٣', b'3'), ('७', b'7'), ('９', b'9'), ('𝟗', b'9'), ('＠', b'@'), ('𝐚', b'a'), ('．', b'.')]
        {
            assert!(matches!(fold_char(character), Fold::To(byte) if byte == expected), "{character}");
        }
    }
}
