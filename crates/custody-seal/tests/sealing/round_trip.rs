//! What was sealed opens, for any bytes and any context, and only as what it was.

use custody_seal::{Part, TextContext};
use custody_types::RequestId;
use proptest::prelude::*;

use crate::support::{NOON, SCHEMA, SeededEntropy, context, edge, opened, sealed_at_edge, sealed_at_rest, terms, unit_key};
use custody_seal::rest::{ShredUnit, UnitKey};

fn any_context() -> impl Strategy<Value = TextContext> {
    let label = "[a-z0-9][a-z0-9._-]{0,40}";
    (label, proptest::option::of(label), any::<u128>(), 0..Part::ALL.len(), any::<u32>(), label, label).prop_map(
        |(tenant, person, request, part, ordinal, purpose, retention)| TextContext {
            tenant: tenant.parse().unwrap(),
            person: person.map(|person| person.parse().unwrap()),
            request: RequestId::from_uuid(uuid::Uuid::from_u128(request)),
            part: Part::ALL[part],
            ordinal,
            purpose: purpose.parse().unwrap(),
            retention: retention.parse().unwrap(),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_of_any_context_goes_from_edge_to_rest_and_opens(
        text in proptest::collection::vec(any::<u8>(), 0..600),
        context in any_context(),
        seed in any::<u64>(),
    ) {
        let mut entropy = SeededEntropy::new(seed);
        let (sealer, mut opener) = edge(seed);
        let sealed = sealer.seal(&context, &terms(), &text, NOON).unwrap();
        prop_assert_eq!(sealed.bytes.len(), text.len() + 130);
        let opened = opener.open(&sealed.bytes, &context, &terms()).unwrap();
        prop_assert_eq!(opened.text().expose(), text.as_slice());
        prop_assert_eq!(opened.commitment(), sealed.commitment);

        let key = UnitKey::generate(ShredUnit::of(&context, NOON), &mut entropy).unwrap();
        let at_rest = key.seal(SCHEMA, &context, &opened, &mut entropy).unwrap();
        prop_assert_eq!(at_rest.len(), text.len() + 138);
        let read = key.open(&at_rest, SCHEMA, &context).unwrap();
        prop_assert_eq!(read.text().expose(), text.as_slice());
        prop_assert_eq!(read.commitment(), sealed.commitment);
    }

    /// Fields can't be shifted into each other: two contexts that differ open nothing of one another.
    #[test]
    fn a_text_opens_under_its_own_context_only(one in any_context(), other in any_context()) {
        prop_assume!(one != other);
        let (sealer, mut opener) = edge(3);
        let sealed = sealer.seal(&one, &terms(), b"text", NOON).unwrap();
        prop_assert!(opener.open(&sealed.bytes, &one, &terms()).is_ok());
        prop_assert!(opener.open(&sealed.bytes, &other, &terms()).is_err());
    }
}

#[test]
fn the_same_text_sealed_twice_shares_no_bytes_that_tell() {
    let (sealer, _) = edge(1);
    let (one, other) = (sealed_at_edge(&sealer, &[0; 64]), sealed_at_edge(&sealer, &[0; 64]));
    assert_ne!(one.bytes[78..110], other.bytes[78..110], "key commitments");
    assert_ne!(one.bytes[114..], other.bytes[114..], "ciphertexts");
    assert_ne!(one.commitment, other.commitment, "an event does not tell that two texts are equal");
}

#[test]
fn an_event_tells_a_text_from_another_only_with_its_salt() {
    let (sealer, mut opener) = edge(1);
    let sealed = sealed_at_edge(&sealer, b"text");
    assert_eq!(opener.open(&sealed.bytes, &context(), &terms()).unwrap().commitment(), sealed.commitment);
    assert_ne!(opened(b"texT").commitment(), sealed.commitment);
}

#[test]
fn opened_text_and_keys_print_no_bytes() {
    let key = unit_key(1);
    let (sealer, opener) = edge(1);
    let read = key.open(&sealed_at_rest(&key, b"canary-7f3e"), SCHEMA, &context()).unwrap();
    let shown = format!("{read:?} {key:?} {sealer:?} {opener:?}");
    assert!(!shown.contains("canary"), "{shown}");
    assert!(!shown.contains("secret: ["), "{shown}");
}
