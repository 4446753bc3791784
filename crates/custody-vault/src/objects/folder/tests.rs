use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    time::{Duration, SystemTime},
};

use super::*;
use crate::objects::conformance;

async fn open(folder: &Path) -> FolderObjects {
    FolderObjects::open(folder.join("vault")).await.unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_is_a_store() {
    let folder = tempfile::tempdir().unwrap();
    conformance::holds_for(&open(folder.path()).await).await;
}

#[tokio::test]
async fn only_the_owner_may_look() {
    let folder = tempfile::tempdir().unwrap();
    let objects = open(folder.path()).await;
    objects.put(&"units/acme/x.key".parse().unwrap(), Bytes::from_static(b"x")).await.unwrap();
    let root = folder.path().join("vault");
    for inside in ["", "units", "units/acme"] {
        assert_eq!(mode(&root.join(inside)), 0o700, "{inside}");
    }
    assert_eq!(mode(&root.join("units/acme/x.key")), 0o600);
    fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).unwrap();
    open(folder.path()).await;
    assert_eq!(mode(&root), 0o700, "opening closes a folder that others could look into");
}

#[tokio::test]
async fn what_a_cut_off_put_left_is_not_shown_and_goes_once_it_is_old() {
    let folder = tempfile::tempdir().unwrap();
    let objects = open(folder.path()).await;
    objects.put(&"edge/1.key".parse().unwrap(), Bytes::from_static(b"whole")).await.unwrap();
    let (young, old) = (folder.path().join("vault/edge/.tmp-young"), folder.path().join("vault/edge/.tmp-old"));
    for torn in [&young, &old] {
        fs::write(torn, b"ha").unwrap();
    }
    let yesterday = SystemTime::UNIX_EPOCH + Duration::from_secs(86_400);
    fs::File::options().write(true).open(&old).unwrap().set_modified(yesterday).unwrap();
    let objects = open(folder.path()).await;
    assert_eq!(objects.list(&"edge".parse().unwrap()).await.unwrap().len(), 1);
    assert!(young.exists(), "it may be under way in another process");
    assert!(!old.exists());
}

#[tokio::test]
async fn no_folder_keeps_the_name_of_who_was_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let objects = open(folder.path()).await;
    let name = "units/acme/p-1/quality/24322/x.key".parse().unwrap();
    objects.put(&name, Bytes::from_static(b"x")).await.unwrap();
    objects.put(&"units/other/y.key".parse().unwrap(), Bytes::from_static(b"y")).await.unwrap();
    objects.delete(&name).await.unwrap();
    assert!(!folder.path().join("vault/units/acme").exists());
    assert!(folder.path().join("vault/units/other/y.key").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_put_into_a_folder_that_a_deletion_takes_away_succeeds() {
    let folder = tempfile::tempdir().unwrap();
    let objects = open(folder.path()).await;
    for round in 0..100 {
        let (gone, new) = ("race/a/gone".parse().unwrap(), format!("race/a/{round}").parse().unwrap());
        objects.put(&gone, Bytes::from_static(b"x")).await.unwrap();
        let (deleted, put) = tokio::join!(objects.delete(&gone), objects.put(&new, Bytes::from_static(b"y")));
        deleted.unwrap();
        put.unwrap();
        assert!(objects.get(&new).await.unwrap().is_some());
        objects.delete(&new).await.unwrap();
    }
}

#[tokio::test]
async fn a_link_leads_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let objects = open(folder.path()).await;
    fs::create_dir(folder.path().join("elsewhere")).unwrap();
    fs::write(folder.path().join("elsewhere/secret"), b"x").unwrap();
    std::os::unix::fs::symlink(folder.path().join("elsewhere"), folder.path().join("vault/units")).unwrap();
    let listed = objects.list(&"edge".parse().unwrap()).await.unwrap();
    assert!(listed.is_empty());
    fs::create_dir(folder.path().join("vault/parked")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("elsewhere"), folder.path().join("vault/parked/1")).unwrap();
    assert!(objects.list(&"parked".parse().unwrap()).await.unwrap().is_empty(), "links are not listed");
}
