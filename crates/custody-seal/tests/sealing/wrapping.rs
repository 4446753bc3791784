//! Wrapped keys: what they are bound to, rotation, and what a forged key store can't do.

use custody_seal::{
    FormatError, PseudonymKey,
    edge::{EdgeDay, EdgePrivateKey},
    rest::{ShredUnit, UnitKey},
    wrap::{KeyFile, KeyFileWrapper, KeyOwner, KeyWrapper, WrapError, WrapSubject, WrappedKey, WrappingKeyName},
};

use crate::support::{NOON, SCHEMA, SeededEntropy, context, ready, sealed_at_rest, unit_key};

fn acme() -> KeyOwner {
    KeyOwner::Tenant(context().tenant)
}

/// Keys of two tenants and of the product.
fn wrapper() -> KeyFileWrapper {
    let mut entropy = SeededEntropy::new(40);
    let mut file = KeyFile::new();
    for owner in [KeyOwner::Product, acme(), KeyOwner::Tenant("globex".parse().unwrap())] {
        file.add(owner, NOON, &mut entropy).unwrap();
    }
    KeyFileWrapper::new(file, Box::new(SeededEntropy::new(41)))
}

fn opens(wrapper: &KeyFileWrapper, wrapped: &WrappedKey, sealed: &[u8]) -> Result<bool, WrapError> {
    ready(UnitKey::unwrap(wrapper, wrapped)).map(|key| key.open(sealed, SCHEMA, &context()).is_ok())
}

#[test]
fn a_unit_key_comes_back_from_the_key_store_and_opens_its_texts() {
    let (wrapper, key) = (wrapper(), unit_key(1));
    let sealed = sealed_at_rest(&key, b"text");
    let stored = ready(key.wrap(&wrapper)).unwrap().encode();
    drop(key);
    assert_eq!(opens(&wrapper, &WrappedKey::decode(&stored).unwrap(), &sealed), Ok(true));
}

#[test]
fn an_edge_key_comes_back_as_the_key_of_its_day() {
    let wrapper = wrapper();
    let key = EdgePrivateKey::generate(EdgeDay::of(NOON), &mut SeededEntropy::new(1)).unwrap();
    let wrapped = ready(key.wrap(&wrapper)).unwrap();
    assert_eq!(ready(EdgePrivateKey::unwrap(&wrapper, &wrapped)).unwrap().public(), key.public());
    assert_eq!(ready(UnitKey::unwrap(&wrapper, &wrapped)).map(|_| ()), Err(WrapError::NotAuthentic), "it is no unit key");
    let unit = ready(unit_key(1).wrap(&wrapper)).unwrap();
    assert_eq!(ready(EdgePrivateKey::unwrap(&wrapper, &unit)).map(|_| ()), Err(WrapError::NotAuthentic));
}

fn pseudonym_key(tenant: &str) -> PseudonymKey {
    PseudonymKey::generate(tenant.parse().unwrap(), &mut SeededEntropy::new(7)).unwrap()
}

#[test]
fn a_pseudonym_key_comes_back_and_makes_the_same_numbers() {
    let (wrapper, key) = (wrapper(), pseudonym_key("acme"));
    let stored = ready(key.wrap(&wrapper)).unwrap().encode();
    let wrapped = WrappedKey::decode(&stored).unwrap();
    assert_eq!(wrapped.encode(), stored);
    assert_eq!(wrapped.context().tenant(), Some(&context().tenant), "the tenant's key wraps it");
    let again = ready(PseudonymKey::unwrap(&wrapper, &wrapped)).unwrap();
    assert_eq!((again.tenant(), again.pseudonym("EMAIL", "a@b.org")), (key.tenant(), key.pseudonym("EMAIL", "a@b.org")));
    assert_eq!(ready(UnitKey::unwrap(&wrapper, &wrapped)).map(|_| ()), Err(WrapError::NotAuthentic), "it is no unit key");
    let unit = ready(unit_key(1).wrap(&wrapper)).unwrap();
    assert_eq!(ready(PseudonymKey::unwrap(&wrapper, &unit)).map(|_| ()), Err(WrapError::NotAuthentic), "nor is a unit key one");
}

/// Two tenants of one wrapping key, as with the default key of KMS: the context alone tells their keys apart.
#[test]
fn a_tenants_pseudonym_key_is_bound_to_the_tenant() {
    let key = pseudonym_key("acme");
    let wrapper = wrapper();
    let wrapped = ready(key.wrap(&wrapper)).unwrap();
    let mut context = wrapped.context().clone();
    context.subject = WrapSubject::Pseudonyms { tenant: "globex".parse().unwrap() };
    let forged = WrappedKey::new(wrapped.wrapping_key().clone(), context.clone(), wrapped.wrapped().to_vec()).unwrap();
    assert_ne!(forged.encode(), wrapped.encode(), "the tenant stands in the bytes");
    assert_eq!(WrappedKey::decode(&forged.encode()).unwrap().context(), &context);
    let bound = |wrapped: &WrappedKey| wrapped.context().encryption_context().into_iter().find(|(name, _)| *name == "custody:bound");
    assert_ne!(bound(&forged), bound(&wrapped), "and in the digest that a key service compares");
    for name in wrapper.file().names(&KeyOwner::Tenant("globex".parse().unwrap())) {
        let forged = WrappedKey::new(name, context.clone(), wrapped.wrapped().to_vec()).unwrap();
        assert_eq!(ready(PseudonymKey::unwrap(&wrapper, &forged)).map(|_| ()), Err(WrapError::NotAuthentic));
    }
    let pairs = wrapped.context().encryption_context();
    assert!(pairs.contains(&("custody:kind", "pseudonyms".to_owned())) && pairs.contains(&("custody:tenant", "acme".to_owned())));
}

#[test]
fn wrapping_one_key_twice_shares_no_bytes_that_tell() {
    let (wrapper, key) = (wrapper(), unit_key(1));
    let [one, other] = [(), ()].map(|()| ready(key.wrap(&wrapper)).unwrap());
    assert_eq!(one.context(), other.context());
    assert!(one.wrapped().iter().zip(other.wrapped()).filter(|(a, b)| a == b).count() < 16);
}

/// B-12: the old key reads, the new one wraps, and once everything is wrapped anew the old one may go. No text is touched.
#[test]
fn rotation_wraps_keys_anew_and_leaves_texts_alone() {
    let (mut wrapper, key) = (wrapper(), unit_key(1));
    let sealed = sealed_at_rest(&key, b"text");
    let old = ready(key.wrap(&wrapper)).unwrap();
    let newest = wrapper.file_mut().add(acme(), NOON, &mut SeededEntropy::new(42)).unwrap();
    assert_eq!(opens(&wrapper, &old, &sealed), Ok(true), "old data stays readable");
    let anew = ready(wrapper.rewrap(&old)).unwrap();
    assert_eq!(anew.wrapping_key(), &newest);
    assert_eq!(anew.context(), old.context());
    assert!(wrapper.file_mut().remove(old.wrapping_key()));
    assert_eq!(opens(&wrapper, &anew, &sealed), Ok(true));
    assert_eq!(opens(&wrapper, &old, &sealed), Err(WrapError::UnknownKey), "a copy of the old key store opens nothing");
}

#[test]
fn a_tenant_without_a_wrapping_key_gets_nothing_wrapped() {
    let wrapper = KeyFileWrapper::new(KeyFile::new(), Box::new(SeededEntropy::new(1)));
    assert_eq!(ready(unit_key(1).wrap(&wrapper)), Err(WrapError::UnknownKey));
}

/// Whoever can write the key store puts a key in another's place, by its context or by the name of the wrapping key.
#[test]
fn a_wrapped_key_in_anothers_place_does_not_open() {
    let wrapper = wrapper();
    let wrapped = ready(unit_key(1).wrap(&wrapper)).unwrap();
    let genuine = ShredUnit::of(&context(), NOON);
    let units = [
        ShredUnit { tenant: "globex".parse().unwrap(), ..genuine.clone() },
        ShredUnit { person: Some("p-2".parse().unwrap()), ..genuine.clone() },
        ShredUnit { person: None, ..genuine.clone() },
        ShredUnit { purpose: "abuse".parse().unwrap(), ..genuine.clone() },
        ShredUnit { month: custody_seal::rest::Month::from_number(0), ..genuine },
    ];
    for unit in units {
        let mut context = wrapped.context().clone();
        context.subject = WrapSubject::Unit(unit);
        let names = wrapper.file().names(&KeyOwner::Tenant(context.tenant().unwrap().clone()));
        let forged = WrappedKey::new(names[0].clone(), context, wrapped.wrapped().to_vec()).unwrap();
        assert_eq!(ready(wrapper.unwrap(&forged)).map(|_| ()), Err(WrapError::NotAuthentic));
    }
    let globex = wrapper.file().names(&KeyOwner::Tenant("globex".parse().unwrap()))[0].clone();
    let forged = WrappedKey::new(globex, wrapped.context().clone(), wrapped.wrapped().to_vec()).unwrap();
    assert_eq!(ready(wrapper.unwrap(&forged)).map(|_| ()), Err(WrapError::UnknownKey), "another tenant's key is not even tried");
}

#[test]
fn every_flipped_bit_of_a_wrapped_key_closes_it() {
    let wrapper = wrapper();
    for wrapped in [ready(unit_key(1).wrap(&wrapper)).unwrap(), ready(pseudonym_key("acme").wrap(&wrapper)).unwrap()] {
        let wrapped = wrapped.encode();
        for place in 0..wrapped.len() * 8 {
            let mut altered = wrapped.clone();
            altered[place / 8] ^= 1 << (place % 8);
            let opened = WrappedKey::decode(&altered).map(|wrapped| ready(wrapper.unwrap(&wrapped)).is_ok());
            assert_ne!(opened, Ok(true), "bit {place}");
        }
    }
}

#[test]
fn cut_extended_and_future_wrapped_keys_are_refused() {
    let wrapped = ready(unit_key(1).wrap(&wrapper())).unwrap();
    let bytes = wrapped.encode();
    assert_eq!(WrappedKey::decode(&bytes), Ok(wrapped));
    for length in 0..bytes.len() {
        assert_eq!(WrappedKey::decode(&bytes[..length]), Err(FormatError::Malformed), "{length}");
    }
    assert_eq!(WrappedKey::decode(&[bytes.as_slice(), &[0]].concat()), Err(FormatError::Malformed));
    let mut future = bytes;
    future[4] = 2;
    assert_eq!(WrappedKey::decode(&future), Err(FormatError::Version { found: 2 }));
}

#[test]
fn names_of_wrapping_keys_are_bounded_and_printable() {
    let arn = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    assert_eq!(arn.parse::<WrappingKeyName>().unwrap().as_str(), arn);
    for bad in ["", "a b", "a\n", "é", &"x".repeat(2_049)] {
        assert!(bad.parse::<WrappingKeyName>().is_err(), "{bad:?}");
    }
}

/// What CloudTrail shows in clear names the tenant and the key, and nothing of a person.
#[test]
fn the_encryption_context_holds_no_pseudonym_and_tells_units_apart() {
    let wrapper = wrapper();
    let context_of = |unit| {
        let key = UnitKey::generate(unit, &mut SeededEntropy::new(1)).unwrap();
        ready(key.wrap(&wrapper)).unwrap().context().encryption_context()
    };
    let genuine = ShredUnit::of(&context(), NOON);
    let pairs = context_of(genuine.clone());
    assert!(pairs.contains(&("custody:tenant", "acme".to_owned())));
    assert!(!format!("{pairs:?}").contains("p-1f3a"));
    assert_ne!(pairs, context_of(ShredUnit { person: None, ..genuine }), "a key service refuses one unit's key as another's");
}
