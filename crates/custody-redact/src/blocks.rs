//! A text sixty-four bytes at a time, as bits: where something can begin, and what stands ahead of it.
//!
//! Bits are made without a branch, so that a compiler can look at many bytes at once, and each byte is looked at once.

const BLOCK: usize = 64;

/// What a block's bytes are; the first byte is the lowest bit.
#[derive(Clone, Copy, Default)]
struct Masks {
    /// Something can begin here.
    starts: u64,
    /// ASCII letters and digits.
    words: u64,
    /// Base64's alphabets.
    runs: u64,
    /// ASCII digits, and whatever is beyond ASCII.
    digits: u64,
}

/// The same for the sixty-four bytes from one place on.
#[derive(Clone, Copy)]
pub(crate) struct Ahead {
    words: u64,
    runs: u64,
    digits: u64,
}

/// How far [`Ahead`] sees.
pub(crate) const SIGHT: usize = BLOCK;

/// Hands out each place where something can begin, in order.
pub(crate) struct Blocks<'a> {
    rest: &'a [u8],
    base: usize,
    now: Masks,
    next: Masks,
    last: u8,
}

impl<'a> Blocks<'a> {
    pub(crate) fn of(text: &'a [u8]) -> Self {
        let mut blocks = Self { rest: text, base: 0, now: Masks::default(), next: Masks::default(), last: b' ' };
        blocks.next = blocks.read();
        blocks.now = blocks.next;
        blocks.next = blocks.read();
        blocks
    }

    fn read(&mut self) -> Masks {
        let Some((block, rest)) = self.rest.split_first_chunk::<BLOCK>() else {
            let mut padded = [b' '; BLOCK];
            for (to, from) in padded.iter_mut().zip(self.rest) {
                *to = *from;
            }
            self.rest = &[];
            return Masks::of(&padded, &mut self.last);
        };
        self.rest = rest;
        Masks::of(block, &mut self.last)
    }
}

impl Iterator for Blocks<'_> {
    type Item = (usize, Ahead);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        while self.now.starts == 0 {
            if self.rest.is_empty() && self.next.starts == 0 {
                return None;
            }
            self.now = self.next;
            self.next = self.read();
            self.base += BLOCK;
        }
        let offset = self.now.starts.trailing_zeros();
        self.now.starts &= self.now.starts - 1;
        let ahead = |now: u64, next: u64| ((u128::from(next) << BLOCK | u128::from(now)) >> offset) as u64;
        let ahead = Ahead {
            words: ahead(self.now.words, self.next.words),
            runs: ahead(self.now.runs, self.next.runs),
            digits: ahead(self.now.digits, self.next.digits),
        };
        Some((self.base + offset as usize, ahead))
    }
}

impl Ahead {
    /// How many bytes stand before the next digit, or before something beyond ASCII, where a character is not a byte and nothing can
    /// be ruled out; sixty-four when it is farther away.
    #[inline]
    pub(crate) const fn digit(self) -> usize {
        self.digits.trailing_zeros() as usize
    }

    /// Whether that digit belongs to the word that begins here, with nothing but letters before it.
    #[inline]
    pub(crate) const fn digit_is_in_word(self) -> bool {
        self.words.trailing_ones() > self.digits.trailing_zeros()
    }

    /// How many bytes of base64's alphabets begin here, as far as can be seen.
    #[inline]
    pub(crate) const fn run(self) -> usize {
        self.runs.trailing_ones() as usize
    }
}

impl Masks {
    fn of(block: &[u8; BLOCK], last: &mut u8) -> Self {
        let lower = mask(block, |byte| byte.is_ascii_lowercase());
        let upper = mask(block, |byte| byte.is_ascii_uppercase());
        let digits = mask(block, |byte| byte.is_ascii_digit());
        let beyond = mask(block, |byte| byte >= 0x80);
        let signs = mask(block, |byte| (byte == b'@') | (byte == b'[') | (byte == b'+') | (byte == b'(') | (byte == b':') | (byte == b'-'));
        let leads = mask(block, |byte| byte >= 0xC0);
        let joins = mask(block, |byte| (byte == b'+') | (byte == b'/') | (byte == b'-') | (byte == b'_'));
        let words = lower | upper | digits;
        let after = |bits: u64, before: bool| bits << 1 | u64::from(before);
        let begins = words & !after(words, last.is_ascii_alphanumeric());
        let humps = upper & after(lower, last.is_ascii_lowercase());
        *last = block.last().copied().unwrap_or(b' ');
        Self { starts: begins | humps | signs | leads, words, runs: words | joins, digits: digits | beyond }
    }
}

/// One bit for each byte that is so.
#[inline(always)]
fn mask(block: &[u8; BLOCK], is: impl Fn(u8) -> bool) -> u64 {
    let mut flags = *block;
    for flag in &mut flags {
        *flag = u8::from(is(*flag));
    }
    let mut mask = 0;
    for eight in flags.as_chunks::<8>().0.iter().rev() {
        // Eight flags of a byte each become eight bits: the product brings each to its place in the highest byte.
        mask = mask << 8 | u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_what_is_ahead_are_those_of_the_bytes() {
        let text = "Dr. Ann-Lee pays dbPassword 4111 at \u{e9}t\u{e9} + (a) x@y [Z] :: aGVsbG8gd29ybGQ/".repeat(9);
        let bytes = text.as_bytes();
        let found: Vec<usize> = Blocks::of(bytes).map(|(at, _)| at).collect();
        let expected: Vec<usize> = (0..bytes.len())
            .filter(|at| {
                let before = at.checked_sub(1).map_or(b' ', |before| bytes[before]);
                let hump = bytes[*at].is_ascii_uppercase() && before.is_ascii_lowercase();
                let word = bytes[*at].is_ascii_alphanumeric() && !before.is_ascii_alphanumeric();
                hump || word || bytes[*at] >= 0xC0 || b"@[+(:-".contains(&bytes[*at])
            })
            .collect();
        assert_eq!(found, expected);
        for (at, ahead) in Blocks::of(bytes) {
            let digit = bytes[at..].iter().position(|byte| byte.is_ascii_digit() || *byte >= 0x80).unwrap_or(SIGHT);
            assert_eq!(ahead.digit(), digit.min(SIGHT), "at {at}");
            let run = bytes[at..].iter().take(SIGHT).take_while(|byte| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte)).count();
            assert_eq!(ahead.run(), run, "at {at}");
        }
    }

    #[test]
    fn short_texts_and_whole_blocks_end_where_they_end() {
        for length in [0, 1, 63, 64, 65, 127, 128, 129] {
            let text = "a ".repeat(length)[..length].to_owned();
            assert_eq!(Blocks::of(text.as_bytes()).count(), length.div_ceil(2), "{length}");
        }
    }
}
