//! Queries over a real Delta table in a folder.

use std::{path::Path, sync::Arc};

use custody_lake::{DeadLetterRows, DeadLetterStore, DeltaStore, EventStore, LakeRows, TableStore, decode};
use custody_types::{Clock, EventId, IdSource, LogRecord, RequestId, Timestamp};
use uuid::Uuid;

use crate::{
    Follower, FollowerConfig, LakeTables, LiveLake, Parameters, QueryConfig, QueryEngine, QueryOptions, SqlSession,
    golden::table,
    test_lake::{PARTITION, TestLog, example, record, request_id},
};

pub struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_795_168_800_000_000)
    }

    fn monotonic_micros(&self) -> u64 {
        0
    }
}

impl IdSource for Fixed {
    fn request_id(&self) -> RequestId {
        RequestId::from_uuid(Uuid::nil())
    }

    fn event_id(&self) -> EventId {
        EventId::from_uuid(fresh())
    }
}

#[expect(clippy::disallowed_methods, reason = "file names of a test's own folder")]
fn fresh() -> Uuid {
    Uuid::new_v4()
}

/// Stores the example's records below `up_to`, a commit for every `batch` of them.
async fn store(folder: &Path, up_to: usize, batch: usize) {
    let events = EventStore::open(folder, Arc::new(Fixed), Arc::new(Fixed)).await.unwrap();
    DeadLetterStore::open(folder, Arc::new(Fixed), Arc::new(Fixed)).await.unwrap();
    for records in example()[..up_to].chunks(batch) {
        append(&events, decode(PARTITION, records).rows, records).await;
    }
}

/// Commits what the records became, with the place after them.
pub async fn append<R: LakeRows>(table: &DeltaStore<R>, rows: R, records: &[LogRecord]) {
    let state = table.snapshot().await.unwrap();
    let staged = table.stage(rows).await.unwrap();
    let end = records.last().unwrap().position.next().get();
    let position = (format!("custody/position/{PARTITION}"), i64::try_from(end).unwrap());
    table.commit(&state, staged, &[position], fresh()).await.unwrap();
}

async fn session(folder: &Path) -> SqlSession {
    session_over(folder, example()).await
}

pub async fn session_over(folder: &Path, records: Vec<LogRecord>) -> SqlSession {
    let reader = custody_lake::LakeReader::open(folder).await.unwrap();
    let follower = Follower::new(TestLog::of(records).reader(7), FollowerConfig::default());
    let live = LiveLake::new(Arc::new(LakeTables::new(reader)), vec![Arc::new(follower)]);
    QueryEngine::build(&QueryConfig::default(), live).unwrap().session()
}

/// LOG-16 over real files: whatever is stored, each event is there once, and so is what was committed after the session began.
#[tokio::test]
async fn a_real_table_and_the_log_after_it_have_every_event_once() {
    let folder = tempfile::tempdir().unwrap();
    store(folder.path(), 20, 6).await;
    let session = session(folder.path()).await;
    let sql = "select count(*) as n, count(distinct event_id) as d, min(seq) as a, max(seq) as b from events";
    let expected = "34 | 34 | 1 | 34";
    let found = table(&session, sql, &QueryOptions::default()).await.unwrap();
    assert!(found.contains(expected), "{found}");
    let trail = "select kind from events where request_id = $id order by log_position";
    let parameters = Parameters::parse([format!("id={}", request_id(2, 1_795_168_802_000_000)).as_str()]).unwrap();
    let options = QueryOptions { parameters, ..QueryOptions::default() };
    assert_eq!(table(&session, trail, &options).await.unwrap().lines().count(), 2 + 9);
}

/// LOG-16 for dead letters: ingest commits those of a batch before its events, and a question may come between the two.
#[tokio::test]
async fn a_dead_letter_that_is_stored_before_the_events_of_its_batch_is_there_once() {
    let folder = tempfile::tempdir().unwrap();
    store(folder.path(), 20, 20).await;
    let mut records = example();
    records.extend([record(34, b"of the next batch".to_vec()), record(35, b"of the one after".to_vec())]);
    let session = session_over(folder.path(), records.clone()).await;
    let found = async || {
        let sql = "select log_position as p, found_at is not null as stored from dead_letters order by p";
        let letters = table(&session, sql, &QueryOptions::default()).await.unwrap();
        let letters: Vec<String> = letters.lines().skip(2).map(|line| line.split_whitespace().collect()).collect();
        let events = table(&session, "select count(*) from events", &QueryOptions::default()).await.unwrap();
        (letters.join(" "), events.lines().last().unwrap().trim().to_owned())
    };
    let expected = |letters: &str| (letters.to_owned(), "34".to_owned());
    assert_eq!(found().await, expected("34|false 35|false"), "nothing of the batch is stored");

    let batch = &records[20..35];
    let decoded = decode(PARTITION, batch);
    let letters = DeadLetterStore::open(folder.path(), Arc::new(Fixed), Arc::new(Fixed)).await.unwrap();
    append(&letters, DeadLetterRows::new(PARTITION, Fixed.now(), decoded.poison), batch).await;
    assert_eq!(found().await, expected("34|true 35|false"), "the letters are stored and the events are not");

    let events = EventStore::open(folder.path(), Arc::new(Fixed), Arc::new(Fixed)).await.unwrap();
    append(&events, decoded.rows, batch).await;
    assert_eq!(found().await, expected("34|true 35|false"), "the batch is stored");
}

/// D7: a request id opens the files that can have it, and no others.
#[tokio::test]
async fn a_request_id_opens_few_files() {
    let folder = tempfile::tempdir().unwrap();
    store(folder.path(), 34, 4).await;
    let session = session(folder.path()).await;
    let of = |sql: &str| {
        let sql = format!("explain analyze {sql}");
        let session = session.clone();
        async move {
            let text = table(&session, &sql, &QueryOptions::default()).await.unwrap();
            let count = text.split("count_files_scanned=").nth(1).unwrap_or_else(|| panic!("{text}"));
            count.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse::<u32>().unwrap()
        }
    };
    let all = of("select count(distinct event_id) from events").await;
    let one = of(&format!("select kind from events where request_id = '{}'", request_id(4, 1_795_255_200_000_000))).await;
    assert!(all >= 9 && one <= 4 && one * 2 < all, "{one} of {all}");
}

/// What is read is what is asked for.
#[tokio::test]
async fn cost_by_tenant_and_day_reads_few_columns_of_few_days() {
    let folder = tempfile::tempdir().unwrap();
    store(folder.path(), 34, 34).await;
    let sql = "explain select event_date, tenant, sum(cost_usd) from costs where event_date = date '2026-11-21' group by 1, 2";
    let text = table(&session(folder.path()).await, sql, &QueryOptions::default()).await.unwrap();
    assert!(text.contains("projection=[kind, tenant, cost_amount_pico"), "{text}");
    assert!(text.contains("event_date=2026-11-21") && !text.contains("event_date=2026-11-20"), "{text}");
}
