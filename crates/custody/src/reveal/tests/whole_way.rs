//! From a text in the lake to the person who may see it, over the parts of a data folder: workspace, keys, lake, vault, office journal.

use std::{path::Path, sync::Arc, time::Duration};

use custody_gateway::{
    SystemClock, SystemIds,
    workspace::{add_tenant_keys, write_example},
};
use custody_keeper::reveal::{Asker, RevealAnswer};
use custody_lake::{ContentRow, ContentRows, ContentStore, DeadLetterStore, EventStore, LakeRoot, TableStore, TextState};
use custody_policy::PrincipalKind;
use custody_query::QueryOptions;
use custody_seal::{
    OpenedText, TextContext,
    edge::{EdgeDay, EdgeOpener, EdgePrivateKey, EdgeTerms, EdgeWindow, SegmentSealer},
    rest::{ContentSchema, ShredUnit},
};
use custody_types::{Clock, IdSource, JournalId, LogPosition, Seq, Source, Timestamp};
use custody_vault::OsEntropy;

use super::{super::*, REQUEST};
use crate::{deployment::Vault, sql::connect};

const FULL: &str = "canary-51c7: my parcel went to Jane Roe";
pub const LEFT: &str = "canary-51c7: my parcel went to [NAME]";
const RULES: &str = r#"
version = 1
[retention.short]
days = 30
[[rule]]
name = "support-quality"
capture = ["prompt"]
purpose = "quality-review"
retention = "short"
reveal = { groups = ["quality"], second_person = true, per_hour = 5 }
"#;
const PERMIT: &str = r#"
@id("quality.sees_redacted")
permit (principal in Group::"quality", action == Action::"RevealContent", resource)
when { context.redacted && context.secondPerson };
"#;

pub struct Stage {
    folder: tempfile::TempDir,
    pub keys: Vec<SensitiveText>,
}

impl Stage {
    fn data(&self) -> &Path {
        self.folder.path()
    }

    pub async fn counter(&self) -> RevealCounter {
        let place = PlaceArgs { config: None, data_dir: self.data().to_path_buf() };
        let place = RevealPlace::of(&place).unwrap();
        RevealCounter::open(&place, "a test").await.unwrap()
    }

    async fn asker(&self, counter: &RevealCounter, number: usize) -> Box<Asker> {
        match counter.identify(&self.keys[number], "reveal", None).await.unwrap() {
            Identified::Known(asker) => asker,
            Identified::Unknown => panic!("the key was just made"),
        }
    }
}

/// A workspace with a rule and a policy, two people of the group, one outside it, and a kept text.
pub async fn stage() -> Stage {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let workspace = data.join("workspace");
    write_example(&workspace).unwrap();
    std::fs::write(workspace.join("data-handling.toml"), RULES).unwrap();
    let policies = workspace.join("policies/reveals.cedar");
    std::fs::write(&policies, std::fs::read_to_string(&policies).unwrap() + PERMIT).unwrap();
    let key = |name: &str, groups: &[&str]| {
        let groups = groups.iter().map(|group| group.parse().unwrap()).collect();
        let tenants = ["acme".parse().unwrap()];
        let mut issued = add_tenant_keys(&workspace, &tenants, (&name.parse().unwrap(), PrincipalKind::User), &groups).unwrap();
        issued.remove(0).token
    };
    let keys = vec![key("rita", &["quality"]), key("sue", &["quality"]), key("otto", &[])];
    keep_text(data).await;
    Stage { folder, keys }
}

/// As ingest keeps it: both forms sealed under the key of its unit, one row in the table.
async fn keep_text(data: &Path) {
    let (clock, ids): (Arc<dyn Clock>, Arc<dyn IdSource>) = (Arc::new(SystemClock::new()), Arc::new(SystemIds));
    let lake = LakeRoot::folder(data.join("lake"));
    std::fs::create_dir_all(data.join("lake")).unwrap();
    DeadLetterStore::open(&lake, Arc::clone(&clock), Arc::clone(&ids)).await.unwrap();
    EventStore::open(&lake, Arc::clone(&clock), Arc::clone(&ids)).await.unwrap();
    let content = ContentStore::open(&lake, Arc::clone(&clock), Arc::clone(&ids)).await.unwrap();
    let vault = Vault::in_folder(data).open(&clock).await.unwrap();
    let now = clock.now();
    let context = TextContext {
        tenant: "acme".parse().unwrap(),
        person: Some("p-1".parse().unwrap()),
        request: REQUEST.parse().unwrap(),
        part: Part::Prompt,
        ordinal: 0,
        purpose: "quality-review".parse().unwrap(),
        retention: "short".parse().unwrap(),
    };
    let unit = ShredUnit::of(&context, now);
    let key = vault.units.for_sealing(&unit).await.unwrap();
    let (full, left) = (opened(&context, FULL, now), opened(&context, LEFT, now));
    let seal = |schema, opened| Some(key.seal(ContentSchema(schema), &context, opened, &mut OsEntropy).unwrap());
    let row = ContentRow {
        content_id: "019a0000-0000-7000-8000-000000000001".to_owned(),
        request_id: REQUEST.to_owned(),
        time: now,
        tenant: "acme".to_owned(),
        person: Some("p-1".to_owned()),
        part: "prompt".to_owned(),
        ordinal: 0,
        purpose: "quality-review".to_owned(),
        retention_class: "short".to_owned(),
        expires_on: i32::try_from(now.utc_day()).unwrap() + 30,
        capability: "support.answer".to_owned(),
        data_class: "confidential".to_owned(),
        handling_rule: "support-quality@1".to_owned(),
        redaction: "default".to_owned(),
        bytes: i64::try_from(FULL.len()).unwrap(),
        commitment: full.commitment().as_bytes().to_vec(),
        state: TextState::Kept,
        reason: None,
        unit_key: Some(key.id().to_string()),
        unit_month: Some(unit.month.number()),
        sealed: seal(1, &full),
        redacted_sealed: seal(0x0101, &left),
        claim: None,
        redactions: None,
        log_partition: "content/0".to_owned(),
        position: LogPosition::new(0),
        source: Source { journal: JournalId::from_uuid(uuid::Uuid::from_u128(1)), epoch: 1 },
        seq: Seq::new(1),
    };
    let staged = content.stage(ContentRows(vec![row])).await.unwrap();
    let state = content.snapshot().await.unwrap();
    content.commit(&state, staged, &[], uuid::Uuid::from_u128(7)).await.unwrap();
}

fn opened(context: &TextContext, text: &str, now: Timestamp) -> OpenedText {
    let key = EdgePrivateKey::generate(EdgeDay::of(now), &mut OsEntropy).unwrap();
    let window = EdgeWindow::new(Duration::from_secs(3_600), Duration::from_secs(86_400));
    let sealer = SegmentSealer::begin(key.public(), window, &mut OsEntropy).unwrap();
    let sealed = sealer.seal(context, &EdgeTerms::default(), text.as_bytes(), now).unwrap();
    let mut opener = EdgeOpener::new();
    opener.hold(key);
    opener.open(&sealed.bytes, context, &EdgeTerms::default()).unwrap()
}

fn asked(form: Form, approval: Option<&str>) -> Reveal {
    Reveal {
        request: REQUEST.parse().unwrap(),
        part: None,
        form,
        reason: SensitiveText::new("complaint of jane.roe@example.com"),
        approval: approval.map(str::to_owned),
    }
}

async fn accesses(data: &Path) -> Vec<String> {
    let session = connect::open(data).await.unwrap();
    let statement =
        "select concat_ws(' ', principal, action, decision, code, second_person, reason) as line from accesses order by seq, time";
    let mut run = session.query(statement, &QueryOptions::default()).await.unwrap();
    let mut lines = Vec::new();
    while let Some(batch) = run.next_batch().await.unwrap() {
        let mut writer = custody_query::output::ResultWriter::new(custody_query::output::Format::Csv, &run.schema(), Vec::new()).unwrap();
        writer.write(&batch).unwrap();
        let text = String::from_utf8(writer.finish().unwrap()).unwrap();
        lines.extend(text.lines().skip(1).map(|line| line.trim_matches('"').to_owned()));
    }
    lines
}

/// No file holds what was shown, and the table of texts is not one that SQL asks.
async fn assert_sealed(data: &Path) {
    let mut folders = vec![data.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = std::fs::read(&path).unwrap();
                assert!(!bytes.windows(11).any(|window| window == b"canary-51c7"), "{}", path.display());
            }
        }
    }
    let session = connect::open(data).await.unwrap();
    assert!(session.query("select * from content", &QueryOptions::default()).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_text_is_shown_to_whom_rule_policy_and_second_person_let_see_it() {
    let stage = stage().await;
    let counter = stage.counter().await;
    let (rita, sue, otto) = (stage.asker(&counter, 0).await, stage.asker(&counter, 1).await, stage.asker(&counter, 2).await);
    let desk = counter.desk("reveal", &rita, None).await.unwrap();
    let code = |answer: RevealAnswer| match answer {
        RevealAnswer::Denied(denial) => denial.code(),
        other => panic!("{other:?}"),
    };
    assert_eq!(code(desk.reveal(&otto, &asked(Form::Redacted, None)).await.unwrap()), "reveal_not_in_group");
    assert_eq!(code(desk.reveal(&rita, &asked(Form::Full, None)).await.unwrap()), "reveal_not_permitted");
    let RevealAnswer::Pending(waits) = desk.reveal(&rita, &asked(Form::Redacted, None)).await.unwrap() else { panic!("it waits") };
    assert_eq!(desk.pending(&sue).await.unwrap().len(), 1);
    assert_eq!(desk.approve(&sue, &waits.approval_id).await.unwrap(), ApproveAnswer::Done);
    let shown = desk.reveal(&rita, &asked(Form::Redacted, Some(&waits.approval_id))).await.unwrap();
    let json = Shown::answer(shown).json().to_string();
    assert!(json.contains(LEFT) && json.contains("\"closed\":[]"), "{json}");
    let again = desk.reveal(&rita, &asked(Form::Redacted, Some(&waits.approval_id))).await.unwrap();
    assert_eq!(code(again), "reveal_approval_used");
    assert!(matches!(counter.identify(&SensitiveText::new("ck_none_none"), "reveal", None).await.unwrap(), Identified::Unknown));
    counter.close().await;
    let expected = [
        "otto reveal_redacted deny reveal_not_in_group complaint of [EMAIL]",
        "rita reveal deny reveal_not_permitted complaint of [EMAIL]",
        "rita reveal_redacted pending complaint of [EMAIL]",
        "sue approve allow",
        "rita reveal_redacted allow sue complaint of [EMAIL]",
        "rita reveal_redacted deny reveal_approval_used sue complaint of [EMAIL]",
        "unidentified reveal deny invalid_api_key",
    ];
    assert_eq!(accesses(stage.data()).await, expected);
    assert_sealed(stage.data()).await;
}

/// Without its vault nothing is shown, and that somebody asked is recorded all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_is_away_is_an_attempts_end() {
    let stage = stage().await;
    std::fs::write(stage.data().join("vault.key"), b"not a key file").unwrap();
    let counter = stage.counter().await;
    let rita = stage.asker(&counter, 0).await;
    assert!(counter.desk("reveal", &rita, Some(REQUEST.parse().unwrap())).await.is_err());
    counter.close().await;
    assert_eq!(accesses(stage.data()).await, ["rita reveal deny reveal_unavailable"]);
}

/// A text outlives neither its key nor its rule.
#[tokio::test(flavor = "multi_thread")]
async fn a_text_whose_key_is_destroyed_stays_closed() {
    let stage = stage().await;
    let rules = RULES.replace("second_person = true", "second_person = false");
    std::fs::write(stage.data().join("workspace/data-handling.toml"), rules).unwrap();
    let policies = stage.data().join("workspace/policies/reveals.cedar");
    let text = std::fs::read_to_string(&policies).unwrap().replace("context.redacted && context.secondPerson", "true");
    std::fs::write(&policies, text.replace("when { true }", "")).unwrap();
    let counter = stage.counter().await;
    let rita = stage.asker(&counter, 0).await;
    let desk = counter.desk("reveal", &rita, None).await.unwrap();
    let full = Shown::answer(desk.reveal(&rita, &asked(Form::Full, None)).await.unwrap()).json().to_string();
    assert!(full.contains(FULL), "{full}");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let vault = Vault::in_folder(stage.data()).open(&clock).await.unwrap();
    for kept in vault.units.list_all().await.unwrap() {
        assert!(vault.units.destroy(&kept.unit, kept.key).await.unwrap());
    }
    let closed = Shown::answer(desk.reveal(&rita, &asked(Form::Full, None)).await.unwrap()).json().to_string();
    assert!(closed.contains("\"texts\":[]") && closed.contains("unit_key_gone"), "{closed}");
    counter.close().await;
    let told = accesses(stage.data()).await;
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[2].starts_with("rita reveal deny unit_key_gone"), "{told:?}");
}

/// A mistyped folder is told, and nothing is made in it.
#[tokio::test]
async fn where_there_is_no_workspace_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("mistyped");
    let place = RevealPlace::of(&PlaceArgs { config: None, data_dir: data_dir.clone() }).unwrap();
    assert!(RevealCounter::open(&place, "a test").await.is_err());
    assert!(!data_dir.exists());
}
