//! The real store, keys and seals in a folder: what opens, and what does not.

use custody_seal::rest::{ContentSchema, ShredUnit};
use custody_vault::{CacheLimits, Claims, Documents, KeyService, Objects, Tombstone, Tombstones, UnitKeys, VaultRoot};

use super::{super::vault::Opening, *};
use crate::hold::{Hold, HoldScope};

struct Vault {
    _folder: tempfile::TempDir,
    objects: Arc<dyn Objects>,
    units: Arc<UnitKeys>,
    opening: Opening,
    text: KeptText,
    sealed_full: Vec<u8>,
    permit: Permit,
}

const LEFT: &str = "[NAME]'s parcel is late";

/// A text in its row, sealed as ingest seals it.
async fn vault() -> Vault {
    let folder = tempfile::tempdir().unwrap();
    let objects = custody_vault::open_objects(&VaultRoot::folder(folder.path().join("vault"))).await.unwrap();
    let world = World::new();
    let clock = Arc::clone(&world) as Arc<dyn Clock>;
    let service = KeyService::File { path: folder.path().join("vault.key"), passphrase: None };
    let wrapper = custody_vault::open_wrapper(&service, Arc::clone(&clock)).await.unwrap();
    let units = Arc::new(UnitKeys::new(Arc::clone(&objects), wrapper, clock, CacheLimits::default()));
    let mut text = kept(1, Part::Prompt);
    let unit = ShredUnit::of(&text.context, text.made_at);
    let key = units.for_sealing(&unit).await.unwrap();
    let (full, redacted) = (opened(&text.context, TEXT), opened(&text.context, LEFT));
    let seal = |schema, opened| key.seal(ContentSchema(schema), &text.context, opened, &mut OsEntropy).unwrap();
    let (sealed_full, sealed_redacted) = (seal(1, &full), seal(0x0101, &redacted));
    text.commitment = full.commitment().as_bytes().to_vec();
    (text.unit_key, text.unit_month) = (Some(key.id()), Some(unit.month));
    text.sealed = SealedForms { full: Some(sealed_full.clone()), redacted: Some(sealed_redacted), claim: None };
    let opening = Opening::new(&objects, Arc::clone(&units));
    let attempt = super::super::access::Attempt::to_agree(&world.desk(), &person("rita", &[]), "reveal", "");
    let permit = attempt.allow(&world.desk()).await.unwrap();
    Vault { _folder: folder, objects, units, opening, text, sealed_full, permit }
}

impl Vault {
    async fn open(&self, text: &KeptText, form: Form) -> Result<String, &'static str> {
        let opened = self.opening.open(&self.permit, text, form).await.map_err(|error| error.code)?;
        Ok(String::from_utf8(opened.text().expose().to_vec()).unwrap())
    }
}

#[tokio::test]
async fn a_kept_text_opens_in_both_forms() {
    let vault = vault().await;
    assert_eq!(vault.open(&vault.text, Form::Full).await.as_deref(), Ok(TEXT));
    assert_eq!(vault.open(&vault.text, Form::Redacted).await.as_deref(), Ok(LEFT));
}

#[tokio::test]
async fn a_large_text_opens_from_its_claim() {
    let vault = vault().await;
    let claims = Claims::new(Arc::clone(&vault.objects));
    let SealedForms { full, redacted, .. } = vault.text.sealed.clone();
    let (_, key) = vault.text.unit().unwrap();
    let day = i32::try_from(vault.text.expires_on).unwrap();
    let claim = claims.put_rest(day, &vault.text.content_id, key, full.unwrap().into()).await.unwrap();
    claims.put_rest_redacted(day, &vault.text.content_id, key, redacted.unwrap().into()).await.unwrap();
    let sealed = SealedForms { full: None, redacted: None, claim: Some(claim.to_string()) };
    let text = KeptText { sealed, ..vault.text.clone() };
    assert_eq!(vault.open(&text, Form::Full).await.as_deref(), Ok(TEXT));
    assert_eq!(vault.open(&text, Form::Redacted).await.as_deref(), Ok(LEFT));
    claims.delete(claim.as_str()).await.unwrap();
    assert_eq!(vault.open(&text, Form::Full).await, Err("reveal_claim_gone"));
    let elsewhere = SealedForms { claim: Some("units/acme/_/quality/1/1.key".to_owned()), ..SealedForms::default() };
    assert_eq!(vault.open(&KeptText { sealed: elsewhere, ..vault.text.clone() }, Form::Full).await, Err("vault_name_invalid"));
}

/// Once the key is destroyed nothing opens, also what is in this process's memory.
#[tokio::test]
async fn without_its_key_a_text_stays_closed() {
    let vault = vault().await;
    assert!(vault.open(&vault.text, Form::Full).await.is_ok());
    let (unit, key) = vault.text.unit().unwrap();
    assert!(vault.units.destroy(&unit, key).await.unwrap());
    for form in [Form::Full, Form::Redacted] {
        assert_eq!(vault.open(&vault.text, form).await, Err("unit_key_gone"));
    }
}

/// A row that was altered, or a text in the place of another, does not open.
#[tokio::test]
async fn a_text_opens_in_its_own_row_only() {
    let vault = vault().await;
    let with = |change: fn(&mut KeptText)| {
        let mut text = vault.text.clone();
        change(&mut text);
        text
    };
    let altered: [(&str, KeptText, &str); 7] = [
        ("another part", with(|text| text.context.part = Part::Response), "sealed_not_authentic"),
        ("another ordinal", with(|text| text.context.ordinal = 1), "sealed_not_authentic"),
        ("another retention class", with(|text| text.context.retention = "long".parse().unwrap()), "sealed_not_authentic"),
        ("another tenant", with(|text| text.context.tenant = "globex".parse().unwrap()), "unit_key_gone"),
        ("another person", with(|text| text.context.person = None), "unit_key_gone"),
        ("another commitment", with(|text| text.commitment = vec![1; 32]), "reveal_text_not_as_recorded"),
        ("the redacted text in the full one's place", with(|text| text.sealed.full = text.sealed.redacted.clone()), "sealed_not_authentic"),
    ];
    for (what, text, code) in altered {
        assert_eq!(vault.open(&text, Form::Full).await, Err(code), "{what}");
    }
    for at in [0, vault.sealed_full.len() / 2, vault.sealed_full.len() - 1] {
        let mut text = vault.text.clone();
        let mut sealed = vault.sealed_full.clone();
        sealed[at] ^= 1;
        text.sealed.full = Some(sealed);
        assert!(vault.open(&text, Form::Full).await.is_err(), "byte {at}");
    }
}

#[tokio::test]
async fn tombstones_and_holds_are_seen() {
    let vault = vault().await;
    let (tenant, person) = (vault.text.tenant().clone(), vault.text.person().cloned());
    let tombstones = Tombstones::new(Arc::clone(&vault.objects));
    assert!(!vault.opening.is_forgotten(&vault.text).await.unwrap());
    let before = Timestamp::from_micros(vault.text.made_at.micros() - 1);
    tombstones.put(&Tombstone::new(tenant.clone(), person.clone(), before)).await.unwrap();
    assert!(!vault.opening.is_forgotten(&vault.text).await.unwrap(), "made after what was forgotten");
    tombstones.put(&Tombstone::new(tenant.clone(), person.clone(), vault.text.made_at)).await.unwrap();
    assert!(vault.opening.is_forgotten(&vault.text).await.unwrap());
    let of_no_person = {
        let mut text = vault.text.clone();
        text.context.person = None;
        text
    };
    assert!(!vault.opening.is_forgotten(&of_no_person).await.unwrap());
    tombstones.put(&Tombstone::new(tenant.clone(), None, vault.text.made_at)).await.unwrap();
    assert!(vault.opening.is_forgotten(&of_no_person).await.unwrap(), "all of the tenant");

    let holds = Documents::<Hold>::new(Arc::clone(&vault.objects));
    let now = Timestamp::from_micros(NOON);
    let other = HoldScope::Requests { requests: vec![custody_types::RequestId::from_uuid(uuid::Uuid::from_u128(9))] };
    holds.put_new("other", &Hold::new("other".into(), other, "case".into(), now)).await.unwrap();
    assert!(!vault.opening.is_held(&vault.text).await.unwrap());
    for scope in [
        HoldScope::Tenant { tenant: tenant.clone() },
        HoldScope::Person { tenant: tenant.clone(), person: person.unwrap() },
        HoldScope::Requests { requests: vec![vault.text.request()] },
    ] {
        let hold = Hold::new("hold".into(), scope, "case".into(), now);
        holds.put("one", &hold).await.unwrap();
        assert!(vault.opening.is_held(&vault.text).await.unwrap());
        holds.put("one", &hold.released("lea".into(), now)).await.unwrap();
        assert!(!vault.opening.is_held(&vault.text).await.unwrap());
    }
}

/// A hold stops an erasure: what it kept is there for the case that it was placed for, and goes on being erased once it is released.
#[tokio::test]
async fn a_text_that_a_hold_kept_from_an_erasure_is_not_forgotten_while_the_hold_is_in_force() {
    let vault = vault().await;
    let erased_at = Timestamp::from_micros(vault.text.made_at.micros() + 10);
    let scope = HoldScope::Requests { requests: vec![vault.text.request()] };
    let hold = |placed_at: i64| Hold::new("hold".into(), scope.clone(), "case".into(), Timestamp::from_micros(placed_at));
    let holds = Documents::<Hold>::new(Arc::clone(&vault.objects));
    let tombstone = Tombstone::new(vault.text.tenant().clone(), vault.text.person().cloned(), erased_at);
    Tombstones::new(Arc::clone(&vault.objects)).put(&tombstone).await.unwrap();
    for (what, hold, is_forgotten) in [
        ("placed before the erasure", hold(erased_at.micros() - 1), false),
        ("placed after it", hold(erased_at.micros() + 1), true),
        ("released", hold(erased_at.micros() - 1).released("closed".into(), erased_at), true),
    ] {
        holds.put("one", &hold).await.unwrap();
        assert_eq!(vault.opening.is_forgotten(&vault.text).await.unwrap(), is_forgotten, "{what}");
    }
}
