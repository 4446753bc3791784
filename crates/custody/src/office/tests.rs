use std::path::PathBuf;

use custody_event::Access;
use custody_gateway::workspace::write_example;
use custody_log::{
    LogReader,
    kafka::{KafkaConfig, KafkaReader, KafkaSecurity, TopicAdmin, TopicPlan},
};
use custody_query::QueryOptions;

use super::*;
use crate::{
    sql::connect,
    up::{Pipeline, PipelineConfig},
};

fn access() -> Kind {
    Kind::Access(Access { action: Text::from("reveal"), decision: Text::from("deny"), ..Access::default() })
}

async fn record(place: &OfficePlace, events: usize) {
    let office = Office::open(place, "a test").await.unwrap();
    for _ in 0..events {
        office.record(Envelope { tenant: Text::from("acme"), ..Envelope::default() }, access()).await.unwrap();
    }
    office.close().await;
}

async fn in_sql(data: &Path) -> (usize, usize) {
    let session = connect::open(data).await.unwrap();
    let rows = async |statement: &str| {
        let mut run = session.query(statement, &QueryOptions::default()).await.unwrap();
        let mut rows = 0;
        while let Some(batch) = run.next_batch().await.unwrap() {
            rows += batch.num_rows();
        }
        rows
    };
    let all = rows("select event_id from events where kind = 'access'").await;
    (all, rows("select distinct event_id from events where kind = 'access'").await)
}

fn segments(place: &OfficePlace) -> usize {
    let files = std::fs::read_dir(&place.folder).unwrap();
    files.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "log")).count()
}

async fn up(data: &Path) -> Pipeline {
    let folder = data.join("workspace");
    if !folder.exists() {
        write_example(&folder).unwrap();
    }
    let workspace = Arc::new(Workspace::load(&folder).unwrap());
    let config = PipelineConfig { data_dir: data, flush_age: Duration::from_millis(200), flush_bytes: 1 << 20, journal_bytes: 256 << 20 };
    let (clock, ids): (Arc<dyn Clock>, Arc<dyn IdSource>) = (Arc::new(SystemClock::new()), Arc::new(SystemIds));
    Pipeline::start(&config, None, &workspace, &clock, &ids).await.unwrap()
}

/// A command's events are in SQL at once and once, whether `up` runs, is stopped, or comes later; what is stored is not kept for ever.
#[tokio::test(flavor = "multi_thread")]
async fn events_of_commands_are_in_sql_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let place = OfficePlace::in_folder(data);
    let running = up(data).await;
    for commands in 1..=3 {
        record(&place, 2).await;
        assert_eq!(in_sql(data).await, (2 * commands, 2 * commands));
    }
    running.stop().await.unwrap();
    assert_eq!(in_sql(data).await, (6, 6));
    record(&place, 1).await;
    assert_eq!(in_sql(data).await, (7, 7), "recorded while `up` is stopped");
    up(data).await.stop().await.unwrap();
    assert_eq!(in_sql(data).await, (7, 7));
    let before = segments(&place);
    record(&place, 1).await;
    assert!(segments(&place) < before, "what the lake has is freed: {before} segments before, {} now", segments(&place));
    up(data).await.stop().await.unwrap();
    assert_eq!(in_sql(data).await, (8, 8));
}

#[tokio::test]
async fn a_second_command_waits_and_then_says_who_is_at_work() {
    let folder = tempfile::tempdir().unwrap();
    let place = OfficePlace { patience: Duration::from_millis(200), ..OfficePlace::in_folder(folder.path()) };
    let first = Office::open(&place, "custody erase").await.unwrap();
    let refused = Office::open(&place, "custody reveal").await.err().unwrap();
    let said = format!("{refused:#}");
    assert!(said.contains("`custody erase` (process ") && said.contains("holds the office journal"), "{said}");
    first.close().await;
    Office::open(&place, "custody reveal").await.unwrap().close().await;
}

/// What `up` noted of one journal says nothing about another one in its place.
#[tokio::test]
async fn a_mark_of_another_journal_frees_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let place = OfficePlace::in_folder(folder.path());
    record(&place, 3).await;
    record(&place, 3).await;
    let before = segments(&place);
    let mark: PathBuf = place.folder.join("stored");
    std::fs::write(&mark, "journal/00000000-0000-0000-0000-000000000000 6\n").unwrap();
    record(&place, 1).await;
    assert!(segments(&place) >= before, "nothing was freed");
    std::fs::write(&mark, "journal/not a mark").unwrap();
    record(&place, 1).await;
    assert_eq!(custody_log::JournalReader::open_read_only(&place.folder).unwrap().durable().unwrap().get(), 8);
}

/// Whoever goes on after it must know: the folder may be gone before the log comes back.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_log_did_not_take_is_told_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let away = shipped(folder.path(), ship_to("127.0.0.1:9", "custody.events.v1", Duration::from_millis(300)));
    let office = Office::open(&away, "a test").await.unwrap();
    let event = |id: &str| Event { event_id: Text::from(id), time: SystemClock::new().now(), envelope: Arc::default(), kind: access() };
    office.append(&event("01a1f866-0000-7000-8000-000000000001")).await.unwrap();
    assert!(office.holds("01a1f866-0000-7000-8000-000000000001").await.unwrap());
    assert!(!office.holds("01a1f866-0000-7000-8000-000000000002").await.unwrap());
    assert_eq!(office.close().await, HandedOn::NotAll);
    let again = Office::open(&OfficePlace::in_folder(folder.path()), "a test").await.unwrap();
    assert!(again.holds("01a1f866-0000-7000-8000-000000000001").await.unwrap());
    assert_eq!(again.close().await, HandedOn::Everything, "in a data folder the journal is the log");
}

/// Before anything is destroyed: a folder that cannot be written is told at the start, one that another process has is none's trouble.
#[tokio::test]
async fn a_journal_that_cannot_be_written_is_told_before_it_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let place = OfficePlace { patience: Duration::from_millis(100), ..OfficePlace::in_folder(folder.path()) };
    place.prove("custody ingest").await.unwrap();
    let other = Office::open(&place, "another").await.unwrap();
    place.prove("custody ingest").await.unwrap();
    other.close().await;
    std::fs::write(folder.path().join("file"), "in the way").unwrap();
    let refused = OfficePlace::in_folder(&folder.path().join("file")).prove("custody ingest").await.unwrap_err();
    assert!(format!("{refused:#}").contains("file/office` cannot be made"), "{refused:#}");
}

#[test]
fn a_services_journal_stands_beside_that_of_commands() {
    for folder in ["/var/lib/custody/office", "/var/lib/custody/office/"] {
        assert_eq!(beside(Path::new(folder), "ingest"), Path::new("/var/lib/custody/office-ingest"), "{folder}");
    }
}

fn ship_to(brokers: &str, topic: &str, grace: Duration) -> ShipTo {
    let kafka = KafkaConfig::new(vec![brokers.to_owned()], KafkaSecurity::Plaintext, "custody-test").unwrap();
    ShipTo { kafka, topic: topic.to_owned(), grace }
}

fn shipped(folder: &Path, to: ShipTo) -> OfficePlace {
    OfficePlace { ship_to: Some(to), ..OfficePlace::in_folder(folder) }
}

/// A log that is away keeps no command from ending: what it did not take is kept.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_away_takes_nothing_from_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let place = shipped(folder.path(), ship_to("127.0.0.1:9", "custody.events.v1", Duration::from_millis(300)));
    record(&place, 2).await;
    record(&place, 1).await;
    let mut reader = custody_log::JournalReader::open_read_only(&place.folder).unwrap();
    assert_eq!(reader.read(1 << 20, Duration::ZERO).await.unwrap().len(), 3);
}

/// In a deployment each command's events reach the topic, with what an earlier command could not ship, and the journal forgets them.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka: run by `cargo xtask test`"]
#[expect(clippy::disallowed_methods, reason = "the address comes from `cargo xtask test`")]
async fn commands_ship_what_they_record() {
    let brokers = std::env::var("CUSTODY_TEST_KAFKA").expect("CUSTODY_TEST_KAFKA is not set: run `cargo xtask test`");
    let plan = TopicPlan {
        name: format!("custody-test-office-{}", SystemIds.event_id()),
        partitions: 1,
        replication: 1,
        retention_ms: 3_600_000,
        min_insync_replicas: 1,
        max_message_bytes: 2 << 20,
    };
    let topic = ship_to(&brokers, &plan.name, Duration::from_secs(30));
    let admin = TopicAdmin::open(&topic.kafka).unwrap();
    let differences = admin.plan(&plan).await.unwrap();
    admin.apply(&plan, &differences).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    record(&shipped(folder.path(), ship_to("127.0.0.1:9", &plan.name, Duration::from_millis(300))), 2).await;
    for _ in 0..3 {
        record(&shipped(folder.path(), topic.clone()), 1).await;
    }
    let mut reader = KafkaReader::open(&topic.kafka, &plan.name, 0).unwrap();
    let mut found = Vec::new();
    while found.len() < 5 {
        let records = reader.read(1 << 20, Duration::from_secs(30)).await.unwrap();
        assert!(!records.is_empty(), "{} of 5 records", found.len());
        found.extend(records);
    }
    let places: std::collections::BTreeSet<_> = found.iter().map(|record| (record.source, record.seq)).collect();
    assert_eq!(places.len(), 5);
    assert!(segments(&shipped(folder.path(), topic)) <= 2, "what the log has is freed");
}
