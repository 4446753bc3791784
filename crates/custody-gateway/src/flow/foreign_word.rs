//! Words that callers and providers make up, as events may carry them. A word that stands verbatim is a UUID or too narrow to hold
//! a mail address, a card number or a key, and holds nothing that redaction would take out; any other becomes its keyed hash, which still
//! finds all requests with the same word.

use custody_types::{ModelName, Text};
use uuid::Uuid;

use crate::keyed::{Purpose, TenantHasher};

const MAX_LENGTH: usize = 64;

/// Longest run of letters and digits; secrets are longer.
const MAX_RUN: usize = 20;

/// Fewer digits than a phone, card or account number has.
const MAX_DIGITS: usize = 8;

/// The word itself where it may stand verbatim, else its keyed hash.
pub(super) fn kept_or_hashed(hasher: &TenantHasher, word: &str) -> Text {
    if may_stand(word) { Text::from(word) } else { hasher.hash(Purpose::Label, word.as_bytes()) }
}

/// The model that a provider says it used. Our own name for it is an operator's word; providers add a date or a build to it.
pub(super) fn model_kept_or_hashed(hasher: &TenantHasher, asked: &ModelName, used: &Text) -> Text {
    match used.strip_prefix(asked.as_str()) {
        Some("") => used.clone(),
        Some(more) if more.starts_with('-') && may_stand(more) => used.clone(),
        _ => kept_or_hashed(hasher, used),
    }
}

/// Whether the word may stand verbatim.
pub(super) fn may_stand(word: &str) -> bool {
    is_uuid(word) || (is_narrow(word) && is_clean(word))
}

/// A name that a guardrail's owner or AWS gave, which may have spaces; its keyed hash where redaction finds something in it.
pub(super) fn name_kept_or_hashed(hasher: &TenantHasher, name: &Text) -> Text {
    if is_clean(name) { Text::clone(name) } else { hasher.hash(Purpose::Label, name.as_bytes()) }
}

/// Whether redaction finds nothing: some keys are short, those of AWS have twenty letters. What cannot be looked at is not clean.
fn is_clean(word: &str) -> bool {
    custody_redact::standard().is_some_and(|redactor| redactor.find(word).is_empty())
}

/// In the form with hyphens only.
fn is_uuid(word: &str) -> bool {
    word.len() == uuid::fmt::Hyphenated::LENGTH && Uuid::try_parse(word).is_ok()
}

fn is_narrow(word: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    (1..=MAX_LENGTH).contains(&word.len())
        && word.bytes().all(allowed)
        && digits <= MAX_DIGITS
        && word.split(['.', '_', '-']).all(|run| run.len() <= MAX_RUN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyed::KeyedHasher;

    #[test]
    fn only_narrow_words_stand() {
        let narrow = ["job-7", "blue", "eu.west_1", "trace-00012345", &"a".repeat(20), "0190a1b2-c3d4-7e5f-8899-aabbccddeeff"];
        for word in narrow {
            assert!(may_stand(word), "{word}");
        }
        let wide = [
            "",
            "jane.doe@example.com",
            "ASIAZZZZZZZZZZZZZZZZ",
            "A3T0ZZZZZZZZZZZZZZZZ",
            "gldt-HwllOuhfw-wu0rlD_yep",
            "glsoat-PREfix_helloworld380_testin_pretty_long_token_long",
            "4111-1111-1111-1111",
            "4111.1111.1",
            "+4915112345678",
            "sk-live-4eC39HqLyjWDarjtTqzdpaxy",
            "sk-live-abcdefghijklmnopqrstu",
            "chatcmpl-AbCdEfGhIjKlMnOpQrStUvWx",
            "a/b",
            "a:b",
            "a b",
            "\u{e9}",
            &"a-".repeat(33),
            "0190a1b2c3d47e5f8899aabbccddeeff",
            "{0190a1b2-c3d4-7e5f-8899-aabbccddeef}",
            "AKIAQYLPMNVHFIQRKXYA",
        ];
        for word in wide {
            assert!(!may_stand(word), "{word}");
        }
    }

    #[test]
    fn a_model_stands_where_it_is_the_one_asked_for() {
        let hasher = KeyedHasher::new(&[7; 32]).tenant(&Text::from("acme"));
        let asked: ModelName = "gpt-4o".parse().unwrap();
        let stands = |used: &str| &*model_kept_or_hashed(&hasher, &asked, &Text::from(used)) == used;
        assert!(stands("gpt-4o") && stands("gpt-4o-2024-08-06") && stands("simulator"));
        assert!(!stands("gpt-4o-4111-1111-1111-1111") && !stands("gpt-4ojane@example.com") && !stands("jane@example.com"));
    }
}
