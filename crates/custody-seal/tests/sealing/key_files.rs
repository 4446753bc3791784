//! The local key file as bytes.

use custody_seal::{
    FormatError, NoEntropyError,
    wrap::{KeyFile, KeyFileError, KeyOwner, PassphraseCost},
};
use custody_types::SensitiveText;
use proptest::prelude::*;

use crate::support::{NOON, SeededEntropy, context};

/// Little, because tests run it thousands of times.
const CHEAP: PassphraseCost = PassphraseCost { memory_kib: 8, passes: 1, lanes: 1 };

fn file() -> KeyFile {
    let mut entropy = SeededEntropy::new(1);
    let mut file = KeyFile::new();
    for owner in [KeyOwner::Product, acme(), acme()] {
        file.add(owner, NOON, &mut entropy).unwrap();
    }
    file
}

fn acme() -> KeyOwner {
    KeyOwner::Tenant(context().tenant)
}

fn passphrase() -> SensitiveText {
    SensitiveText::new("correct horse battery staple")
}

fn locked() -> Vec<u8> {
    file().lock(&passphrase(), CHEAP, &mut SeededEntropy::new(2)).unwrap()
}

fn refusal(bytes: &[u8], passphrase: Option<&SensitiveText>) -> KeyFileError {
    KeyFile::unlock(bytes, passphrase).map(|_| ()).unwrap_err()
}

#[test]
fn a_key_file_comes_back_with_its_keys_in_order() {
    let entropy = || SeededEntropy::new(2);
    let unlocked = KeyFile::unlock(&file().encode_unlocked(&mut entropy()).unwrap(), None).unwrap();
    let opened = KeyFile::unlock(&locked(), Some(&passphrase())).unwrap();
    for read in [unlocked, opened] {
        for owner in [KeyOwner::Product, acme(), KeyOwner::Tenant("globex".parse().unwrap())] {
            assert_eq!(read.names(&owner), file().names(&owner));
            assert!(read.names(&owner).iter().all(|name| read.made(name) == Some(NOON)));
        }
        assert_eq!(read.encode_unlocked(&mut entropy()), file().encode_unlocked(&mut entropy()), "keys and times too");
    }
}

#[test]
fn a_passphrase_is_needed_right_and_in_place() {
    let open = file().encode_unlocked(&mut SeededEntropy::new(2)).unwrap();
    assert_eq!(refusal(&locked(), None), KeyFileError::PassphraseNeeded);
    assert_eq!(refusal(&locked(), Some(&SensitiveText::new("wrong"))), KeyFileError::NotAuthentic);
    assert_eq!(refusal(&open, Some(&passphrase())), KeyFileError::PassphraseNotNeeded);
}

#[test]
fn a_locked_file_shows_no_key_and_is_other_bytes_each_time() {
    let again = file().lock(&passphrase(), CHEAP, &mut SeededEntropy::new(3)).unwrap();
    let same = locked().iter().zip(&again).skip(18).filter(|(one, other)| one == other).count();
    assert!(same < 16, "{same} bytes are equal");
    assert!(!locked().windows(4).any(|window| window == b"acme"));
}

#[test]
fn every_flipped_bit_cut_and_extension_closes_a_key_file() {
    for (bytes, passphrase) in [(locked(), Some(passphrase())), (file().encode_unlocked(&mut SeededEntropy::new(2)).unwrap(), None)] {
        for place in 0..bytes.len() * 8 {
            let mut altered = bytes.clone();
            altered[place / 8] ^= 1 << (place % 8);
            // The cost's high bits ask for more than is allowed or for what is not worth waiting for here.
            if (48..144).contains(&place) && passphrase.is_some() {
                continue;
            }
            assert!(KeyFile::unlock(&altered, passphrase.as_ref()).is_err(), "bit {place}");
        }
        for length in 0..bytes.len() {
            assert_eq!(refusal(&bytes[..length], passphrase.as_ref()), FormatError::Malformed.into(), "{length}");
        }
        assert_eq!(refusal(&[bytes.as_slice(), &[0]].concat(), passphrase.as_ref()), FormatError::Malformed.into());
        let mut future = bytes.clone();
        future[4] = 2;
        assert_eq!(refusal(&future, passphrase.as_ref()), FormatError::Version { found: 2 }.into());
    }
}

/// A forged file can't take the machine's memory or its day, nor weaken what a passphrase costs.
#[test]
fn an_altered_cost_is_refused_or_does_not_open() {
    let with_cost = |place: usize, value: u32| {
        let mut altered = locked();
        altered[place..place + 4].copy_from_slice(&value.to_be_bytes());
        refusal(&altered, Some(&passphrase()))
    };
    for (place, bound) in [(6, 1 << 20), (10, 16), (14, 16)] {
        assert_eq!(with_cost(place, bound + 1), KeyFileError::Cost);
        assert_eq!(with_cost(place, u32::MAX), KeyFileError::Cost);
        assert_eq!(with_cost(place, 0), KeyFileError::Cost);
    }
    assert_eq!(with_cost(6, 16), KeyFileError::NotAuthentic);
    assert_eq!(with_cost(10, 2), KeyFileError::NotAuthentic);
}

#[test]
fn a_cost_out_of_bounds_is_refused_when_locking() {
    let too_much = PassphraseCost { memory_kib: u32::MAX, ..CHEAP };
    assert_eq!(file().lock(&passphrase(), too_much, &mut SeededEntropy::new(2)), Err(KeyFileError::Cost));
}

#[test]
fn randomness_that_repeats_itself_makes_no_second_key() {
    let mut file = KeyFile::new();
    file.add(KeyOwner::Product, NOON, &mut SeededEntropy::new(1)).unwrap();
    assert_eq!(file.add(acme(), NOON, &mut SeededEntropy::new(1)), Err(KeyFileError::NoEntropy(NoEntropyError)));
}

#[test]
fn without_randomness_no_key_is_added_and_no_file_written() {
    struct Nothing;
    impl custody_seal::Entropy for Nothing {
        fn fill(&mut self, _: &mut [u8]) -> Result<(), NoEntropyError> {
            Err(NoEntropyError)
        }
    }
    let mut file = file();
    assert_eq!(file.add(acme(), NOON, &mut Nothing), Err(KeyFileError::NoEntropy(NoEntropyError)));
    assert_eq!(file.names(&acme()).len(), 2);
    assert_eq!(file.encode_unlocked(&mut Nothing), Err(KeyFileError::NoEntropy(NoEntropyError)));
    assert_eq!(file.lock(&passphrase(), CHEAP, &mut Nothing), Err(KeyFileError::NoEntropy(NoEntropyError)));
}

proptest! {
    #[test]
    fn no_bytes_are_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), tail in any::<bool>()) {
        let head: &[u8] = if tail { b"CKEY\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" } else { b"" };
        prop_assert!(KeyFile::unlock(&[head, &bytes].concat(), None).is_err());
    }
}
