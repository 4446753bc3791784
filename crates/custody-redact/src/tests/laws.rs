//! What holds for every text.

use proptest::prelude::*;

use super::{DEFAULT, steps_of};
use crate::Span;

/// Pieces that forms are made of, so that random texts come near them.
pub(super) fn pieces() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "4539 1488 0343 6467",
        "4111",
        "1111-",
        "ann@",
        "example.org",
        "@",
        ".",
        "+44 20 ",
        "7946 0958",
        "password=",
        "secret: '",
        "AKIA",
        "Q7ZT0XK2LM9RVB4N",
        "ey",
        "J",
        "%40",
        "%",
        "\\u0040",
        "\\u",
        "\\n",
        "[EMAIL]",
        "[",
        "]",
        "[CARD:1111]",
        "SSN ",
        "536-90-4399",
        "é",
        "\u{200b}",
        "\u{ff11}",
        "\u{301}",
        "Dr. ",
        "Ana ",
        "12 Main St",
        "-----BEGIN PRIVATE KEY-----",
        "-----END ",
        "-",
        " ",
        "\n",
        "::1",
        "10.0.0.1",
        "bXkgbWFpbCBpcyBhbm5AZXhhbXBsZS5vcmc",
        "phone ",
        "DE89",
        "3704 0044 0532 0130 00",
        "https://u:p@h",
        "日本",
        "😀",
    ]);
    prop::collection::vec(prop_oneof![4 => known.prop_map(str::to_owned), 1 => ".{0,6}"], 0..24).prop_map(|pieces| pieces.concat())
}

fn in_order_and_apart(text: &str, spans: &[Span]) -> bool {
    let whole = spans.iter().all(|span| span.start < span.end && text.get(span.start..span.end).is_some());
    whole && spans.windows(2).all(|pair| pair[0].end <= pair[1].start)
}

/// What numbers, addresses, names, escapes, base64 and markers are joined with, and what stands in them.
const PARTS: &[&str] = &[
    "-", "_", "+", "/", "=", ".", ":", ",", ";", "@", "%", "\\", "[", "]", "(", ")", "{", "'", "\"", " ", "\n", "\t", "\r", "#", "&", "~",
    "*", "1", "0", "4", "a", "e", "A", "Z", "u", "x", "\u{200b}", "é", "\u{ff14}", "日",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 8, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_repeated_takes_linear_time(parts in prop::collection::vec(prop::sample::select(PARTS), 1..=4)) {
        let piece = parts.concat();
        let steps = |bytes: usize| steps_of_repeats(&piece, bytes);
        // Beyond the longest form, each six thousand bytes take as long as the six thousand before.
        let (first, second, third) = (steps(6_000), steps(12_000), steps(18_000));
        prop_assert!(third.saturating_sub(second) <= second.saturating_sub(first) * 5 / 4 + 18_000, "{:?}: {}, {}, {} steps", piece, first, second, third);
        prop_assert!(third <= 18_000 * 1_500, "{:?}: {} steps", piece, third);
    }
}

proptest! {
    // `PROPTEST_CASES` asks for more.
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn spans_are_ordered_apart_and_on_character_boundaries(text in prop_oneof![pieces(), ".{0,200}"]) {
        let spans = DEFAULT.find(&text);
        prop_assert!(in_order_and_apart(&text, &spans));
        prop_assert_eq!(spans, DEFAULT.find(&text));
    }

    #[test]
    fn redacting_twice_changes_nothing_more(text in pieces()) {
        let once = DEFAULT.redact(&text);
        let twice = DEFAULT.redact(&once.text);
        prop_assert_eq!(&once.text, &twice.text);
        prop_assert!(twice.counts.is_empty());
    }

    #[test]
    fn what_is_far_apart_is_read_again_too(first in pieces(), gap in 0_usize..3, second in pieces()) {
        let text = format!("{first}{}{second}", "so it goes. ".repeat(gap * 170));
        let once = DEFAULT.redact(&text);
        prop_assert!(DEFAULT.find(&once.text).is_empty());
    }

    #[test]
    fn counts_are_the_markers_added(text in "[a-z ]{0,20}", times in 0_usize..5) {
        let redacted = DEFAULT.redact(&format!("{text} {}", "ann@example.org ".repeat(times)));
        prop_assert_eq!(redacted.counts.get("EMAIL").copied().unwrap_or(0), times as u64);
        prop_assert_eq!(redacted.text.matches("[EMAIL]").count(), times);
    }

    #[test]
    fn a_card_is_found_wherever_it_stands(before in "[^0-9\\[]{0,40}", after in "[^0-9]{0,40}") {
        let text = format!("{before} 4539148803436467 {after}");
        let card = before.len() + 1..before.len() + 17;
        prop_assert!(DEFAULT.find(&text).iter().any(|span| span.start <= card.start && span.end >= card.end));
    }
}

/// Linear time without a clock: ten times the text takes ten times the steps, and no byte takes more than the longest form has.
#[test]
fn ten_times_the_hostile_text_takes_ten_times_the_steps() {
    let hostile = [
        "4539 1488 0343 6467 1 1 1 1 AKIA password=aaaaaa a@b.c@d.org ",
        "1",
        "1 ",
        "11-1",
        "@",
        "a@",
        "A",
        "Mr. A ",
        "1 Main ",
        "x:y@",
        "http://a:b",
        "::1:",
        "[",
        "[[EMAIL",
        "eyJhbGciOi",
        "password=",
        "-----BEGIN RSA PRIVATE KEY-----\n",
        "bXkgbWFpbCBpcyBhbm5AZXhhbXBsZS5vcmc",
        "QUJD",
        "4\u{200b}",
        "\u{ff14}\u{ff11} ",
        "%40",
        "\\u0040",
        "phone 5551234 ",
        "-_",
        "+/",
        "-/",
        "_-",
        "-",
        "_",
        "/",
        "a-",
        "a_",
        "/a",
        "-+_/",
        "a@b.cc \u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}",
        "10.0.0.1 %20",
    ];
    for piece in hostile {
        is_linear(piece, 4_000, 40_000);
    }
}

/// Ten times as many repeats take ten times the steps, and few of them a byte.
fn is_linear(piece: &str, few: usize, many: usize) {
    let (small, large) = (steps_of_repeats(piece, few), steps_of_repeats(piece, many));
    assert!(large <= small * many / few * 11 / 10 + many, "{piece:?}: {small} steps, then {large}");
    assert!(large <= many * 1_500, "{piece:?}: {large} steps");
}

fn steps_of_repeats(piece: &str, bytes: usize) -> usize {
    let text = piece.repeat(bytes.div_ceil(piece.len()));
    steps_of(|| drop(DEFAULT.redact(&text)))
}
