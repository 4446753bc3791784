use std::{collections::BTreeSet, path::Path};

use arrow::{array::AsArray, datatypes::Int64Type};
use custody_testkit::events::sample_events;
use custody_types::Timestamp;

use super::{
    handle::TableHandle,
    storage::{Access, log_store},
    *,
};
use crate::{
    LakeReader, decode, event_columns,
    testing::{PARTITION, records, tools},
};

async fn events(lake: &Path, start: u64) -> EventStore {
    let (clock, ids) = tools(start);
    EventStore::open(lake, clock, ids).await.unwrap()
}

fn position(next: i64) -> Vec<(String, i64)> {
    vec![(format!("custody/position/{PARTITION}"), next)]
}

async fn commit(store: &EventStore, seed: u64, next: i64) -> (u64, Uuid) {
    let state = store.snapshot().await.unwrap();
    let rows = decode(PARTITION, &records(&sample_events(seed, 20))).rows;
    let staged = store.stage(rows).await.unwrap();
    let commit_id = Uuid::from_u128(seed.into());
    (store.commit(&state, staged, &position(next), commit_id).await.unwrap(), commit_id)
}

#[tokio::test]
async fn rows_and_transactions_land_in_one_commit_and_are_found_by_its_id() {
    let lake = tempfile::tempdir().unwrap();
    let store = events(lake.path(), 1).await;
    assert_eq!(store.snapshot().await.unwrap(), TableState::default());
    let (version, commit_id) = commit(&store, 1, 20).await;
    assert_eq!(version, 1);
    let state = store.snapshot().await.unwrap();
    assert_eq!(state.transactions.into_iter().collect::<Vec<_>>(), position(20));
    assert_eq!(store.find_commit(commit_id, 0).await.unwrap(), Some(1));
    assert_eq!(store.find_commit(commit_id, 1).await.unwrap(), None);
    assert_eq!(store.find_commit(Uuid::from_u128(99), 0).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_staged_is_not_visible_and_what_the_rows_span_is_one_file_a_day() {
    let lake = tempfile::tempdir().unwrap();
    let store = events(lake.path(), 1).await;
    let sample = sample_events(4, 40);
    let days: BTreeSet<i64> = sample.iter().map(|event| event.time.utc_day()).collect();
    let staged = store.stage(decode(PARTITION, &records(&sample)).rows).await.unwrap();
    assert_eq!((staged.rows(), staged.files().len()), (40, days.len()));
    assert_eq!(store.snapshot().await.unwrap().version, 0);
    assert!(LakeReader::open(lake.path()).await.is_err(), "there is no dead letter table yet");
}

#[tokio::test]
async fn a_commit_on_a_snapshot_that_is_no_longer_the_last_conflicts() {
    let lake = tempfile::tempdir().unwrap();
    let (mine, other) = (events(lake.path(), 1).await, events(lake.path(), 2).await);
    let state = mine.snapshot().await.unwrap();
    let staged = mine.stage(decode(PARTITION, &records(&sample_events(1, 3))).rows).await.unwrap();
    commit(&other, 2, 20).await;
    let refused = mine.commit(&state, staged.clone(), &position(3), Uuid::from_u128(1)).await;
    assert!(matches!(refused, Err(CommitError::Conflict { version: 0 })), "{refused:?}");
    let again = mine.commit(&state, staged.clone(), &position(3), Uuid::from_u128(1)).await;
    assert!(matches!(again, Err(CommitError::Conflict { version: 0 })), "{again:?}");
    assert_eq!(mine.find_commit(Uuid::from_u128(1), 0).await.unwrap(), None);
    let state = mine.snapshot().await.unwrap();
    assert_eq!(state.transactions.into_iter().collect::<Vec<_>>(), position(20));
    let state = mine.snapshot().await.unwrap();
    assert_eq!(mine.commit(&state, staged, &position(23), Uuid::from_u128(1)).await.unwrap(), 2);
}

#[tokio::test]
async fn a_store_that_breaks_during_a_commit_leaves_it_open_whether_it_landed() {
    let lake = tempfile::tempdir().unwrap();
    let store = events(lake.path(), 1).await;
    let state = store.snapshot().await.unwrap();
    let staged = store.stage(decode(PARTITION, &records(&sample_events(1, 3))).rows).await.unwrap();
    let log = lake.path().join("events/_delta_log");
    std::fs::rename(&log, lake.path().join("away")).unwrap();
    std::fs::write(&log, "").unwrap();
    let broken = store.commit(&state, staged.clone(), &position(3), Uuid::from_u128(1)).await;
    assert!(matches!(broken, Err(CommitError::Ambiguous { version: 0, .. })), "{broken:?}");
    assert!(store.snapshot().await.is_err());
    std::fs::remove_file(&log).unwrap();
    std::fs::rename(lake.path().join("away"), &log).unwrap();
    let state = store.snapshot().await.unwrap();
    assert_eq!(store.find_commit(Uuid::from_u128(1), 0).await.unwrap(), None);
    assert_eq!(store.commit(&state, staged, &position(3), Uuid::from_u128(1)).await.unwrap(), 1);
}

/// PIPELINE 2, "Long-lived handle" and "Checkpoints": state is the same through handles that are reopened and after a checkpoint.
#[tokio::test]
async fn transactions_survive_checkpoints_and_reopened_handles() {
    let lake = tempfile::tempdir().unwrap();
    let store = events(lake.path(), 1).await;
    for round in 1..=120 {
        let state = store.snapshot().await.unwrap();
        assert_eq!(state.version, round - 1);
        let transactions = vec![(format!("custody/seq/{}", round % 7), round as i64), ("custody/position/p".to_owned(), round as i64)];
        store.commit(&state, Staged::default(), &transactions, Uuid::from_u128(round.into())).await.unwrap();
    }
    assert!(lake.path().join("events/_delta_log/_last_checkpoint").exists());
    let warm = store.snapshot().await.unwrap();
    let cold = events(lake.path(), 2).await.snapshot().await.unwrap();
    assert_eq!(warm, cold);
    assert_eq!(warm.transactions.len(), 8);
    let handle = TableHandle::open(log_store(&lake.path().into(), "events", Access::Read).unwrap()).await.unwrap();
    for (id, version) in &warm.transactions {
        let of_library = handle.state().transaction_version(handle.log_store().as_ref(), id).await.unwrap();
        assert_eq!(of_library, Some(*version), "{id}");
    }
    std::fs::remove_file(lake.path().join("events/_delta_log/_last_checkpoint")).unwrap();
    assert_eq!(events(lake.path(), 3).await.snapshot().await.unwrap(), warm);
}

#[tokio::test]
async fn two_that_create_the_table_at_once_get_the_same_table() {
    let lake = tempfile::tempdir().unwrap();
    for round in 0..8 {
        let root = lake.path().join(round.to_string());
        let (left, right) = tokio::join!(events(&root, 1), events(&root, 2));
        assert_eq!(left.snapshot().await.unwrap().version, 0);
        assert_eq!(right.snapshot().await.unwrap().version, 0);
    }
}

#[tokio::test]
async fn dead_letters_have_a_table_of_their_own() {
    let lake = tempfile::tempdir().unwrap();
    let (clock, ids) = tools(1);
    let store = DeadLetterStore::open(lake.path(), clock, ids).await.unwrap();
    let mut records = records(&sample_events(1, 3));
    records.iter_mut().for_each(|record| record.damaged = true);
    let poison = decode(PARTITION, &records).poison;
    let rows = DeadLetterRows::new(PARTITION, Timestamp::from_micros(1_700_000_000_000_000), poison);
    let staged = store.stage(rows).await.unwrap();
    assert_eq!(staged.rows(), 3);
    let state = store.snapshot().await.unwrap();
    assert_eq!(store.commit(&state, staged, &position(3), Uuid::from_u128(1)).await.unwrap(), 1);
}

/// DESIGN D7: statistics never tell of a column that is not on the list; appended evidence is not taken out again.
#[tokio::test]
async fn the_tables_log_tells_only_of_the_columns_on_the_list() {
    let lake = tempfile::tempdir().unwrap();
    let store = events(lake.path(), 1).await;
    commit(&store, 1, 20).await;
    let created = std::fs::read_to_string(lake.path().join(format!("events/_delta_log/{:020}.json", 0))).unwrap();
    for property in ["\"delta.appendOnly\":\"true\"", "\"delta.enableExpiredLogCleanup\":\"false\"", "\"delta.dataSkippingStatsColumns\":"]
    {
        assert!(created.contains(property), "{property} in {created}");
    }
    let entry = std::fs::read(lake.path().join(format!("events/_delta_log/{:020}.json", 1))).unwrap();
    let listed: BTreeSet<&str> = crate::COLUMNS_WITH_STATISTICS.iter().copied().collect();
    let mut files = 0;
    for action in transactions::actions(&entry).map(Result::unwrap) {
        let Some(add) = action.get("add") else { continue };
        files += 1;
        let told: serde_json::Value = serde_json::from_str(add["stats"].as_str().unwrap()).unwrap();
        for part in ["minValues", "maxValues", "nullCount"] {
            let names: BTreeSet<&str> = told[part].as_object().unwrap().keys().map(String::as_str).collect();
            assert!(names.is_subset(&listed) && names.contains("event_id"), "{names:?}");
        }
        let path = lake.path().join("events").join(add["path"].as_str().unwrap());
        check_file(&std::fs::read(path).unwrap(), &listed);
    }
    assert!(files > 0);
}

fn check_file(file: &[u8], listed: &BTreeSet<&str>) {
    use parquet::file::{reader::FileReader, serialized_reader::*};
    let options = ReadOptionsBuilder::new().with_page_index().build();
    let reader = SerializedFileReader::new_with_options(bytes::Bytes::copy_from_slice(file), options).unwrap();
    let metadata = reader.metadata();
    assert!(metadata.offset_index().is_some() && metadata.column_index().is_some());
    for column in metadata.row_group(0).columns() {
        let name = column.column_path().string();
        assert_eq!(column.statistics().is_some(), listed.contains(name.as_str()), "{name}");
        assert_eq!(column.bloom_filter_offset().is_some(), ["request_id", "event_id"].contains(&name.as_str()), "{name}");
    }
    let sorted: Vec<String> = metadata
        .row_group(0)
        .sorting_columns()
        .unwrap()
        .iter()
        .map(|sorted| metadata.row_group(0).column(sorted.column_idx as usize).column_path().string())
        .collect();
    assert_eq!(sorted, ["tenant", "feature", "time", "log_position"]);
}

#[tokio::test]
async fn a_file_is_sorted_by_tenant_feature_and_time() {
    let lake = tempfile::tempdir().unwrap();
    let mut sample = sample_events(8, 60);
    for (place, event) in sample.iter_mut().enumerate() {
        event.time = Timestamp::from_micros(1_700_000_000_000_000 + (place as i64 * 7919) % 61);
        let mut envelope = (*event.envelope).clone();
        envelope.tenant = format!("tenant-{}", place % 3).into();
        envelope.feature = (place % 2 == 0).then(|| "search".into());
        event.envelope = envelope.into();
    }
    let store = events(lake.path(), 1).await;
    let staged = store.stage(decode(PARTITION, &records(&sample)).rows).await.unwrap();
    let [file] = staged.files() else { panic!("one day is one file") };
    let file = std::fs::File::open(lake.path().join("events").join(&file.path)).unwrap();
    let mut reader = parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(file, 1000).unwrap();
    let batch = reader.next().unwrap().unwrap();
    assert_eq!(batch.num_columns(), event_columns().fields().len() - 1, "the partition column stands in the path");
    let positions = batch.column_by_name("log_position").unwrap().as_primitive::<Int64Type>();
    let order: Vec<_> = positions
        .values()
        .iter()
        .map(|place| {
            let event = &sample[*place as usize];
            (event.envelope.tenant.clone(), event.envelope.feature.clone(), event.time, *place)
        })
        .collect();
    assert!(order.is_sorted());
}
