use std::{fmt::Write as _, path::Path, process::ExitCode, sync::Arc};

use clap::Parser;
use custody_event::Control;
use custody_gateway::{SystemClock, hash_key_check, pseudonym, workspace::write_example};
use custody_keeper::{
    forgetting::{Evidence, NewEvent},
    hold::HoldScope,
};
use custody_types::{Clock, Text};

use super::{
    evidence::{OfficeEvidence, Questions},
    parts::Keeping,
    *,
};
use crate::{
    deployment::{Deployment, EXAMPLE, Vault},
    hash_key,
    lake::PlaceArgs,
    office::{self, OfficePlace},
};

#[derive(Parser)]
enum Line {
    Hold(HoldArgs),
    Retention(RetentionArgs),
    Erase(EraseArgs),
}

async fn command(data_dir: &Path, line: &str) -> anyhow::Result<ExitCode> {
    let place = ["--data-dir".to_owned(), data_dir.display().to_string()];
    let words = std::iter::once("custody").chain(line.split_whitespace()).map(str::to_owned).chain(place);
    match Line::try_parse_from(words).unwrap() {
        Line::Hold(args) => run_hold(args).await,
        Line::Retention(args) => run_retention(args).await,
        Line::Erase(args) => run_erase(args).await,
    }
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_example(&folder.path().join("workspace")).unwrap();
    folder
}

fn place(data_dir: &Path) -> PlaceArgs {
    PlaceArgs { config: None, data_dir: data_dir.to_path_buf() }
}

#[tokio::test]
async fn looking_at_what_is_kept_makes_no_vault() {
    let folder = folder();
    for line in ["hold list", "retention report", "retention run", "retention run --dry-run", "erase --list"] {
        assert_eq!(command(folder.path(), line).await.unwrap(), ExitCode::SUCCESS, "{line}");
    }
    let refused = command(folder.path(), "erase --tenant acme --reason x --yes").await.unwrap_err();
    assert!(refused.to_string().contains("no text was ever kept"), "{refused:#}");
    let made: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(made, ["workspace"], "no key file, no vault");
}

#[tokio::test]
async fn a_lost_key_file_is_told_and_not_taken_for_a_vault_without_texts() {
    let folder = folder();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    Vault::in_folder(folder.path()).open(&clock).await.unwrap().edge.prepare(clock.now()).await.unwrap();
    std::fs::remove_file(folder.path().join("vault.key")).unwrap();
    let refused = command(folder.path(), "retention report").await.unwrap_err();
    assert!(refused.to_string().contains("put it back from its backup"), "{refused:#}");
}

/// With another key a name would stand for nobody, and what is kept of the person would be neither held nor erased.
#[tokio::test]
async fn a_name_is_held_and_erased_under_the_gateways_key_alone() {
    let folder = folder();
    let data = folder.path();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let vault = Vault::in_folder(data).open(&clock).await.unwrap();
    let (gateways, other) = (data.join("gateways.key"), data.join("hash.key"));
    hash_key::settle(&vault.objects, &gateways).await.unwrap();
    hash_key_check(&other, true).unwrap();
    let (hold, erase) = ("hold add --tenant acme --user erika --reason x", "erase --tenant acme --user erika --reason x");
    for line in [hold, erase] {
        let refused = command(data, line).await.unwrap_err();
        assert!(format!("{refused:#}").contains("is not the one of the vault's other gateways"), "{line}: {refused:#}");
        let mut with_key = line.to_owned();
        write!(with_key, " --hash-key {}", gateways.display()).unwrap();
        match command(data, &with_key).await {
            Ok(_) => assert_eq!(line, hold),
            Err(error) => assert!(line == erase && format!("{error:#}").contains("the lake cannot be read"), "{line}: {error:#}"),
        }
    }
    let holds = Keeping::of(&place(data)).await.unwrap().holds().list().await.unwrap();
    let erika = pseudonym(&gateways, &"acme".parse().unwrap(), "erika").unwrap();
    assert!(matches!(&holds[..], [(_, hold)] if hold.scope == HoldScope::Person { tenant: "acme".parse().unwrap(), person: erika }));
}

fn event() -> NewEvent {
    let control = Control { action: Text::from("retention.expired"), actor: Text::from("custody"), ..Control::default() };
    NewEvent { event_id: "01a1f866-0000-7000-8000-000000000001".to_owned(), time: SystemClock::new().now(), control }
}

/// An instance's folder may be gone with the instance: what only stands there is not recorded yet, and the step is done again.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_the_log_did_not_take_is_not_recorded_yet() {
    let folder = folder();
    let file = folder.path().join("deployment.toml");
    let told = EXAMPLE
        .replace("127.0.0.1:9092", "127.0.0.1:9")
        .replace("/var/lib/custody", &folder.path().display().to_string())
        .replace("grace_seconds = 10", "grace_seconds = 0");
    std::fs::write(&file, told).unwrap();
    let deployment = Deployment::load(&file).unwrap();
    let workspace = custody_gateway::workspace::Workspace::load(&folder.path().join("workspace")).unwrap();
    let evidence =
        |office| OfficeEvidence { office, envelope: office::envelope(&workspace), questions: Questions::Deployment(file.clone()) };
    let of_ingest = evidence(OfficePlace::of_service(&deployment, "ingest"));
    let refused = of_ingest.record(&event()).await.unwrap_err();
    assert!(refused.to_string().contains("the log did not take the event"), "{refused}");
    let again = of_ingest.is_recorded(&event().event_id).await.unwrap_err();
    assert!(again.to_string().contains("the log did not take the event"), "{again}");
    assert!(of_ingest.note(&event()).await.is_ok(), "a hold is in force before its event is anywhere else");
    let up = evidence(OfficePlace::in_folder(folder.path()));
    up.record(&event()).await.unwrap();
    assert!(up.is_recorded(&event().event_id).await.unwrap(), "in a data folder the office journal is the log");
}
