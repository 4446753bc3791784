//! Every format that was ever written stays readable. `fixtures/<version>.txt` holds one of each, made once and never edited;
//! a new version, and a format that came later, gets a file of its own (`CUSTODY_WRITE_FIXTURES=1 cargo test -p custody-seal frozen -- --nocapture` prints it).

use std::collections::BTreeMap;

use custody_seal::{
    Part, PseudonymKey, SecretBytes, TextContext,
    edge::{EdgeDay, EdgeOpener, EdgePrivateKey, EdgePublicKey, SegmentSealer},
    rest::{ContentSchema, ShredUnit, UnitKey},
    wrap::{KeyFile, KeyFileWrapper, KeyOwner, PassphraseCost, WrappedKey},
};
use custody_types::SensitiveText;

use crate::support::{NOON, SCHEMA, SeededEntropy, context, hex, ready, terms, unhex, window};

const V1: &str = include_str!("../fixtures/v1.txt");
const V2: &str = include_str!("../fixtures/v2.txt");
const PSEUDONYMS: &str = include_str!("../fixtures/pseudonyms-v1.txt");
const TEXT: &[u8] = "What does the tariff 'Ünïcode' cost? 💶".as_bytes();
const REDACTED: ContentSchema = ContentSchema(0x0101);
const REDACTED_TEXT: &[u8] = b"What does the tariff [WORD] cost?";
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
        let opened = opener.open(&v1["edge_record"], &context(), &terms()).unwrap();
        assert_eq!(opened.text(), &SecretBytes::new(TEXT.to_vec()));
        assert_eq!(opened.commitment().as_bytes().as_slice(), v1["commitment"]);

        let unit_key = ready(UnitKey::unwrap(&wrapper, &unwrapped("unit_key"))).unwrap();
        assert_eq!(unit_key.unit(), &ShredUnit::of(&context(), NOON));
        let at_rest = unit_key.open(&v1["rest_record"], SCHEMA, &context()).unwrap();
        assert_eq!(at_rest.text(), &SecretBytes::new(TEXT.to_vec()));
        assert_eq!(at_rest.commitment(), opened.commitment());
    }
}

/// Every kind of text, of a person and of nobody, in full and redacted.
#[test]
fn what_version_2_wrote_opens_for_every_part() {
    let v2 = read(V2);
    let file = KeyFile::unlock(&v2["key_file_locked"], Some(&passphrase())).unwrap();
    let wrapper = KeyFileWrapper::new(file, Box::new(SeededEntropy::new(1)));
    let edge_key = ready(EdgePrivateKey::unwrap(&wrapper, &WrappedKey::decode(&v2["edge_key"]).unwrap())).unwrap();
    let unit_key = ready(UnitKey::unwrap(&wrapper, &WrappedKey::decode(&v2["unit_key"]).unwrap())).unwrap();
    let nameless_key = ready(UnitKey::unwrap(&wrapper, &WrappedKey::decode(&v2["unit_key_nameless"]).unwrap())).unwrap();
    let mut opener = EdgeOpener::new();
    opener.hold(edge_key);
    for context in contexts() {
        let of = |kind: &str| &v2[format!("{kind}_{}", context.part.as_str()).as_str()];
        let opened = opener.open(of("edge_record"), &context, &terms()).unwrap();
        assert_eq!(opened.text(), &SecretBytes::new(TEXT.to_vec()));
        assert_eq!(opened.commitment().as_bytes().as_slice(), of("commitment"));
        let key = if context.person.is_some() { &unit_key } else { &nameless_key };
        let at_rest = key.open(of("rest_record"), SCHEMA, &context).unwrap();
        assert_eq!((at_rest.text(), at_rest.commitment()), (opened.text(), opened.commitment()));
        let redacted = key.open(of("redacted_record"), REDACTED, &context).unwrap();
        assert_eq!(redacted.text(), &SecretBytes::new(REDACTED_TEXT.to_vec()));
    }
}

/// The same randomness gives the same bytes: a change of format shows here, not in a customer's lake.
#[test]
fn the_current_code_writes_what_its_frozen_fixture_says() {
    let written = write();
    if std::env::var_os("CUSTODY_WRITE_FIXTURES").is_some() {
        println!("{written}");
    }
    assert_eq!(written, V2);
}

/// Each part once; feedback of nobody.
fn contexts() -> [TextContext; 5] {
    Part::ALL.map(|part| {
        let person = context().person.filter(|_| part != Part::Feedback);
        TextContext { part, person, ..context() }
    })
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
    let public = edge_key.public().encode();
    let wrapped_edge_key = ready(edge_key.wrap(&wrapper)).unwrap().encode();
    let mut opener = EdgeOpener::new();
    opener.hold(edge_key);

    let [unit_key, nameless_key] = [context(), TextContext { person: None, ..context() }]
        .map(|context| UnitKey::generate(ShredUnit::of(&context, NOON), &mut entropy).unwrap());
    let wrapped = [&unit_key, &nameless_key].map(|key| ready(key.wrap(&wrapper)).unwrap().encode());
    let mut lines: Vec<(String, Vec<u8>)> = vec![
        ("key_file_locked".to_owned(), locked),
        ("key_file_unlocked".to_owned(), unlocked),
        ("edge_public_key".to_owned(), public),
        ("edge_key".to_owned(), wrapped_edge_key),
        ("unit_key".to_owned(), wrapped[0].clone()),
        ("unit_key_nameless".to_owned(), wrapped[1].clone()),
    ];
    for context in contexts() {
        let sealed = sealer.seal(&context, &terms(), TEXT, NOON).unwrap();
        let opened = opener.open(&sealed.bytes, &context, &terms()).unwrap();
        let key = if context.person.is_some() { &unit_key } else { &nameless_key };
        let redacted = opened.with_text(SecretBytes::new(REDACTED_TEXT.to_vec()));
        let mut line = |kind: &str, bytes: Vec<u8>| lines.push((format!("{kind}_{}", context.part.as_str()), bytes));
        line("commitment", sealed.commitment.as_bytes().to_vec());
        line("edge_record", sealed.bytes);
        line("rest_record", key.seal(SCHEMA, &context, &opened, &mut entropy).unwrap());
        line("redacted_record", key.seal(REDACTED, &context, &redacted, &mut entropy).unwrap());
    }
    lines.iter().map(|(name, bytes)| format!("{name} {}\n", hex(bytes))).collect()
}

/// The letters in redacted text are these numbers: a key from the store gives the same ones for ever.
#[test]
fn a_frozen_pseudonym_key_opens_and_gives_the_numbers_it_gave() {
    let frozen = read(PSEUDONYMS);
    let wrapper = KeyFileWrapper::new(KeyFile::unlock(&read(V1)["key_file_unlocked"], None).unwrap(), Box::new(SeededEntropy::new(1)));
    let key = ready(PseudonymKey::unwrap(&wrapper, &WrappedKey::decode(&frozen["pseudonym_key"]).unwrap())).unwrap();
    assert_eq!(key.tenant(), &context().tenant);
    assert_eq!(numbers(&key), [frozen["of_an_email"].clone(), frozen["of_a_card"].clone(), frozen["of_nothing"].clone()]);
}

#[test]
fn the_current_code_writes_the_frozen_pseudonym_key() {
    let key = PseudonymKey::generate(context().tenant, &mut SeededEntropy::new(2028)).unwrap();
    let file = KeyFile::unlock(&read(V1)["key_file_unlocked"], None).unwrap();
    let wrapper = KeyFileWrapper::new(file, Box::new(SeededEntropy::new(2029)));
    let wrapped = ready(key.wrap(&wrapper)).unwrap().encode();
    let [email, card, nothing] = numbers(&key);
    let lines = [("pseudonym_key", wrapped), ("of_an_email", email), ("of_a_card", card), ("of_nothing", nothing)];
    let written: String = lines.iter().map(|(name, bytes)| format!("{name} {}\n", hex(bytes))).collect();
    if std::env::var_os("CUSTODY_WRITE_FIXTURES").is_some() {
        println!("{written}");
    }
    assert_eq!(written, PSEUDONYMS);
}

fn numbers(key: &PseudonymKey) -> [Vec<u8>; 3] {
    let of = |kind, value| key.pseudonym(kind, value).to_be_bytes().to_vec();
    [of("EMAIL", "anna.muster@example.org"), of("CARD", "4539148803436467"), of("", "")]
}
