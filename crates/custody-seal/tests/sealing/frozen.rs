//! Every format that was ever written stays readable. `fixtures/<version>.txt` holds one of each, made once and never edited;
//! a new version gets a file of its own (`CUSTODY_WRITE_FIXTURES=1 cargo test -p custody-seal frozen -- --nocapture` prints it).

use std::collections::BTreeMap;

use custody_seal::{
    SecretBytes,
    edge::{EdgeDay, EdgeOpener, EdgePrivateKey, EdgePublicKey, SegmentSealer},
    rest::{ShredUnit, UnitKey},
    wrap::{KeyFile, KeyFileWrapper, KeyOwner, PassphraseCost, WrappedKey},
};
use custody_types::SensitiveText;

use crate::support::{NOON, SCHEMA, SeededEntropy, context, hex, ready, unhex, window};

const V1: &str = include_str!("../fixtures/v1.txt");
const TEXT: &[u8] = "What does the tariff 'Ünïcode' cost? 💶".as_bytes();
const COST: PassphraseCost = PassphraseCost { memory_kib: 64, passes: 2, lanes: 2 };

fn passphrase() -> SensitiveText {
    SensitiveText::new("a frozen passphrase")
}

fn read(fixture: &str) -> BTreeMap<&str, Vec<u8>> {
    fixture.lines().map(|line| line.split_once(' ').unwrap()).map(|(name, bytes)| (name, unhex(bytes))).collect()
}

/// From the passphrase down to both texts, with nothing but the fixture's bytes.
#[test]
fn what_version_1_wrote_opens_from_the_passphrase_down() {
    let v1 = read(V1);
    for (file, passphrase) in [("key_file_locked", Some(passphrase())), ("key_file_unlocked", None)] {
        let file = KeyFile::unlock(&v1[file], passphrase.as_ref()).unwrap();
        let wrapper = KeyFileWrapper::new(file, Box::new(SeededEntropy::new(1)));
        let unwrapped = |name: &str| WrappedKey::decode(&v1[name]).unwrap();

        let edge_key = ready(EdgePrivateKey::unwrap(&wrapper, &unwrapped("edge_key"))).unwrap();
        assert_eq!(edge_key.public(), &EdgePublicKey::decode(&v1["edge_public_key"]).unwrap());
        let mut opener = EdgeOpener::new();
        opener.hold(edge_key);
        let opened = opener.open(&v1["edge_record"], &context()).unwrap();
        assert_eq!(opened.text(), &SecretBytes::new(TEXT.to_vec()));
        assert_eq!(opened.commitment().as_bytes().as_slice(), v1["commitment"]);

        let unit_key = ready(UnitKey::unwrap(&wrapper, &unwrapped("unit_key"))).unwrap();
        assert_eq!(unit_key.unit(), &ShredUnit::of(&context(), NOON));
        let at_rest = unit_key.open(&v1["rest_record"], SCHEMA, &context()).unwrap();
        assert_eq!(at_rest.text(), &SecretBytes::new(TEXT.to_vec()));
        assert_eq!(at_rest.commitment(), opened.commitment());
    }
}

/// The same randomness gives the same bytes: a change of format shows here, not in a customer's lake.
#[test]
fn the_current_code_writes_what_its_frozen_fixture_says() {
    let written = write();
    if std::env::var_os("CUSTODY_WRITE_FIXTURES").is_some() {
        println!("{written}");
    }
    assert_eq!(written, V1);
}

fn write() -> String {
    let mut entropy = SeededEntropy::new(2026);
    let mut file = KeyFile::new();
    file.add(KeyOwner::Product, NOON, &mut entropy).unwrap();
    file.add(KeyOwner::Tenant(context().tenant), NOON, &mut entropy).unwrap();
    let locked = file.lock(&passphrase(), COST, &mut entropy).unwrap();
    let unlocked = file.encode_unlocked(&mut entropy).unwrap();
    let wrapper = KeyFileWrapper::new(file, Box::new(SeededEntropy::new(2027)));

    let edge_key = EdgePrivateKey::generate(EdgeDay::of(NOON), &mut entropy).unwrap();
    let sealer = SegmentSealer::begin(edge_key.public(), window(), &mut entropy).unwrap();
    let sealed = sealer.seal(&context(), TEXT, NOON).unwrap();
    let public = edge_key.public().encode();
    let wrapped_edge_key = ready(edge_key.wrap(&wrapper)).unwrap().encode();
    let mut opener = EdgeOpener::new();
    opener.hold(edge_key);
    let opened = opener.open(&sealed.bytes, &context()).unwrap();

    let unit_key = UnitKey::generate(ShredUnit::of(&context(), NOON), &mut entropy).unwrap();
    let at_rest = unit_key.seal(SCHEMA, &context(), &opened, &mut entropy).unwrap();
    let wrapped_unit_key = ready(unit_key.wrap(&wrapper)).unwrap().encode();
    let lines: [(&str, &[u8]); 8] = [
        ("key_file_locked", &locked),
        ("key_file_unlocked", &unlocked),
        ("edge_public_key", &public),
        ("edge_key", &wrapped_edge_key),
        ("edge_record", &sealed.bytes),
        ("commitment", sealed.commitment.as_bytes()),
        ("unit_key", &wrapped_unit_key),
        ("rest_record", &at_rest),
    ];
    lines.iter().map(|(name, bytes)| format!("{name} {}\n", hex(bytes))).collect()
}
