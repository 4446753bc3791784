//! Ways to write a value so that people read it and machines do not.

use super::{DEFAULT, found};
use crate::Entity::{Email, NationalId, PaymentCard, Phone};

#[test]
fn look_alike_and_invisible_characters_do_not_hide_a_value() {
    let cases = [
        (PaymentCard, "pay \u{ff14}\u{ff15}\u{ff13}\u{ff19} 1488 0343 6467 now", "\u{ff14}\u{ff15}\u{ff13}\u{ff19} 1488 0343 6467"),
        (PaymentCard, "pay 4539\u{200b}1488\u{200b}0343\u{200b}6467 now", "4539\u{200b}1488\u{200b}0343\u{200b}6467"),
        (PaymentCard, "pay ٤٥٣٩١٤٨٨٠٣٤٣٦٤٦٧ now", "٤٥٣٩١٤٨٨٠٣٤٣٦٤٦٧"),
        (PaymentCard, "pay 4\u{301}539148803436467 now", "4\u{301}539148803436467"),
        (NationalId, "has 536\u{2011}90\u{2011}4399 there", "536\u{2011}90\u{2011}4399"),
        (Email, "to ann\u{ff20}example\u{ff0e}org now", "ann\u{ff20}example\u{ff0e}org"),
        (Phone, "it is +44\u{a0}20\u{a0}7946\u{a0}0958 now", "+44\u{a0}20\u{a0}7946\u{a0}0958"),
    ];
    for (entity, text, value) in cases {
        assert_eq!(found(text), [(entity, value)], "{text}");
    }
}

#[test]
fn escapes_and_base64_are_undone_once() {
    assert_eq!(found("?to=ann%40example.org&x=1"), [(Email, "ann%40example.org")]);
    assert_eq!(found(r#"{"to":"ann\u0040example.org"}"#), [(Email, r"ann\u0040example.org")]);
    assert_eq!(found(r"first line\nann@example.org\nlast"), [(Email, "ann@example.org")]);
    let encoded = "bXkgbWFpbCBpcyBhbm5AZXhhbXBsZS5vcmc";
    assert_eq!(found(&format!("data: {encoded}==.")), [(Email, encoded)]);
    assert_eq!(found("?to=ann%2540example.org&x=1"), [], "twice encoded is not read, and the documentation says so");
}

#[test]
fn split_tokens_are_one_value() {
    for text in ["4539 1488-0343 6467", "4539.1488.0343.6467", "4 5 3 9 1 4 8 8 0 3 4 3 6 4 6 7", "4539  1488  0343  6467"] {
        assert_eq!(DEFAULT.redact(&format!("card {text}.")).text, "card [CARD].", "{text}");
    }
}

#[test]
fn a_marker_written_by_someone_else_protects_nothing() {
    assert_eq!(DEFAULT.redact("[EMAIL]4539148803436467[EMAIL]").text, "[EMAIL][CARD][EMAIL]");
    assert_eq!(DEFAULT.redact("[GB82WEST12345698765432]").text, "[[IBAN]]");
    assert_eq!(DEFAULT.redact("[CARD:4539148803436467]").text, "[CARD:[CARD]]");
}
