use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

fn secret(byte: u8) -> SecretKey {
    SecretKey::from_bytes(&[byte; 32])
}

fn tail_of(bytes: &[u8], prefix: usize) -> Tail<'_> {
    let mut reader = Reader::new(bytes);
    reader.take(prefix).unwrap();
    Tail::read(reader).unwrap()
}

#[test]
fn what_was_sealed_opens_with_head_and_text() {
    let one_use = OneUse::new(&secret(1), Use::RestText, b"prefix", b"context");
    let sealed = one_use.seal(b"prefix", b"head", b"text").unwrap();
    assert_eq!(sealed.len(), 6 + 32 + 4 + 8 + 16);
    assert_eq!(one_use.open(&tail_of(&sealed, 6)).unwrap().expose(), b"headtext");
}

#[test]
fn another_secret_use_prefix_or_context_does_not_open() {
    let sealed = OneUse::new(&secret(1), Use::RestText, b"prefix", b"context").seal(b"prefix", &[], b"text").unwrap();
    let others = [
        OneUse::new(&secret(2), Use::RestText, b"prefix", b"context"),
        OneUse::new(&secret(1), Use::EdgeText, b"prefix", b"context"),
        OneUse::new(&secret(1), Use::RestText, b"prefiX", b"context"),
        OneUse::new(&secret(1), Use::RestText, b"prefix", b"contexT"),
    ];
    for other in others {
        assert_eq!(other.open(&tail_of(&sealed, 6)), Err(OpenError::NotAuthentic));
    }
}

/// The key alone would already tell; this is the tag's own proof: right key, right commitment, but sealed without the binding.
#[test]
fn the_tag_covers_binding_and_commitment() {
    let one_use = OneUse::new(&secret(1), Use::RestText, b"prefix", b"context");
    let commitment = one_use.commitment();
    let aads: [&[u8]; 3] = [&[], b"prefixcontext", &commitment];
    for aad in aads {
        let mut text = *b"text";
        let tag = one_use.cipher().encrypt_inout_detached(&nonce(), aad, text.as_mut_slice().into()).unwrap();
        let tail = Tail { commitment: &commitment, ciphertext: &text, tag: tag.into() };
        assert_eq!(one_use.open(&tail), Err(OpenError::NotAuthentic));
    }
}

#[test]
fn a_text_beyond_the_limit_is_refused_before_it_is_sealed() {
    let one_use = OneUse::new(&secret(1), Use::RestText, &[], &[]);
    let too_long = vec![0; MAX_TEXT_BYTES + 1];
    assert_eq!(one_use.seal(&[], &[], &too_long), Err(SealError::TooLong { bytes: MAX_TEXT_BYTES + 1, limit: MAX_TEXT_BYTES }));
}

#[test]
fn a_length_beyond_the_limit_or_below_a_tag_is_refused_before_memory_is_taken() {
    for length in [0_u32, 15, u32::MAX, u32::try_from(MAX_TEXT_BYTES + 32 + 16 + 1).unwrap()] {
        let bytes = [[0; 32].as_slice(), &length.to_be_bytes(), &[0; 64]].concat();
        assert_eq!(Tail::read(Reader::new(&bytes)).map(|_| ()), Err(FormatError::Malformed), "{length}");
    }
}

proptest! {
    /// The nonce is constant, so this is the nonce rule: two bindings never share a key, a commitment or a salt, and the three
    /// are never each other.
    #[test]
    fn two_bindings_never_share_a_key(places in proptest::collection::hash_set((any::<[u8; 8]>(), any::<[u8; 4]>()), 2..40)) {
        let secret = secret(9);
        let mut seen = HashSet::new();
        for (prefix, context) in &places {
            let one_use = OneUse::new(&secret, Use::EdgeText, prefix, context);
            prop_assert!(seen.insert(*one_use.derive(b"key").expose()));
            prop_assert!(seen.insert(*one_use.derive(b"text salt").expose()));
            prop_assert!(seen.insert(one_use.commitment()));
        }
    }
}
