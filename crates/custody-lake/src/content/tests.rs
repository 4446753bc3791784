use std::sync::Arc;

use custody_types::{LogPosition, Seq, Timestamp};
use deltalake::logstore::object_store::ObjectStoreExt;
use tokio::sync::watch;
use uuid::Uuid;

use super::*;
use crate::{
    CommitError, ContentStore, DeadLetterStore, EventStore, LakeReader, LakeRoot, LakeTable, Retention, TableStore, Vacuum, has_table,
    store::storage::{Access, log_store},
    testing::{Still, on_folder_and_s3, position, source, tools},
};

on_folder_and_s3!(
    what_was_written_is_read_back,
    a_lake_without_texts_has_none_and_forgets_none,
    a_person_is_forgotten_and_nobody_else,
    an_erasure_lands_a_version_that_older_looks_do_not_pass,
    what_says_only_that_a_text_was_forgotten_is_not_erased,
    what_is_on_hold_stays,
    an_expired_date_is_dropped_without_being_rewritten,
    texts_that_are_appended_meanwhile_survive,
    after_the_vacuum_no_older_version_can_be_read,
);

const DAY: i32 = 20_800;
const TIME: i64 = 1_763_000_000_000_000;

/// A text of a tenant's person; the sealed bytes are as unlike each other as real ones.
fn row(number: u64, tenant: &str, person: Option<&str>) -> ContentRow {
    let id = |kind: u128| Uuid::from_u128(kind << 64 | u128::from(number)).to_string();
    ContentRow {
        content_id: id(1),
        request_id: id(2),
        time: Timestamp::from_micros(TIME + i64::try_from(number).unwrap()),
        tenant: tenant.to_owned(),
        person: person.map(str::to_owned),
        part: "prompt".to_owned(),
        ordinal: 0,
        purpose: "quality-review".to_owned(),
        retention_class: "short".to_owned(),
        expires_on: DAY,
        capability: "support.answer".to_owned(),
        data_class: "confidential".to_owned(),
        handling_rule: "support@3".to_owned(),
        redaction: "default".to_owned(),
        bytes: 11,
        commitment: vec![7; 32],
        state: TextState::Kept,
        reason: None,
        unit_key: Some(format!("{number:032x}")),
        unit_month: Some(24_322),
        sealed: Some(format!("sealed-{number}").into_bytes()),
        redacted_sealed: Some(format!("redacted-{number}").into_bytes()),
        claim: None,
        redactions: Some(r#"{"EMAIL":1}"#.to_owned()),
        log_partition: "content/7".to_owned(),
        position: LogPosition::new(number),
        source: source(),
        seq: Seq::new(number + 1),
    }
}

async fn lake(root: &LakeRoot) -> ContentStore {
    let (clock, ids) = tools(1);
    DeadLetterStore::open(root, clock.clone(), ids.clone()).await.unwrap();
    EventStore::open(root, clock.clone(), ids.clone()).await.unwrap();
    ContentStore::open(root, clock, ids).await.unwrap()
}

async fn append(store: &ContentStore, rows: Vec<ContentRow>) {
    let commit = Uuid::from_u128(u128::from(rows[0].position.get()) | 5 << 100);
    let next = rows[0].position.get() + 1;
    let staged = store.stage(ContentRows(rows)).await.unwrap();
    loop {
        let state = store.snapshot().await.unwrap();
        match store.commit(&state, staged.clone(), &position(next), commit).await {
            Ok(_) => return,
            Err(CommitError::Conflict { .. }) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

async fn forget(root: &LakeRoot, start: u64, scope: &ContentScope, except: &[ContentScope]) -> ForgottenTexts {
    let (_, ids) = tools(start);
    let clock = Arc::new(Still(Timestamp::from_micros(TIME)));
    forget_texts(root, scope, except, clock, ids).await.unwrap()
}

async fn numbers(root: &LakeRoot) -> Vec<u64> {
    let counts = LakeReader::open(root).await.unwrap().content_ids_at(source(), 0..=1_000_000).await.unwrap();
    let mut numbers: Vec<u64> = counts.into_iter().map(|(seq, _)| seq.get() - 1).collect();
    numbers.sort_unstable();
    numbers
}

async fn what_was_written_is_read_back(root: &LakeRoot) {
    let store = lake(root).await;
    let unopened = ContentRow {
        state: TextState::Unopened,
        reason: Some("sealed_key_unknown".to_owned()),
        unit_key: None,
        unit_month: None,
        redacted_sealed: None,
        redactions: None,
        ordinal: 1,
        request_id: row(1, "a", None).request_id,
        ..row(2, "a", None)
    };
    let claimed =
        ContentRow { claim: Some("claims/rest/20800/x".to_owned()), sealed: None, redacted_sealed: None, ..row(3, "b", Some("p")) };
    append(&store, vec![unopened.clone(), claimed.clone(), row(1, "a", Some("p_anna"))]).await;
    let reader = LakeReader::open(root).await.unwrap();
    assert_eq!(reader.texts_of(&unopened.request_id).await.unwrap(), vec![row(1, "a", Some("p_anna")), unopened]);
    assert_eq!(reader.texts_of(&claimed.request_id).await.unwrap(), vec![claimed]);
    assert!(reader.texts_of("00000000-0000-0000-0000-00000000ffff").await.unwrap().is_empty());

    let counts = reader.count_texts(&ContentScope::of_tenant("a"), &[]).await.unwrap();
    assert_eq!((counts.texts, counts.bytes), (2, 22));
    assert_eq!(counts.by_state, [("kept", 1), ("unopened", 1)].into());
    let units = reader.units_of_requests([row(1, "a", None).request_id]).await.unwrap();
    let unit = TextUnit {
        tenant: "a".to_owned(),
        person: Some("p_anna".to_owned()),
        purpose: "quality-review".to_owned(),
        month: 24_322,
        key: format!("{:032x}", 1),
    };
    assert_eq!(units, [unit].into());
}

async fn a_lake_without_texts_has_none_and_forgets_none(root: &LakeRoot) {
    let (clock, ids) = tools(1);
    DeadLetterStore::open(root, clock.clone(), ids.clone()).await.unwrap();
    EventStore::open(root, clock, ids).await.unwrap();
    let reader = LakeReader::open(root).await.unwrap();
    assert!(!has_table(root, LakeTable::Content).await.unwrap());
    assert!(reader.texts_of("x").await.unwrap().is_empty());
    assert_eq!(reader.count_texts(&ContentScope::of_tenant("a"), &[]).await.unwrap(), TextCounts::default());
    assert_eq!(forget(root, 2, &ContentScope::of_tenant("a"), &[]).await, ForgottenTexts::default());
    assert!(!has_table(root, LakeTable::Content).await.unwrap(), "looking made no table");
    // The reader learns of the table that the first text makes.
    append(&lake(root).await, vec![row(1, "a", None)]).await;
    assert_eq!(reader.texts_of(&row(1, "a", None).request_id).await.unwrap().len(), 1);
}

async fn a_person_is_forgotten_and_nobody_else(root: &LakeRoot) {
    let store = lake(root).await;
    append(&store, vec![row(1, "a", Some("anna")), row(2, "a", Some("bob")), row(3, "b", Some("anna")), row(4, "a", None)]).await;
    append(&store, vec![row(5, "a", Some("anna"))]).await;
    append(&store, vec![row(6, "b", Some("carl"))]).await;
    let claimed = ContentRow { claim: Some("claims/rest/1/7".to_owned()), sealed: None, ..row(7, "a", Some("anna")) };
    append(&store, vec![claimed, row(8, "z", None)]).await;

    let until = Timestamp::from_micros(TIME + 5);
    let early = forget(root, 2, &ContentScope::of_person("a", "anna").and_until(until), &[]).await;
    assert_eq!((early.rows, early.files_rewritten, early.files_dropped), (2, 1, 1));
    assert_eq!(numbers(root).await, [2, 3, 4, 6, 7, 8]);
    let all = forget(root, 3, &ContentScope::of_person("a", "anna"), &[]).await;
    assert_eq!((all.rows, all.claims), (1, ["claims/rest/1/7".to_owned()].into()));
    assert_eq!(numbers(root).await, [2, 3, 4, 6, 8]);
    let again = forget(root, 4, &ContentScope::of_person("a", "anna"), &[]).await;
    assert_eq!(again, ForgottenTexts::default(), "a second time there is nothing to do and no version is made");
    assert_eq!(store.snapshot().await.unwrap().transactions.len(), 1, "positions are as they were");
}

/// A commit whose look at keys and tombstones came before an erasure must not land behind it, where nobody looks any more.
async fn an_erasure_lands_a_version_that_older_looks_do_not_pass(root: &LakeRoot) {
    let store = lake(root).await;
    append(&store, vec![row(1, "a", Some("anna"))]).await;
    let (clock, ids) = tools(2);
    let anna = ContentScope::of_person("b", "anna");
    let seen = store.snapshot().await.unwrap();
    let staged = store.stage(ContentRows(vec![row(2, "b", Some("anna"))])).await.unwrap();
    let erased = erase_texts(root, &anna, &[], clock, ids).await.unwrap();
    assert_eq!((erased.rows, erased.version), (0, Some(seen.version + 1)), "there is nothing of the person yet");
    let late = store.commit(&seen, staged, &position(3), Uuid::from_u128(77)).await;
    assert!(matches!(late, Err(CommitError::Conflict { .. })), "{late:?}");
    assert_eq!(numbers(root).await, [1]);
}

async fn what_says_only_that_a_text_was_forgotten_is_not_erased(root: &LakeRoot) {
    let store = lake(root).await;
    let (no_text, state) = (Some("forgotten".to_owned()), TextState::Forgotten);
    let facts = ContentRow {
        state,
        reason: no_text,
        unit_key: None,
        unit_month: None,
        sealed: None,
        redacted_sealed: None,
        ..row(1, "a", Some("anna"))
    };
    append(&store, vec![facts, row(2, "a", Some("anna"))]).await;
    let scope = ContentScope::of_person("a", "anna").and_only_texts();
    assert_eq!(LakeReader::open(root).await.unwrap().count_texts(&scope, &[]).await.unwrap().texts, 1);
    assert_eq!(forget(root, 2, &scope, &[]).await.rows, 1);
    assert_eq!(numbers(root).await, [1]);
    assert_eq!(forget(root, 3, &ContentScope::expired_on(DAY), &[]).await.rows, 1, "it goes on its date");
}

async fn what_is_on_hold_stays(root: &LakeRoot) {
    let store = lake(root).await;
    append(&store, (1..=6).map(|number| row(number, "a", Some(if number % 2 == 0 { "anna" } else { "bob" }))).collect()).await;
    let holds = [ContentScope::of_requests([row(3, "a", None).request_id]), ContentScope::of_person("a", "anna")];
    let expired = forget(root, 2, &ContentScope::expired_on(DAY), &holds).await;
    assert_eq!((expired.rows, expired.held), (2, 4));
    assert_eq!(numbers(root).await, [2, 3, 4, 6]);
    let counts = LakeReader::open(root).await.unwrap().count_texts(&ContentScope::of_tenant("a"), &holds).await.unwrap();
    assert_eq!(counts.texts, 0, "all that is left is on hold");
    let keys = ContentScope::of_unit_keys([format!("{:032x}", 4)]);
    assert_eq!(forget(root, 3, &keys, &holds).await.rows, 0);
    assert_eq!(forget(root, 4, &keys, &[]).await.rows, 1);
}

async fn an_expired_date_is_dropped_without_being_rewritten(root: &LakeRoot) {
    let store = lake(root).await;
    let of_day = |number: u64, day: i32| ContentRow { expires_on: day, ..row(number, "a", None) };
    append(&store, vec![of_day(1, DAY), of_day(2, DAY + 1), of_day(3, DAY + 2)]).await;
    let done = forget(root, 2, &ContentScope::expired_on(DAY + 1), &[]).await;
    assert_eq!((done.rows, done.files_dropped, done.files_rewritten), (2, 2, 0));
    assert_eq!(numbers(root).await, [3]);
}

async fn texts_that_are_appended_meanwhile_survive(root: &LakeRoot) {
    const APPENDS: u64 = 12;
    let store = Arc::new(lake(root).await);
    append(&store, (0..50).map(|number| row(1000 + number, "a", Some("anna"))).collect()).await;
    let ingest = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            for number in 0..APPENDS {
                append(&store, vec![row(2 * number, "a", Some("bob")), row(2 * number + 1, "a", Some("anna"))]).await;
            }
        }
    });
    let mut forgotten = 0;
    for start in 2..5 {
        forgotten += forget(root, start, &ContentScope::of_person("a", "anna"), &[]).await.rows;
    }
    ingest.await.unwrap();
    forgotten += forget(root, 9, &ContentScope::of_person("a", "anna"), &[]).await.rows;
    assert_eq!(numbers(root).await, (0..APPENDS).map(|number| 2 * number).collect::<Vec<_>>());
    assert_eq!(forgotten, 50 + APPENDS, "each is forgotten once");
}

async fn after_the_vacuum_no_older_version_can_be_read(root: &LakeRoot) {
    let store = lake(root).await;
    append(&store, vec![row(1, "a", Some("p_anna")), row(2, "a", Some("p_bob"))]).await;
    let before = store.snapshot().await.unwrap().version;
    let orphan = store.stage(ContentRows(vec![row(9, "a", Some("p_bob"))])).await.unwrap();
    forget(root, 2, &ContentScope::of_person("a", "p_anna"), &[]).await;
    let objects = log_store(root, "content", Access::Read).unwrap().object_store(None);
    let vacuum = Vacuum::open(root, LakeTable::Content, Retention::of_forgotten(), Arc::new(Still(Timestamp::from_micros(TIME))));
    let vacuum = vacuum.await.unwrap();
    let removed = vacuum.plan().await.unwrap();
    assert_eq!(removed.files.len(), 1, "the file that held the person, and no upload under way");
    vacuum.run(|_| (), &watch::channel(false).1).await.unwrap();
    assert!(objects.head(&removed.files[0].path.as_str().into()).await.is_err());
    assert!(objects.head(&orphan.files()[0].path.as_str().into()).await.is_ok());
    assert_eq!(numbers(root).await, [2]);
    // What the log says of the version before: ids, times and tenants, and never the person.
    for version in 0..=before + 1 {
        let path = format!("_delta_log/{version:020}.json");
        let entry = objects.get(&path.as_str().into()).await.unwrap().bytes().await.unwrap();
        let entry = String::from_utf8(entry.to_vec()).unwrap();
        assert!(!entry.contains("p_anna") && !entry.contains("sealed-1"), "{entry}");
        assert_eq!(entry.contains("minValues"), version >= before, "statistics stand in the log");
    }
}

#[test]
fn only_ids_times_and_tenants_have_statistics_or_blooms() {
    let definition = ContentRows::definition();
    for name in definition.with_statistics.iter().chain(definition.with_bloom) {
        assert!(["content_id", "request_id", "time", "tenant"].contains(name), "{name}");
    }
    assert!(definition.may_forget && !LakeTable::Content.is_compacted());
    assert!([LakeTable::Events, LakeTable::DeadLetters].iter().all(|table| !table.definition().may_forget));
}
