//! Once a key is destroyed, nothing it sealed opens; what it did not seal still does (LOG-21, D5).

use custody_seal::{
    OpenError, TextContext,
    rest::{Month, ShredUnit, UnitKey, UnitKeyId},
    shred::{LegalHold, ShredPlan, ShredScope},
    wrap::{KeyFile, KeyFileWrapper, KeyOwner, WrapError, WrappedKey},
};
use proptest::prelude::*;

use crate::support::{NOON, SCHEMA, SeededEntropy, context, edge, opened, ready, sealed_at_edge, terms};

/// Two persons of one tenant, and a person of the same name at another.
fn contexts() -> [TextContext; 3] {
    let one = context();
    [
        one.clone(),
        TextContext { person: Some("p-2222".parse().unwrap()), ..one.clone() },
        TextContext { tenant: "globex".parse().unwrap(), ..one },
    ]
}

/// A text with its wrapped key: all that the product keeps of it.
struct Kept {
    context: TextContext,
    sealed: Vec<u8>,
    key: Vec<u8>,
}

fn kept(wrapper: &KeyFileWrapper) -> Vec<Kept> {
    let mut entropy = SeededEntropy::new(60);
    let keep = |context: TextContext| {
        let key = UnitKey::generate(ShredUnit::of(&context, NOON), &mut entropy).unwrap();
        let sealed = key.seal(SCHEMA, &context, &opened(b"text"), &mut entropy).unwrap();
        Kept { context, sealed, key: ready(key.wrap(wrapper)).unwrap().encode() }
    };
    contexts().into_iter().map(keep).collect()
}

fn wrapper() -> KeyFileWrapper {
    let mut file = KeyFile::new();
    let mut entropy = SeededEntropy::new(61);
    for tenant in ["acme", "globex"] {
        file.add(KeyOwner::Tenant(tenant.parse().unwrap()), NOON, &mut entropy).unwrap();
    }
    KeyFileWrapper::new(file, Box::new(SeededEntropy::new(62)))
}

/// Whether a text opens with any of the keys that are left.
fn opens(text: &Kept, store: &[&[u8]], wrapper: &KeyFileWrapper) -> bool {
    store.iter().any(|stored| {
        let wrapped = WrappedKey::decode(stored).unwrap();
        let key = ready(UnitKey::unwrap(wrapper, &wrapped));
        key.is_ok_and(|key| key.open(&text.sealed, SCHEMA, &text.context).is_ok())
    })
}

#[test]
fn after_a_unit_key_is_destroyed_its_texts_open_nowhere_and_all_others_do() {
    let wrapper = wrapper();
    let texts = kept(&wrapper);
    let all: Vec<&[u8]> = texts.iter().map(|text| text.key.as_slice()).collect();
    assert!(texts.iter().all(|text| opens(text, &all, &wrapper)));
    let left = &all[1..];
    assert_eq!(texts.iter().map(|text| opens(text, left, &wrapper)).collect::<Vec<_>>(), [false, true, true]);
}

/// A copy of the key store taken before opens again only as long as the wrapping key is there.
#[test]
fn a_copy_of_the_key_store_opens_nothing_once_its_wrapping_key_is_gone() {
    let mut wrapper = wrapper();
    let texts = kept(&wrapper);
    let copy: Vec<&[u8]> = texts.iter().map(|text| text.key.as_slice()).collect();
    let acme = wrapper.file().names(&KeyOwner::Tenant("acme".parse().unwrap()));
    assert!(wrapper.file_mut().remove(&acme[0]));
    assert_eq!(texts.iter().map(|text| opens(text, &copy, &wrapper)).collect::<Vec<_>>(), [false, false, true]);
    let wrapped = WrappedKey::decode(copy[0]).unwrap();
    assert_eq!(ready(UnitKey::unwrap(&wrapper, &wrapped)).map(|_| ()), Err(WrapError::UnknownKey));
}

/// The secrets of segments that were opened before go with the day's key.
#[test]
fn after_an_edge_key_is_destroyed_no_copy_of_the_stream_opens() {
    let (sealer, mut opener) = edge(1);
    let sealed = sealed_at_edge(&sealer, b"text").bytes;
    assert!(opener.open(&sealed, &context(), &terms()).is_ok(), "its segment's secret is kept from here on");
    assert!(opener.destroy(sealer.key()));
    assert!(!opener.destroy(sealer.key()));
    assert_eq!(opener.open(&sealed, &context(), &terms()).map(|_| ()), Err(OpenError::UnknownKey));
    assert_eq!(opener.held().count(), 0);
}

fn unit(tenant: &str, person: Option<&str>, purpose: &str, month: i32) -> ShredUnit {
    ShredUnit {
        tenant: tenant.parse().unwrap(),
        person: person.map(|person| person.parse().unwrap()),
        purpose: purpose.parse().unwrap(),
        month: Month::from_number(month),
    }
}

fn id(number: u8) -> UnitKeyId {
    UnitKeyId::from_bytes([number; 16])
}

fn store() -> Vec<(UnitKeyId, ShredUnit)> {
    vec![
        (id(1), unit("acme", Some("p-1"), "quality", 10)),
        (id(2), unit("acme", Some("p-1"), "quality", 11)),
        (id(3), unit("acme", Some("p-2"), "abuse", 10)),
        (id(4), unit("acme", None, "quality", 10)),
        (id(5), unit("globex", Some("p-1"), "quality", 10)),
    ]
}

fn plan(scope: &ShredScope, holds: &[LegalHold]) -> (Vec<UnitKeyId>, Vec<UnitKeyId>) {
    let store = store();
    let plan = ShredPlan::of(store.iter().map(|(key, unit)| (*key, unit)), scope, holds);
    assert_eq!(plan.destroy.len() + plan.held.len() + plan.kept.len(), store.len());
    (plan.destroy, plan.held)
}

#[test]
fn a_plan_destroys_what_its_scope_covers_and_nothing_else() {
    let (acme, person) = ("acme".parse().unwrap(), "p-1".parse().unwrap());
    let expired =
        ShredScope::Expired { tenant: "acme".parse().unwrap(), purpose: "quality".parse().unwrap(), before: Month::from_number(11) };
    assert_eq!(plan(&ShredScope::Person(acme, person), &[]).0, [id(1), id(2)]);
    assert_eq!(plan(&ShredScope::Tenant("acme".parse().unwrap()), &[]).0, [id(1), id(2), id(3), id(4)]);
    assert_eq!(plan(&expired, &[]).0, [id(1), id(4)]);
}

#[test]
fn a_legal_hold_stops_erasure_and_expiry() {
    let scope = ShredScope::Tenant("acme".parse().unwrap());
    let person = LegalHold::Person("acme".parse().unwrap(), "p-1".parse().unwrap());
    assert_eq!(plan(&scope, &[person]), (vec![id(3), id(4)], vec![id(1), id(2)]));
    assert_eq!(plan(&scope, &[LegalHold::Unit(id(4))]), (vec![id(1), id(2), id(3)], vec![id(4)]));
    assert_eq!(plan(&scope, &[LegalHold::Tenant("acme".parse().unwrap())]).0, []);
    assert_eq!(plan(&scope, &[LegalHold::Tenant("globex".parse().unwrap())]).1, [], "another tenant's hold holds nothing here");
}

proptest! {
    /// A hold never makes a plan destroy more.
    #[test]
    fn more_holds_never_destroy_more(held in proptest::collection::vec(1_u8..6, 0..5)) {
        let holds: Vec<_> = held.iter().map(|number| LegalHold::Unit(id(*number))).collect();
        let scope = ShredScope::Tenant("acme".parse().unwrap());
        let (without, with) = (plan(&scope, &[]).0, plan(&scope, &holds).0);
        prop_assert!(with.iter().all(|key| without.contains(key) && !held.iter().any(|number| id(*number) == *key)));
    }
}
