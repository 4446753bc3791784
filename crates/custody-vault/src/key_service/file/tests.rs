use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
};

use custody_seal::{edge::EdgeDay, wrap::WrapSubject};
use tempfile::TempDir;

use super::*;
use crate::testing::{HandClock, NOON, unit};

fn of_unit(tenant: &str) -> WrapContext {
    WrapContext { key: [7; 16], subject: WrapSubject::Unit(unit(tenant, None)) }
}

fn of_day() -> WrapContext {
    WrapContext { key: [8; 16], subject: WrapSubject::EdgeKey { day: EdgeDay::of(NOON) } }
}

fn secret() -> SecretKey {
    SecretKey::from_bytes(&[9; 32])
}

fn passphrase(text: &str) -> Option<SensitiveText> {
    Some(SensitiveText::new(text))
}

async fn open(folder: &TempDir, passphrase: Option<SensitiveText>) -> Result<FileKeys, VaultError> {
    FileKeys::open(folder.path().join("vault.key"), passphrase, HandClock::at(NOON)).await
}

#[tokio::test]
async fn the_first_start_makes_a_file_that_only_its_owner_may_read() {
    let folder = tempfile::tempdir().unwrap();
    let keys = open(&folder, None).await.unwrap();
    let path = folder.path().join("vault.key");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let wrapped = keys.wrap(&secret(), &of_day()).await.unwrap();
    let again = open(&folder, None).await.unwrap();
    assert_eq!(again.unwrap(&wrapped).await.unwrap(), secret());
    for mode in [0o640, 0o604, 0o660] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let refused = open(&folder, None).await.unwrap_err();
        assert!(matches!(refused, VaultError::KeyFileOpenToOthers { .. }), "{refused:?}");
        assert!(refused.to_string().contains(&format!("permissions {mode:o}")) && refused.to_string().contains("chmod 600"), "{refused}");
    }
}

#[tokio::test]
async fn a_tenants_key_is_made_when_its_first_text_comes_and_is_on_the_disk_before_it_wraps() {
    let folder = tempfile::tempdir().unwrap();
    let keys = open(&folder, None).await.unwrap();
    assert!(keys.tenants().await.unwrap().is_empty());
    let wrapped = keys.wrap(&secret(), &of_unit("acme")).await.unwrap();
    assert_eq!(keys.tenants().await.unwrap(), BTreeSet::from(["acme".parse().unwrap()]));
    assert_eq!(open(&folder, None).await.unwrap().unwrap(&wrapped).await.unwrap(), secret());
    let inode = fs::metadata(folder.path().join("vault.key")).unwrap().ino();
    keys.wrap(&secret(), &of_unit("acme")).await.unwrap();
    assert_eq!(fs::metadata(folder.path().join("vault.key")).unwrap().ino(), inode, "one key a tenant");
}

#[tokio::test]
async fn processes_that_share_a_file_lose_none_of_each_others_keys() {
    let folder = tempfile::tempdir().unwrap();
    let processes = [open(&folder, None).await.unwrap(), open(&folder, None).await.unwrap()];
    let (key, mut wrapped) = (secret(), Vec::new());
    for round in 0..4 {
        let contexts = [of_unit(&format!("a-{round}")), of_unit(&format!("b-{round}"))];
        let (one, other) = tokio::join!(processes[0].wrap(&key, &contexts[0]), processes[1].wrap(&key, &contexts[1]));
        wrapped.extend([one.unwrap(), other.unwrap()]);
    }
    for wrapped in &wrapped {
        for process in &processes {
            assert_eq!(process.unwrap(wrapped).await.unwrap(), secret());
        }
    }
    assert_eq!(processes[0].tenants().await.unwrap().len(), 8);
}

#[tokio::test]
async fn a_rotation_elsewhere_is_seen_before_the_next_key_is_wrapped() {
    let folder = tempfile::tempdir().unwrap();
    let (running, operator) = (open(&folder, None).await.unwrap(), open(&folder, None).await.unwrap());
    let before = running.wrap(&secret(), &of_unit("acme")).await.unwrap();
    let name = operator.rotate(Some(&"acme".parse().unwrap())).await.unwrap();
    let after = running.wrap(&secret(), &of_unit("acme")).await.unwrap();
    assert_eq!(*after.wrapping_key(), name);
    assert!(!running.is_current(&before).await && running.is_current(&after).await);
    assert_eq!(running.unwrap(&before).await.unwrap(), secret(), "what the old key wrapped opens on");
    let anew = running.rewrap(&before).await.unwrap();
    assert_eq!(*anew.wrapping_key(), name);
}

/// What is forgotten with it must not open on, as long as some process runs.
#[tokio::test]
async fn a_wrapping_key_that_was_removed_elsewhere_opens_nothing_here() {
    let folder = tempfile::tempdir().unwrap();
    let (running, operator) = (open(&folder, None).await.unwrap(), open(&folder, None).await.unwrap());
    let wrapped = running.wrap(&secret(), &of_unit("acme")).await.unwrap();
    let acme = "acme".parse().unwrap();
    operator.rotate(Some(&acme)).await.unwrap();
    assert_eq!(running.unwrap(&wrapped).await.unwrap(), secret());
    let in_use = BTreeSet::from([wrapped.wrapping_key().clone()]);
    let ended = operator.end_unused(&acme, &in_use).await.unwrap();
    assert_eq!((ended.removed.len(), ended.still_in_use), (0, vec![wrapped.wrapping_key().clone()]));
    assert_eq!(running.unwrap(&wrapped).await.unwrap(), secret());
    assert_eq!(operator.end_unused(&acme, &BTreeSet::new()).await.unwrap().removed, [wrapped.wrapping_key().clone()]);
    assert_eq!(running.unwrap(&wrapped).await.unwrap_err(), WrapError::UnknownKey);
}

#[tokio::test]
async fn a_passphrase_locks_the_file_and_can_be_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.key");
    let wrapped = open(&folder, passphrase("first")).await.unwrap().wrap(&secret(), &of_day()).await.unwrap();
    for wrong in [None, passphrase("other")] {
        let refused = open(&folder, wrong).await.unwrap_err();
        assert!(matches!(refused, VaultError::KeyFile { .. }) && !refused.to_string().contains("other"), "{refused}");
    }
    assert!(FileKeys::change_passphrase(&path, passphrase("wrong"), passphrase("second")).await.is_err());
    FileKeys::change_passphrase(&path, passphrase("first"), passphrase("second")).await.unwrap();
    assert!(open(&folder, passphrase("first")).await.is_err());
    assert_eq!(open(&folder, passphrase("second")).await.unwrap().unwrap(&wrapped).await.unwrap(), secret());
    FileKeys::change_passphrase(&path, passphrase("second"), None).await.unwrap();
    assert_eq!(open(&folder, None).await.unwrap().unwrap(&wrapped).await.unwrap(), secret());
}

#[tokio::test]
async fn a_change_that_was_cut_off_leaves_the_file_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let wrapped = open(&folder, None).await.unwrap().wrap(&secret(), &of_day()).await.unwrap();
    fs::write(folder.path().join("vault.key.new"), b"half of a").unwrap();
    let keys = open(&folder, None).await.unwrap();
    keys.rotate(None).await.unwrap();
    assert_eq!(keys.unwrap(&wrapped).await.unwrap(), secret());
    assert!(!folder.path().join("vault.key.new").exists());
}

#[tokio::test]
async fn a_file_that_is_gone_or_torn_wraps_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let keys = open(&folder, None).await.unwrap();
    let path = folder.path().join("vault.key");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    assert_eq!(keys.wrap(&secret(), &of_day()).await.unwrap_err(), WrapError::Refused);
    assert!(matches!(open(&folder, None).await, Err(VaultError::KeyFile { .. })), "a torn file is not made anew");
    fs::remove_file(&path).unwrap();
    assert_eq!(keys.wrap(&secret(), &of_day()).await.unwrap_err(), WrapError::Refused);
    assert!(!path.exists(), "no running process makes a file anew that others wrapped with");
    assert_eq!(keys.calls().refused, 2);
}

#[tokio::test]
async fn keys_of_another_owner_do_not_unwrap() {
    let folder = tempfile::tempdir().unwrap();
    let keys = open(&folder, None).await.unwrap();
    let wrapped = keys.wrap(&secret(), &of_unit("acme")).await.unwrap();
    let moved = WrappedKey::new(wrapped.wrapping_key().clone(), of_unit("other"), wrapped.wrapped().to_vec()).unwrap();
    assert_eq!(keys.unwrap(&moved).await.unwrap_err(), WrapError::UnknownKey);
}
