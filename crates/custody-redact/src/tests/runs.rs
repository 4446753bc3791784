//! Base64 of any length, and base64 that is not all text.

use base64::prelude::*;

use super::{DEFAULT, found};
use crate::Entity::{Email, PaymentCard};

const CARD: &str = " card 4539 1488 0343 6467 ";

#[test]
fn long_base64_is_read_to_its_end_and_replaced_whole() {
    for (before, after, lead) in [(0, 1_700_000, ""), (1_500_000, 0, "data: "), (800_001, 300_000, "\u{e9} :"), (786_420, 600, "")] {
        let plain = format!("{}{CARD}{}", "so it goes. ".repeat(before / 12), "and on \u{e9} ".repeat(after / 10));
        let run = BASE64_STANDARD_NO_PAD.encode(&plain);
        let text = format!("{lead}{run} end");
        assert!(found(&text) == [(PaymentCard, run.as_str())], "{before}, {after}, {lead:?}");
    }
}

#[test]
fn long_base64_that_holds_nothing_stays() {
    let run = BASE64_STANDARD_NO_PAD.encode("so it goes. ".repeat(120_000));
    assert_eq!(found(&run), []);
    let noise: Vec<u8> = (0..900_000_u64).map(|place| (place.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as u8).collect();
    assert_eq!(found(&BASE64_STANDARD_NO_PAD.encode(noise)), []);
}

#[test]
fn bytes_that_are_no_text_hide_nothing() {
    for broken in [&b"\xff"[..], b"\x00\x01", b"\xe9\x80"] {
        let plain = [b"the mail of someone is ", broken, b" ann@example.org ", broken].concat();
        let run = BASE64_STANDARD_NO_PAD.encode(&plain);
        assert_eq!(found(&format!("data: {run}.")), [(Email, run.as_str())], "{broken:?}");
        let plain = [b"the mail", broken, b" of someone who lives here is ann@example.org"].concat();
        let run = BASE64_URL_SAFE_NO_PAD.encode(&plain);
        assert_eq!(found(&format!("data: {run}.")), [(Email, run.as_str())], "{broken:?} near the beginning");
    }
}

#[test]
fn both_alphabets_in_one_run_are_read() {
    let run =
        format!("{}{}", BASE64_STANDARD_NO_PAD.encode("what? why? ~~~ ???>>>"), BASE64_URL_SAFE_NO_PAD.encode("???>>>ann@example.org"));
    assert!(run.contains(['+', '/']) && run.contains(['-', '_']), "{run}");
    assert_eq!(found(&run), [(Email, run.as_str())]);
    assert!(DEFAULT.redact(&format!("x: {run}")).text.ends_with("[EMAIL]"));
}
