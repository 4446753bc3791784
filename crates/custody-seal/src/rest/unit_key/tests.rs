use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{AeadInOut, Nonce, Tag},
    aes::{
        Aes256,
        cipher::{Block, BlockCipherEncrypt},
    },
};

use super::*;
use crate::{
    rest::Month,
    secret::SecretBytes,
    test_entropy::{NoEntropy, SeededEntropy},
    text_context::Part,
};

const SCHEMA: ContentSchema = ContentSchema(1);

fn context() -> TextContext {
    TextContext {
        tenant: "acme".parse().unwrap(),
        person: Some("p-1".parse().unwrap()),
        request: custody_types::RequestId::from_uuid(uuid::Uuid::nil()),
        part: Part::Prompt,
        ordinal: 0,
        purpose: "quality".parse().unwrap(),
        retention: "short".parse().unwrap(),
    }
}

fn unit() -> ShredUnit {
    ShredUnit {
        tenant: "acme".parse().unwrap(),
        person: Some("p-1".parse().unwrap()),
        purpose: "quality".parse().unwrap(),
        month: Month::from_number(24_322),
    }
}

fn key(byte: u8) -> UnitKey {
    UnitKey::new(UnitKeyId([5; 16]), unit(), SecretKey::from_bytes(&[byte; 32]))
}

fn opened() -> OpenedText {
    OpenedText { salt: SecretKey::from_bytes(&[3; 32]), text: SecretBytes::new(b"text".to_vec()) }
}

#[test]
fn a_unit_key_stops_before_its_limit_is_exceeded() {
    let key = key(1);
    key.sealed.store(MAX_TEXTS_PER_KEY - 1, Ordering::Relaxed);
    let mut entropy = SeededEntropy::new(1);
    assert!(key.seal(SCHEMA, &context(), &opened(), &mut entropy).is_ok());
    for _ in 0..3 {
        assert_eq!(key.seal(SCHEMA, &context(), &opened(), &mut entropy), Err(SealError::KeyExhausted));
    }
}

#[test]
fn a_text_of_another_unit_is_not_sealed() {
    let others = [
        TextContext { tenant: "globex".parse().unwrap(), ..context() },
        TextContext { person: Some("p-2".parse().unwrap()), ..context() },
        TextContext { person: None, ..context() },
        TextContext { purpose: "abuse".parse().unwrap(), ..context() },
    ];
    for other in others {
        assert_eq!(key(1).seal(SCHEMA, &other, &opened(), &mut SeededEntropy::new(1)), Err(SealError::WrongUnit));
    }
}

#[test]
fn without_randomness_nothing_is_sealed() {
    assert!(matches!(key(1).seal(SCHEMA, &context(), &opened(), &mut NoEntropy), Err(SealError::NoEntropy(_))));
}

/// The attack on AES-GCM that a commitment is for: one ciphertext, one tag, two keys. GCM opens it under both, each with the very
/// additional data that this crate would give it; here it opens under the key that its commitment is of, and under no other.
#[test]
fn a_ciphertext_made_to_open_under_two_keys_opens_under_one() {
    let (one, other) = (key(1), key(2));
    let prefix = prefix(one.id, &[9; 32]);
    let sides = [&one, &other].map(|key| {
        let one_use = key.one_use(&prefix, SCHEMA, &context());
        let commitment = *one_use.derive(b"commitment").expose();
        (*one_use.derive(b"key").expose(), aad(&prefix, &commitment), commitment)
    });
    let (ciphertext, tag) = opens_under_both(&sides);
    for (gcm_key, aad, _) in &sides {
        let mut text = ciphertext.clone();
        let tag = Tag::<Aes256Gcm>::from(tag);
        let gcm = Aes256Gcm::new(gcm_key.into());
        let opened = gcm.decrypt_inout_detached(&Nonce::<Aes256Gcm>::default(), aad, text.as_mut_slice().into(), &tag);
        assert!(opened.is_ok(), "GCM alone takes it");
    }
    let length = u32::try_from(ciphertext.len() + 16).unwrap().to_be_bytes();
    let record = [prefix.as_slice(), &sides[0].2, &length, &ciphertext, &tag].concat();
    assert!(one.open(&record, SCHEMA, &context()).is_ok(), "the key that was committed to");
    assert_eq!(other.open(&record, SCHEMA, &context()).map(|_| ()), Err(OpenError::NotAuthentic));
}

/// Everything that a text of this unit is bound to.
fn aad(prefix: &[u8], commitment: &[u8]) -> Vec<u8> {
    let mut bound = [prefix, &SCHEMA.0.to_be_bytes()].concat();
    unit().encode(&mut bound);
    bound.extend_from_slice(&context().encode());
    bound.extend_from_slice(commitment);
    bound
}

/// A key, what it authenticates beside the text, and its commitment.
type Side = ([u8; 32], Vec<u8>, [u8; 32]);

/// Four blocks of which the last is chosen so that both keys give one tag.
fn opens_under_both(sides: &[Side; 2]) -> (Vec<u8>, [u8; 16]) {
    let mut ciphertext = vec![0xab; 64];
    ciphertext[48..].fill(0);
    let tags = sides.each_ref().map(|(key, aad, _)| tag(key, aad, &ciphertext));
    let squares = sides.each_ref().map(|(key, ..)| multiply(hash_key(key), hash_key(key)));
    let chosen = multiply(tags[0] ^ tags[1], inverse(squares[0] ^ squares[1]));
    ciphertext[48..].copy_from_slice(&chosen.to_be_bytes());
    let both = sides.each_ref().map(|(key, aad, _)| tag(key, aad, &ciphertext));
    assert_eq!(both[0], both[1]);
    (ciphertext, both[0].to_be_bytes())
}

fn tag(key: &[u8; 32], aad: &[u8], ciphertext: &[u8]) -> u128 {
    let hash = hash_key(key);
    let lengths = ((aad.len() as u128 * 8) << 64) | (ciphertext.len() as u128 * 8);
    let blocks = aad.chunks(16).chain(ciphertext.chunks(16)).map(padded).chain([lengths]);
    blocks.fold(0, |sum, block| multiply(sum ^ block, hash)) ^ encrypt(key, 1)
}

fn hash_key(key: &[u8; 32]) -> u128 {
    encrypt(key, 0)
}

fn encrypt(key: &[u8; 32], block: u128) -> u128 {
    let mut block: Block<Aes256> = block.to_be_bytes().into();
    Aes256::new(key.into()).encrypt_block(&mut block);
    u128::from_be_bytes(block.into())
}

fn padded(chunk: &[u8]) -> u128 {
    let mut block = [0; 16];
    block[..chunk.len()].copy_from_slice(chunk);
    u128::from_be_bytes(block)
}

/// NIST SP 800-38D, 6.3.
fn multiply(left: u128, right: u128) -> u128 {
    let (mut product, mut shifted) = (0, right);
    for bit in (0..128).rev() {
        if (left >> bit) & 1 == 1 {
            product ^= shifted;
        }
        let carry = if shifted & 1 == 1 { 0xe1 << 120 } else { 0 };
        shifted = (shifted >> 1) ^ carry;
    }
    product
}

/// x to the power of 2¹²⁸ − 2.
fn inverse(value: u128) -> u128 {
    let one = 1 << 127;
    let (mut result, mut square) = (one, value);
    for _ in 1..128 {
        square = multiply(square, square);
        result = multiply(result, square);
    }
    result
}

#[test]
fn an_id_is_read_as_it_is_shown_and_no_other_way() {
    let id = UnitKeyId::from_bytes([0xa0; 16]);
    assert_eq!(id.to_string().parse(), Ok(id));
    for text in ["", "a0", &"a0".repeat(17), &"A0".repeat(16), &"+f".repeat(16), &"zz".repeat(16), &"é".repeat(16)] {
        assert_eq!(text.parse::<UnitKeyId>(), Err(InvalidUnitKeyIdError), "{text}");
    }
}
