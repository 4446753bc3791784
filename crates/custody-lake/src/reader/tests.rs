use std::path::Path;

use arrow::{
    array::{AsArray, RecordBatch},
    datatypes::Int64Type,
};
use custody_event::{Event, canonical::canonical_bytes};
use custody_testkit::events::{any_event, sample_events};
use deltalake::datafusion::prelude::{SessionConfig, SessionContext};
use proptest::test_runner::{Config, TestRunner};
use uuid::Uuid;

use super::*;
use crate::{
    DeadLetterRows, DeadLetterStore, DeltaStore, EventStore, LakeRows, TableStore,
    canonical::canonical_by_schema,
    canonical_from_row, dead_letter_columns, decode,
    decode::EventDecoder,
    event_columns,
    testing::{LATER, LaterRows, PARTITION, later_schemas, records, tools},
};

/// A lake with both tables.
async fn lake(root: &Path) -> EventStore {
    let (clock, ids) = tools(1);
    DeadLetterStore::open(root, clock.clone(), ids.clone()).await.unwrap();
    EventStore::open(root, clock, ids).await.unwrap()
}

async fn append<R: LakeRows>(store: &DeltaStore<R>, rows: R, next: i64) {
    let state = store.snapshot().await.unwrap();
    let staged = store.stage(rows).await.unwrap();
    let position = [(format!("{POSITION_PREFIX}{PARTITION}"), next)];
    store.commit(&state, staged, &position, Uuid::from_u128(next as u128)).await.unwrap();
}

async fn query(provider: Arc<dyn TableProvider>, sql: &str) -> Vec<RecordBatch> {
    let mut config = SessionConfig::new();
    config.options_mut().execution.parquet.bloom_filter_on_read = true;
    let session = SessionContext::new_with_config(config);
    session.register_table("events", provider).unwrap();
    session.sql(sql).await.unwrap().collect().await.unwrap()
}

fn position_of(batch: &RecordBatch, row: usize) -> usize {
    usize::try_from(batch.column_by_name("log_position").unwrap().as_primitive::<Int64Type>().value(row)).unwrap()
}

fn rows(batches: &[RecordBatch]) -> usize {
    batches.iter().map(RecordBatch::num_rows).sum()
}

#[tokio::test]
async fn a_snapshot_has_what_was_committed_when_it_was_taken_and_says_up_to_where() {
    let root = tempfile::tempdir().unwrap();
    let store = lake(root.path()).await;
    let reader = LakeReader::open(root.path()).await.unwrap();
    let records = records(&sample_events(1, 60));
    let before = reader.snapshot().await.unwrap();
    append(&store, decode(PARTITION, &records[..20]).rows, 20).await;
    let after = reader.snapshot().await.unwrap();
    append(&store, decode(PARTITION, &records[20..]).rows, 60).await;
    let last = reader.snapshot().await.unwrap();
    for (snapshot, version, stored) in [(&before, 0, 0), (&after, 1, 20), (&last, 2, 60)] {
        assert_eq!(snapshot.version, version);
        assert_eq!(snapshot.positions.get(PARTITION).copied().unwrap_or_default().get(), stored as u64);
        assert_eq!(rows(&query(snapshot.events(), "select * from events").await), stored);
    }
}

/// Letters are committed before the rows of their batch: between the two commits each table stands elsewhere, and says so.
#[tokio::test]
async fn a_snapshot_says_of_each_table_up_to_where_it_is_stored() {
    let root = tempfile::tempdir().unwrap();
    let store = lake(root.path()).await;
    let (clock, ids) = tools(2);
    let letters = DeadLetterStore::open(root.path(), clock, ids).await.unwrap();
    let reader = LakeReader::open(root.path()).await.unwrap();
    append(&store, decode(PARTITION, &records(&sample_events(1, 20))).rows, 20).await;
    let before = reader.snapshot().await.unwrap();
    let buried = decode(PARTITION, &[crate::testing::record(29, "not an event")]).poison;
    append(&letters, DeadLetterRows::new(PARTITION, custody_types::Timestamp::default(), buried), 30).await;
    let between = reader.snapshot().await.unwrap();
    let at = |positions: &BTreeMap<String, LogPosition>| positions.get(PARTITION).map(|position| position.get());
    assert_eq!((at(&before.positions), at(&before.dead_letter_positions)), (Some(20), None));
    assert_eq!((at(&between.positions), at(&between.dead_letter_positions)), (Some(20), Some(30)));
}

/// DESIGN D7: the follower's rows and the snapshot's are of one schema, so that they unite without a cast.
#[tokio::test]
async fn rows_of_the_log_and_rows_of_the_table_have_the_same_columns_and_types() {
    let root = tempfile::tempdir().unwrap();
    let store = lake(root.path()).await;
    let of_log = decode(PARTITION, &records(&sample_events(1, 20))).rows;
    let schema_of_log = of_log.batches()[0].schema();
    append(&store, of_log, 20).await;
    let snapshot = LakeReader::open(root.path()).await.unwrap().snapshot().await.unwrap();
    assert_eq!(schema_of_log, event_columns());
    assert_eq!(snapshot.events().schema(), event_columns());
    assert_eq!(snapshot.dead_letters().schema(), dead_letter_columns());
    for batch in query(snapshot.events(), "select * from events").await {
        assert_eq!(batch.schema().fields(), event_columns().fields());
    }
}

fn check_leaves(batches: &[RecordBatch], events: &[Event]) {
    assert_eq!(rows(batches), events.len());
    for batch in batches {
        for row in 0..batch.num_rows() {
            let of_struct = canonical_bytes(&events[position_of(batch, row)]).unwrap();
            assert_eq!(canonical_from_row(batch, row).unwrap(), of_struct);
        }
    }
}

/// Struct → Avro → Arrow → Delta → upgraded and rewritten by a schema with more columns: the same bytes at every station.
async fn check_canonical_bytes(events: &[Event]) {
    let root = tempfile::tempdir().unwrap();
    let store = lake(root.path()).await;
    let records = records(events);
    let of_log = decode(PARTITION, &records).rows;
    check_leaves(of_log.batches(), events);
    append(&store, of_log, 1).await;
    let reader = LakeReader::open(root.path()).await.unwrap();
    check_leaves(&query(reader.snapshot().await.unwrap().events(), "select * from events").await, events);

    let (clock, ids) = tools(2);
    let later = DeltaStore::<LaterRows>::open(root.path(), clock.clone(), ids.clone()).await.unwrap();
    let upgraded = query(reader.snapshot().await.unwrap().events(), "select * from events").await;
    assert!(upgraded[0].column_by_name("residency").is_some() && upgraded[0].column_by_name("outcome_appeal").is_some());
    check_leaves(&upgraded, events);
    let of_later = EventDecoder::with_schemas(later_schemas()).unwrap().decode(PARTITION, &records).rows;
    append(&later, LaterRows(of_later.batches().to_vec()), 2).await;

    let rewritten_root = tempfile::tempdir().unwrap();
    DeadLetterStore::open(rewritten_root.path(), clock.clone(), ids.clone()).await.unwrap();
    let rewritten = DeltaStore::<LaterRows>::open(rewritten_root.path(), clock, ids).await.unwrap();
    append(&rewritten, LaterRows(upgraded), 1).await;
    let snapshot = LakeReader::open(rewritten_root.path()).await.unwrap().snapshot().await.unwrap();
    let rewritten = query(snapshot.events(), "select * from events").await;
    check_leaves(&rewritten, events);
    for batch in &rewritten {
        for row in 0..batch.num_rows() {
            assert_eq!(canonical_by_schema(&LATER.1, batch, row), canonical_from_row(batch, row));
        }
    }
    // An older program still appends to, and reads, the table that a newer one widened.
    append(&store, decode(PARTITION, &records).rows, 3).await;
    let all = query(reader.snapshot().await.unwrap().events(), "select * from events").await;
    assert_eq!(rows(&all), 3 * events.len());
}

/// Must show 6 (D6).
#[test]
fn canonical_bytes_are_the_same_from_struct_log_table_and_rewritten_table() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut runner = TestRunner::new(Config { cases: 4, failure_persistence: None, ..Config::default() });
    runner
        .run(&proptest::collection::vec(any_event(), 1..60), |events| {
            runtime.block_on(check_canonical_bytes(&events));
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_row_without_kind_and_a_row_beyond_the_end_have_no_canonical_bytes() {
    let rows = decode(PARTITION, &records(&sample_events(1, 2))).rows;
    assert!(canonical_from_row(&rows.batches()[0], 2).is_err());
    assert!(canonical_from_row(&RecordBatch::new_empty(event_columns()), 0).is_err());
    let narrow = rows.batches()[0].project(&[2]).unwrap();
    assert!(canonical_from_row(&narrow, 0).is_err());
}

#[tokio::test]
async fn ingest_can_ask_which_events_stand_at_which_places() {
    let root = tempfile::tempdir().unwrap();
    let store = lake(root.path()).await;
    let sample = sample_events(1, 60);
    append(&store, decode(PARTITION, &records(&sample)).rows, 60).await;
    let reader = LakeReader::open(root.path()).await.unwrap();
    let source = crate::testing::source();
    let mut found = reader.event_ids_at(source, 10..=12).await.unwrap();
    found.sort();
    let expected: Vec<_> = (10..=12).map(|seq| (custody_types::Seq::new(seq), sample[seq as usize - 1].event_id.to_string())).collect();
    assert_eq!(found, expected);
    assert!(reader.event_ids_at(source, 61..=90).await.unwrap().is_empty());
    let other = custody_types::Source { epoch: 2, ..source };
    assert!(reader.event_ids_at(other, 1..=60).await.unwrap().is_empty());
}

/// DESIGN D7: ids are UUIDv7, so a request id alone tells which files to open.
#[tokio::test]
async fn a_request_id_opens_few_files_and_few_rows() {
    let root = tempfile::tempdir().unwrap();
    let store = lake(root.path()).await;
    let kinds = sample_events(5, 50);
    let mut wanted = String::new();
    for file in 0..20_u64 {
        let events: Vec<Event> = (0..400_u64).map(|place| event_at(&kinds, file * 400 + place, &mut wanted)).collect();
        append(&store, decode(PARTITION, &records(&events)).rows, file as i64 + 1).await;
    }
    let snapshot = LakeReader::open(root.path()).await.unwrap().snapshot().await.unwrap();
    let sql = format!("explain analyze select * from events where request_id = '{wanted}'");
    let plan = arrow::util::pretty::pretty_format_batches(&query(snapshot.events(), &sql).await).unwrap().to_string();
    println!("{}", plan.split("predicate=").nth(1).unwrap().trim());
    assert!(plan.contains("count_files_scanned=1]"), "{plan}");
    let found = query(snapshot.events(), &format!("select * from events where request_id = '{wanted}'")).await;
    assert_eq!(rows(&found), 10);
}

fn event_at(kinds: &[Event], place: u64, wanted: &mut String) -> Event {
    let mut event = kinds[place as usize % kinds.len()].clone();
    let millis = 1_700_000_000_000 + place / 10;
    let request_id = Uuid::from_u128((u128::from(millis) << 80) | (7 << 76) | (2 << 62) | u128::from(place / 10));
    if place / 10 == 433 {
        *wanted = request_id.to_string();
    }
    let mut envelope = (*event.envelope).clone();
    envelope.request_id = Some(request_id.to_string().into());
    envelope.tenant = format!("tenant-{}", place % 5).into();
    event.time = custody_types::Timestamp::from_micros(i64::try_from(millis).unwrap() * 1000);
    event.envelope = envelope.into();
    event
}
