//! Altered, moved, cut, extended, old and made-up bytes: each stays closed, each for a stated reason.

use custody_seal::{
    FormatError, OpenError,
    edge::{EdgePublicKey, edge_key_of},
    rest::{ContentSchema, unit_key_of},
};
use custody_types::Fault;

use crate::support::{
    NOON, SCHEMA, SeededEntropy, context, edge, opened, other_contexts, other_terms, sealed_at_edge, sealed_at_rest, terms, unit_key,
};

#[test]
fn every_flipped_bit_of_an_edge_record_closes_it() {
    let (sealer, mut opener) = edge(1);
    let sealed = sealed_at_edge(&sealer, b"a short text").bytes;
    for place in 0..sealed.len() * 8 {
        let mut altered = sealed.clone();
        altered[place / 8] ^= 1 << (place % 8);
        assert!(opener.open(&altered, &context(), &terms()).is_err(), "bit {place}");
    }
    assert!(opener.open(&sealed, &context(), &terms()).is_ok());
}

#[test]
fn every_flipped_bit_of_a_record_at_rest_closes_it() {
    let key = unit_key(1);
    let sealed = sealed_at_rest(&key, b"a short text");
    for place in 0..sealed.len() * 8 {
        let mut altered = sealed.clone();
        altered[place / 8] ^= 1 << (place % 8);
        assert!(key.open(&altered, SCHEMA, &context()).is_err(), "bit {place}");
    }
    assert!(key.open(&sealed, SCHEMA, &context()).is_ok());
}

#[test]
fn a_text_in_another_tenants_persons_requests_or_parts_place_stays_closed() {
    let (sealer, mut opener) = edge(1);
    let at_edge = sealed_at_edge(&sealer, b"text").bytes;
    let key = unit_key(1);
    let at_rest = sealed_at_rest(&key, b"text");
    for other in other_contexts() {
        assert_eq!(opener.open(&at_edge, &other, &terms()).map(|_| ()), Err(OpenError::NotAuthentic), "{other:?}");
        assert_eq!(key.open(&at_rest, SCHEMA, &other).map(|_| ()), Err(OpenError::NotAuthentic), "{other:?}");
    }
    assert_eq!(key.open(&at_rest, ContentSchema(2), &context()).map(|_| ()), Err(OpenError::NotAuthentic));
}

/// Nobody but the gateway that sealed a text says when it was made, how long it is kept, by which rule, or that it is another text.
#[test]
fn a_text_on_other_terms_stays_closed() {
    let (sealer, mut opener) = edge(1);
    let at_edge = sealed_at_edge(&sealer, b"text").bytes;
    for other in other_terms() {
        assert_eq!(opener.open(&at_edge, &context(), &other).map(|_| ()), Err(OpenError::NotAuthentic), "{other:?}");
    }
    assert!(opener.open(&at_edge, &context(), &terms()).is_ok());
    let mut as_of_before_terms = at_edge;
    as_of_before_terms[4] = 1;
    assert_eq!(opener.open(&as_of_before_terms, &context(), &terms()).map(|_| ()), Err(OpenError::NotAuthentic));
}

/// Header, commitment and ciphertext of two texts of one segment or unit, in every mixture of the two.
#[test]
fn parts_of_two_records_never_make_a_third() {
    let (sealer, mut opener) = edge(1);
    let edge_records = [sealed_at_edge(&sealer, b"first").bytes, sealed_at_edge(&sealer, b"other").bytes];
    for mixed in mixtures(&edge_records, &[70, 78, 114]) {
        assert_eq!(opener.open(&mixed, &context(), &terms()).map(|_| ()), Err(OpenError::NotAuthentic));
    }
    let key = unit_key(1);
    let mut entropy = SeededEntropy::new(8);
    let rest_records = [b"first", b"other"].map(|text| key.seal(SCHEMA, &context(), &opened(text), &mut entropy).unwrap());
    for mixed in mixtures(&rest_records, &[22, 54, 90]) {
        assert_eq!(key.open(&mixed, SCHEMA, &context()).map(|_| ()), Err(OpenError::NotAuthentic));
    }
}

/// Every choice of pieces from the two records that is neither the one nor the other. What stands before the first cut is equal.
fn mixtures(records: &[Vec<u8>; 2], cuts: &[usize]) -> Vec<Vec<u8>> {
    let ends = cuts.iter().copied().skip(1).chain([records[0].len()]);
    let pieces: Vec<_> = cuts.iter().copied().zip(ends).collect();
    (1..(1 << pieces.len()) - 1)
        .map(|choice: usize| {
            let mut mixed = records[0][..cuts[0]].to_vec();
            for (piece, (start, end)) in pieces.iter().enumerate() {
                mixed.extend_from_slice(&records[(choice >> piece) & 1][*start..*end]);
            }
            mixed
        })
        .collect()
}

#[test]
fn cut_and_extended_records_are_malformed() {
    let (sealer, mut opener) = edge(1);
    let at_edge = sealed_at_edge(&sealer, b"text").bytes;
    let key = unit_key(1);
    let at_rest = sealed_at_rest(&key, b"text");
    for length in 0..at_edge.len() {
        assert_eq!(opener.open(&at_edge[..length], &context(), &terms()).map(|_| ()), Err(FormatError::Malformed.into()), "{length}");
    }
    for length in 0..at_rest.len() {
        assert_eq!(key.open(&at_rest[..length], SCHEMA, &context()).map(|_| ()), Err(FormatError::Malformed.into()), "{length}");
    }
    for more in [1, 16, 1_000] {
        let longer = |bytes: &[u8]| [bytes, &vec![0; more]].concat();
        assert_eq!(opener.open(&longer(&at_edge), &context(), &terms()).map(|_| ()), Err(FormatError::Malformed.into()));
        assert_eq!(key.open(&longer(&at_rest), SCHEMA, &context()).map(|_| ()), Err(FormatError::Malformed.into()));
    }
}

/// The length of a text is not a way in: cut and mended, it is another text.
#[test]
fn a_record_cut_with_its_length_mended_stays_closed() {
    let key = unit_key(1);
    let sealed = sealed_at_rest(&key, b"some longer text");
    let mut cut = sealed[..sealed.len() - 1].to_vec();
    let length = u32::try_from(cut.len() - 90).unwrap().to_be_bytes();
    cut[86..90].copy_from_slice(&length);
    assert_eq!(key.open(&cut, SCHEMA, &context()).map(|_| ()), Err(OpenError::NotAuthentic));
}

#[test]
fn other_versions_are_named_and_not_guessed_at() {
    let (sealer, mut opener) = edge(1);
    let mut at_edge = sealed_at_edge(&sealer, b"text").bytes;
    let key = unit_key(1);
    let mut at_rest = sealed_at_rest(&key, b"text");
    for version in [0, 3, 255] {
        at_edge[4] = version;
        at_rest[4] = version;
        let expected = OpenError::Format(FormatError::Version { found: version });
        assert_eq!(opener.open(&at_edge, &context(), &terms()).map(|_| ()), Err(expected));
        assert_eq!(key.open(&at_rest, SCHEMA, &context()).map(|_| ()), Err(expected));
        assert_eq!(expected.code(), "sealed_version_unknown");
    }
}

#[test]
fn other_suites_are_named_and_not_guessed_at() {
    let (sealer, mut opener) = edge(1);
    let mut at_edge = sealed_at_edge(&sealer, b"text").bytes;
    let key = unit_key(1);
    let mut at_rest = sealed_at_rest(&key, b"text");
    (at_edge[5], at_rest[5]) = (2, 2);
    let expected = OpenError::Format(FormatError::Suite { found: 2 });
    assert_eq!(opener.open(&at_edge, &context(), &terms()).map(|_| ()), Err(expected));
    assert_eq!(key.open(&at_rest, SCHEMA, &context()).map(|_| ()), Err(expected));
    assert_eq!(expected.code(), "sealed_suite_unknown");
}

#[test]
fn a_key_that_is_not_held_is_named_as_such() {
    let (sealer, _) = edge(1);
    let (_, mut stranger) = edge(2);
    assert_eq!(stranger.open(&sealed_at_edge(&sealer, b"text").bytes, &context(), &terms()).map(|_| ()), Err(OpenError::UnknownKey));
    let sealed = sealed_at_rest(&unit_key(1), b"text");
    assert_eq!(unit_key(2).open(&sealed, SCHEMA, &context()).map(|_| ()), Err(OpenError::UnknownKey));
}

#[test]
fn records_say_which_key_they_need_without_being_opened() {
    let (sealer, _) = edge(1);
    assert_eq!(edge_key_of(&sealed_at_edge(&sealer, b"text").bytes), Ok(sealer.key()));
    let key = unit_key(1);
    assert_eq!(unit_key_of(&sealed_at_rest(&key, b"text")), Ok(key.id()));
    assert_eq!(unit_key_of(&sealed_at_edge(&sealer, b"text").bytes), Err(FormatError::Malformed), "of another kind");
}

#[test]
fn a_public_key_with_an_altered_day_is_another_key() {
    let (_, opener) = edge(1);
    let published = opener.held().next().unwrap().clone();
    assert_eq!(EdgePublicKey::decode(&published.encode()), Ok(published.clone()));
    for place in 6..42 {
        let mut altered = published.encode();
        altered[place] ^= 1;
        assert_ne!(EdgePublicKey::decode(&altered).unwrap().id(), published.id());
    }
}

#[test]
fn errors_have_stable_codes_and_say_no_place() {
    let (sealer, mut opener) = edge(1);
    let sealed = sealed_at_edge(&sealer, b"text").bytes;
    let (mut first, mut last) = (sealed.clone(), sealed.clone());
    first[80] ^= 1;
    last[sealed.len() - 1] ^= 1;
    let errors = [first, last].map(|altered| opener.open(&altered, &context(), &terms()).unwrap_err());
    assert_eq!(errors[0], errors[1]);
    assert_eq!(errors[0].code(), "sealed_not_authentic");
    assert_eq!(opener.open(b"", &context(), &terms()).unwrap_err().code(), "sealed_malformed");
    let late = custody_types::Timestamp::from_micros(NOON.micros() + 3 * 86_400_000_000);
    assert_eq!(sealer.seal(&context(), &terms(), b"text", late).unwrap_err().code(), "seal_edge_key_over");
}
