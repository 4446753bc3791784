use super::*;
use crate::test_entropy::{NoEntropy, SeededEntropy};

fn hex<const N: usize>(text: &str) -> [u8; N] {
    let bytes: Vec<u8> = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect();
    bytes.try_into().unwrap()
}

/// RFC 9180, appendix A.7.1: the suite that is used here, from key pairs to exported values, with the sender's side replayed.
#[test]
fn the_suite_gives_the_values_of_the_standard() {
    let info: [u8; 20] = hex("4f6465206f6e2061204772656369616e2055726e");
    let ephemeral = SecretKey::from_bytes(&hex("55bc245ee4efda25d38f2d54d5bb6665291b99f8108a8c4b686c2b14893ea5d9"));
    let recipient = SecretKey::from_bytes(&hex("683ae0da1d22181e74ed2e503ebf82840deb1d5e872cade20f4b458d99783e31"));
    let encapsulated: [u8; 32] = hex("e5e8f9bfff6c2f29791fc351d2c25ce1299aa5eaca78a757c0b4fb4bcd830918");

    let (secret, public) = derive_key_pair(&recipient);
    // The standard prints the key before it is clamped (its first byte is 33); the library hands it out clamped.
    assert_eq!(*secret.expose(), hex("30d196c830a12f9ac65d6e565a590d80f04ee9b19c83c87f2c170d972a812848"));
    assert_eq!(public, hex("194141ca6c3c3beb4792cd97ba0ea1faff09d98435012345766ee33aae2d7664"));
    assert_eq!(public_of(&secret), Some(public));

    let mut once = Once { bytes: ephemeral, used: 0, overdrawn: false };
    let public = Public::from_bytes(&public).unwrap();
    let (sent, sender) =
        setup_sender_with_rng::<ExportOnlyAead, HkdfSha256, X25519HkdfSha256>(&OpModeS::Base, &public, &info, &mut once).unwrap();
    assert_eq!(sent.to_bytes().as_slice(), encapsulated);
    assert_eq!((once.used, once.overdrawn), (32, false), "exactly the 256 bits that were drawn");

    let private = Private::from_bytes(secret.expose()).unwrap();
    let received = Encapsulated::from_bytes(&encapsulated).unwrap();
    let receiver = setup_receiver::<ExportOnlyAead, HkdfSha256, X25519HkdfSha256>(&OpModeR::Base, &private, &received, &info).unwrap();
    let exports: [(&[u8], &str); 3] = [
        (b"", "7a36221bd56d50fb51ee65edfd98d06a23c4dc87085aa5866cb7087244bd2a36"),
        (b"\x00", "d5535b87099c6c3ce80dc112a2671c6ec8e811a2f284f948cec6dd1708ee33f0"),
        (b"TestContext", "ffaabc85a776136ca0c378e5d084c9140ab552b78f039d2e8775f26efff4c70e"),
    ];
    for (context, expected) in exports {
        let (mut by_sender, mut by_receiver) = ([0; 32], [0; 32]);
        sender.export(context, &mut by_sender).unwrap();
        receiver.export(context, &mut by_receiver).unwrap();
        assert_eq!((by_sender, by_receiver), (hex(expected), hex(expected)));
    }
}

#[test]
fn both_sides_find_one_secret_and_another_info_another() {
    let (private, public) = derive_key_pair(&SecretKey::from_bytes(&[7; 32]));
    let (encapsulated, secret) = encapsulate(&public, b"segment", &mut SeededEntropy::new(1)).unwrap();
    assert_eq!(decapsulate(&private, &encapsulated, b"segment"), Ok(SecretKey::from_bytes(secret.expose())));
    assert_ne!(decapsulate(&private, &encapsulated, b"another"), Ok(secret));
}

#[test]
fn a_point_that_gives_everyone_the_same_secret_is_refused_on_both_sides() {
    let (private, _) = derive_key_pair(&SecretKey::from_bytes(&[7; 32]));
    let one = hex("0100000000000000000000000000000000000000000000000000000000000000");
    for low_order in [[0; 32], one] {
        assert_eq!(decapsulate(&private, &low_order, b"segment"), Err(OpenError::NotAuthentic));
        assert_eq!(encapsulate(&low_order, b"segment", &mut SeededEntropy::new(1)), Err(SealError::EdgeKeyUnusable));
    }
}

#[test]
fn without_randomness_nothing_is_encapsulated() {
    let (_, public) = derive_key_pair(&SecretKey::from_bytes(&[7; 32]));
    assert!(matches!(encapsulate(&public, b"segment", &mut NoEntropy), Err(SealError::NoEntropy(_))));
}

#[test]
fn more_randomness_than_was_drawn_is_noticed() {
    let mut once = Once::draw(&mut SeededEntropy::new(1)).unwrap();
    let mut bytes = [1; 33];
    once.try_fill_bytes(&mut bytes).unwrap();
    assert!(once.overdrawn);
    assert_eq!(bytes, [0; 33]);
}
