//! Queries over a real Delta table in a folder.

use std::{path::Path, sync::Arc};

use custody_lake::{EventStore, TableStore, decode};
use custody_types::{Clock, EventId, IdSource, RequestId, Timestamp};
use uuid::Uuid;

use crate::{
    Follower, FollowerConfig, LakeTables, LiveLake, Parameters, QueryConfig, QueryEngine, QueryOptions, SqlSession,
    golden::table,
    test_lake::{PARTITION, TestLog, example, request_id},
};

struct Fixed;

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
    let letters = custody_lake::DeadLetterStore::open(folder, Arc::new(Fixed), Arc::new(Fixed)).await.unwrap();
    drop(letters);
    for records in example()[..up_to].chunks(batch) {
        let state = events.snapshot().await.unwrap();
        let staged = events.stage(decode(PARTITION, records).rows).await.unwrap();
        let end = records.last().unwrap().position.next().get();
        let position = (format!("custody/position/{PARTITION}"), i64::try_from(end).unwrap());
        events.commit(&state, staged, &[position], fresh()).await.unwrap();
    }
}

async fn session(folder: &Path) -> SqlSession {
    let reader = custody_lake::LakeReader::open(folder).await.unwrap();
    let follower = Follower::new(TestLog::of(example()).reader(7), FollowerConfig::default());
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
