use std::path::Path;

use clap::Parser;
use custody_event::Kind;
use custody_gateway::workspace::write_example;
use custody_seal::rest::{Month, ShredUnit};
use custody_types::Timestamp;
use custody_vault::{CacheLimits, Rewrapper, UnitKeys};

use super::*;
use crate::{
    deployment::Vault,
    office::{Office, OfficePlace},
    vault_parts::VaultParts,
};

const NOON: Timestamp = Timestamp::from_micros(1_795_262_400_000_000);

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    command: VaultCommand,
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::new())
}

async fn task(line: &str, data_dir: &Path) -> Result<ExitCode> {
    let words = std::iter::once("vault").chain(line.split_whitespace()).map(str::to_owned);
    let place = ["--data-dir".to_owned(), data_dir.display().to_string()];
    run(Line::try_parse_from(words.chain(place))?.command).await
}

fn unit(tenant: &str) -> ShredUnit {
    ShredUnit { tenant: tenant.parse().unwrap(), person: None, purpose: "quality".parse().unwrap(), month: Month::of(NOON) }
}

async fn filled(data_dir: &Path) -> VaultParts {
    write_example(&data_dir.join("workspace")).unwrap();
    let parts = Vault::in_folder(data_dir).open(&clock()).await.unwrap();
    parts.edge.prepare(NOON).await.unwrap();
    for tenant in ["acme", "other"] {
        parts.units.for_sealing(&unit(tenant)).await.unwrap();
        parts.pseudonyms.for_tenant(&tenant.parse().unwrap()).await.unwrap();
    }
    parts
}

/// As a process that starts now.
async fn all_open(data_dir: &Path) {
    let parts = Vault::in_folder(data_dir).open(&clock()).await.unwrap();
    assert_eq!(parts.edge.opener().await.unwrap().held().count(), 2);
    assert_eq!(parts.pseudonyms.tenants().await.unwrap().len(), 2);
    for tenant in parts.pseudonyms.tenants().await.unwrap() {
        parts.pseudonyms.for_tenant(&tenant).await.unwrap();
    }
    let units = UnitKeys::new(parts.objects, parts.keys, clock(), CacheLimits::default());
    for kept in units.list_all().await.unwrap() {
        units.for_opening(&kept.unit, kept.key).await.unwrap();
    }
}

#[tokio::test]
async fn a_rotation_wraps_anew_what_it_says_and_everything_opens() {
    let folder = tempfile::tempdir().unwrap();
    let parts = filled(folder.path()).await;
    let rewrapper = Rewrapper::new(Arc::clone(&parts.objects), Arc::clone(&parts.keys));
    let before = rewrapper.in_use().await.unwrap();
    for (line, changed) in
        [("rotate --tenant acme", 1), ("rotate --product", 1), ("rotate --all", 3), ("rewrap", 0), ("rewrap --everything", 0)]
    {
        let old = rewrapper.in_use().await.unwrap();
        assert_eq!(task(line, folder.path()).await.unwrap(), ExitCode::SUCCESS, "{line}");
        let new = rewrapper.in_use().await.unwrap();
        assert_eq!(new.keys().filter(|name| !old.contains_key(*name)).count(), changed, "{line}");
        all_open(folder.path()).await;
    }
    assert!(rewrapper.in_use().await.unwrap().keys().all(|name| !before.contains_key(name)));
    assert_eq!(task("status", folder.path()).await.unwrap(), ExitCode::SUCCESS);
}

/// D12: who replaced a key, and when, is evidence.
#[tokio::test]
async fn rotating_and_wrapping_anew_are_events() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    task("rotate --tenant acme", folder.path()).await.unwrap();
    task("rewrap", folder.path()).await.unwrap();
    let office = Office::open(&OfficePlace::in_folder(folder.path()), "a test").await.unwrap();
    let events = office.events().await.unwrap();
    office.close().await;
    let done: Vec<(String, String)> = events
        .iter()
        .map(|event| match &event.kind {
            Kind::Control(fact) => {
                let what = fact.parameters.get("of").or(fact.parameters.get("rewrapped")).unwrap();
                (fact.action.to_string(), what.to_string())
            }
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [("key.rotated", "acme"), ("keys.rewrapped", "2"), ("keys.rewrapped", "0")];
    assert_eq!(done, expected.map(|(action, first)| (action.to_owned(), first.to_owned())));
}

/// What can't be recorded is not done.
#[tokio::test]
async fn where_nothing_can_be_recorded_no_key_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let parts = filled(folder.path()).await;
    let rewrapper = Rewrapper::new(Arc::clone(&parts.objects), Arc::clone(&parts.keys));
    let before = rewrapper.in_use().await.unwrap();
    std::fs::write(folder.path().join("office"), "in the way").unwrap();
    let refused = task("rotate --all", folder.path()).await.unwrap_err();
    assert!(format!("{refused:#}").contains("could not be recorded"), "{refused:#}");
    assert_eq!(rewrapper.in_use().await.unwrap().into_keys().collect::<Vec<_>>(), before.into_keys().collect::<Vec<_>>());
}

#[tokio::test]
async fn what_could_not_be_wrapped_is_an_exit_code_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let parts = filled(folder.path()).await;
    let name = parts.objects.list(&"units".parse().unwrap()).await.unwrap().remove(0);
    parts.objects.put(&name, bytes::Bytes::from_static(b"torn")).await.unwrap();
    assert_eq!(task("rewrap", folder.path()).await.unwrap(), ExitCode::from(3));
}

#[tokio::test]
async fn looking_at_a_vault_makes_none_and_a_lost_key_file_is_not_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let told = task("status", folder.path()).await.unwrap_err().to_string();
    assert!(told.contains("no key file"), "{told}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    filled(folder.path()).await;
    std::fs::remove_file(folder.path().join("vault.key")).unwrap();
    let told = Vault::in_folder(folder.path()).open(&clock()).await.unwrap_err().to_string();
    assert!(told.contains("put it back from its backup"), "{told}");
    assert!(!folder.path().join("vault.key").exists());
}
