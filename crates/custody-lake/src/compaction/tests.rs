use std::collections::BTreeMap;

use arrow::{
    array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, UInt32Array},
    compute::take_record_batch,
    datatypes::Int64Type,
};
use custody_event::canonical::canonical_bytes;
use custody_types::Timestamp;
use deltalake::datafusion::prelude::{SessionConfig, SessionContext};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{content::ContentMeter, merge::checked, *};
use crate::{
    DeadLetterRows, DeadLetterStore, DeltaStore, EventRows, EventStore, LakeReader, Snapshot, canonical_from_row, decode,
    decode::EventDecoder,
    event_columns,
    store::parquet_file::FileWriter,
    table_status,
    testing::{LaterRows, Meddle, PARTITION, Still, append, later_schemas, meddling, on_folder_and_s3, records_of_day, tools},
};

on_folder_and_s3!(
    small_files_become_one_with_the_same_rows_in_order,
    dead_letters_are_compacted_too,
    readers_beside_appends_and_compaction_never_see_a_wrong_count,
    a_commit_that_loses_to_an_append_is_made_again,
    a_commit_whose_answer_is_lost_counts_once,
    a_group_that_another_compaction_replaced_is_left,
    rows_of_older_files_get_the_columns_that_came_later,
);

/// A week after the events of `records_of_day`.
const LATER: Timestamp = Timestamp::from_micros(1_700_000_000_000_000 + 7 * 86_400_000_000);

async fn lake(root: &LakeRoot) -> EventStore {
    let (clock, ids) = tools(1);
    DeadLetterStore::open(root, clock.clone(), ids.clone()).await.unwrap();
    EventStore::open(root, clock, ids).await.unwrap()
}

async fn compactor(root: &LakeRoot, table: LakeTable, start: u64) -> Compactor {
    Compactor::open(root, table, CompactionConfig::default(), Arc::new(Still(LATER)), tools(start).1).await.unwrap()
}

async fn run(compactor: &Compactor) -> CompactionReport {
    let (_sender, stop) = watch::channel(false);
    compactor.run(|_| (), &stop).await.unwrap()
}

fn rows(seed: u64, from: u64, count: usize) -> EventRows {
    decode(PARTITION, &records_of_day(seed, from, count).0).rows
}

/// Appends so many files of so many rows.
async fn fill(store: &EventStore, files: u64, rows_of_file: u64) {
    for file in 0..files {
        let from = file * rows_of_file;
        append(store, rows(file, from, usize::try_from(rows_of_file).unwrap()), from + rows_of_file).await;
    }
}

/// Canonical bytes by log position, of everything that a snapshot has.
async fn leaves(snapshot: &Snapshot) -> BTreeMap<i64, Vec<u8>> {
    let session = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(2));
    let batches = session.read_table(snapshot.events()).unwrap().collect().await.unwrap();
    let mut leaves = BTreeMap::new();
    for batch in batches {
        let positions = batch.column_by_name("log_position").unwrap().as_primitive::<Int64Type>();
        for row in 0..batch.num_rows() {
            let twice = leaves.insert(positions.value(row), canonical_from_row(&batch, row).unwrap());
            assert!(twice.is_none(), "position {} is there twice", positions.value(row));
        }
    }
    leaves
}

fn expected_leaves(files: u64, rows_of_file: u64) -> BTreeMap<i64, Vec<u8>> {
    let of_file = |file: u64| {
        let (records, events) = records_of_day(file, file * rows_of_file, usize::try_from(rows_of_file).unwrap());
        let positions = records.into_iter().map(|record| i64::try_from(record.position.get()).unwrap());
        positions.zip(events.iter().map(|event| canonical_bytes(event).unwrap()).collect::<Vec<_>>())
    };
    (0..files).flat_map(of_file).collect()
}

async fn snapshot(root: &LakeRoot) -> Snapshot {
    LakeReader::open(root).await.unwrap().snapshot().await.unwrap()
}

async fn small_files_become_one_with_the_same_rows_in_order(root: &LakeRoot) {
    let store = lake(root).await;
    fill(&store, 6, 40).await;
    let before = snapshot(root).await;
    let compactor = compactor(root, LakeTable::Events, 2).await;
    let plan = compactor.plan().await.unwrap();
    assert_eq!((plan.version, plan.groups.len(), plan.groups[0].files), (6, 1, 6));
    let mut told = Vec::new();
    let (_sender, stop) = watch::channel(false);
    let report = compactor.run(|progress| told.push(progress.groups_done), &stop).await.unwrap();
    assert_eq!((report.files_before, report.files_after, report.rows), (6, 1, 240));
    assert_eq!((report.left.len(), report.stopped, told), (0, false, vec![0, 1]));
    let after = snapshot(root).await;
    assert_eq!((after.version, &after.positions, &after.transactions), (7, &before.positions, &before.transactions));
    assert_eq!(leaves(&after).await, expected_leaves(6, 40));
    assert_eq!(leaves(&before).await, expected_leaves(6, 40), "a reader of the version before is not disturbed");
    let status = table_status(root, LakeTable::Events, 1).await.unwrap();
    assert_eq!((status.files, status.rows, status.small_files), (1, 240, 0));
    assert_eq!((status.oldest_date.as_deref(), status.newest_date.as_deref()), (Some("2023-11-14"), Some("2023-11-14")));
    assert_eq!(status.positions[PARTITION].get(), 240);
    assert_eq!(compactor.plan().await.unwrap().groups, []);
    check_order(&compactor).await;
    append(&store, rows(6, 240, 40), 280).await;
    assert_eq!(leaves(&snapshot(root).await).await, expected_leaves(7, 40));
}

async fn check_order(compactor: &Compactor) {
    let handle = TableHandle::open(Arc::clone(&compactor.log_store)).await.unwrap();
    let files = live_files(&handle).unwrap();
    let inputs = compactor.fetch(&files).await.unwrap();
    let table = file_columns(&columns(&handle).unwrap(), "event_date");
    for (name, bytes) in inputs {
        let metadata = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).unwrap().metadata().clone();
        for column in metadata.row_group(0).columns() {
            let name = column.column_path().string();
            assert_eq!(column.bloom_filter_offset().is_some(), ["request_id", "event_id"].contains(&name.as_str()), "{name}");
            assert_eq!(column.statistics().is_some(), crate::COLUMNS_WITH_STATISTICS.contains(&name.as_str()), "{name}");
        }
        let stop = watch::channel(false).1;
        let work = Work { table: LakeTable::Events, columns: Arc::clone(&table), event_date: "2023-11-14".to_owned(), most_bytes: 1 };
        let cut = merge(&work, vec![(name, bytes)], &stop).unwrap();
        assert!(cut.len() > 1, "an input in order is what a merge takes, and its output is cut where it is large enough");
    }
}

async fn dead_letters_are_compacted_too(root: &LakeRoot) {
    lake(root).await;
    let (clock, ids) = tools(2);
    let store = DeadLetterStore::open(root, clock, ids).await.unwrap();
    for file in 0..5_u64 {
        let mut records = records_of_day(file, 10 * file, 10).0;
        records.iter_mut().for_each(|record| record.damaged = true);
        let found_at = Timestamp::from_micros(1_700_000_000_000_000);
        append(&store, DeadLetterRows::new(PARTITION, found_at, decode(PARTITION, &records).poison), 10 * file + 10).await;
    }
    let report = run(&compactor(root, LakeTable::DeadLetters, 3).await).await;
    assert_eq!((report.files_before, report.files_after, report.rows, report.left), (5, 1, 50, vec![]));
    let session = SessionContext::new();
    let letters = session.read_table(snapshot(root).await.dead_letters()).unwrap().collect().await.unwrap();
    assert_eq!(letters.iter().map(RecordBatch::num_rows).sum::<usize>(), 50);
}

/// The position of a snapshot is the number of its rows, at every moment.
async fn readers_beside_appends_and_compaction_never_see_a_wrong_count(root: &LakeRoot) {
    const FILES: u64 = 40;
    let store = lake(root).await;
    let appending = tokio::spawn(async move { fill(&store, FILES, 20).await });
    let compactor = compactor(root, LakeTable::Events, 2).await;
    let reader = LakeReader::open(root).await.unwrap();
    let (mut replaced, mut last) = (0, 0);
    while last < FILES * 20 {
        replaced += run(&compactor).await.files_before;
        let snapshot = reader.snapshot().await.unwrap();
        last = snapshot.positions.get(PARTITION).map_or(0, |position| position.get());
        assert_eq!(leaves(&snapshot).await.len() as u64, last);
    }
    appending.await.unwrap();
    replaced += run(&compactor).await.files_before;
    assert!(replaced >= FILES / 2, "{replaced}: a last file may stay beside one larger than itself, but most were merged meanwhile");
    assert_eq!(leaves(&snapshot(root).await).await, expected_leaves(FILES, 20));
}

/// A compactor whose next commits meet something.
async fn meddled(root: &LakeRoot, coming: impl IntoIterator<Item = Meddle>) -> Compactor {
    let plain = compactor(root, LakeTable::Events, 5).await;
    let log_store = meddling(&plain.log_store, coming);
    let uploader = Uploader::new(Arc::clone(&log_store), Arc::new(Still(LATER)), tools(5).1);
    Compactor { log_store, uploader, ..plain }
}

async fn a_commit_that_loses_to_an_append_is_made_again(root: &LakeRoot) {
    let store = lake(root).await;
    fill(&store, 4, 20).await;
    let store = Arc::new(store);
    let coming = (4..7_u64).map(|file| {
        let store = Arc::clone(&store);
        Meddle::Before(Box::pin(async move {
            append(&store, rows(file, file * 20, 20), file * 20 + 20).await;
        }))
    });
    let report = run(&meddled(root, coming).await).await;
    assert_eq!((report.files_before, report.files_after, report.left), (4, 1, vec![]));
    let after = snapshot(root).await;
    assert_eq!((after.version, after.positions[PARTITION].get()), (8, 140));
    assert_eq!(leaves(&after).await, expected_leaves(7, 20));
}

async fn a_commit_whose_answer_is_lost_counts_once(root: &LakeRoot) {
    fill(&lake(root).await, 4, 20).await;
    let report = run(&meddled(root, [Meddle::LoseRequest, Meddle::LoseAnswer]).await).await;
    assert_eq!((report.files_before, report.files_after, report.left), (4, 1, vec![]));
    let after = snapshot(root).await;
    assert_eq!(after.version, 5);
    assert_eq!(leaves(&after).await, expected_leaves(4, 20));
}

async fn a_group_that_another_compaction_replaced_is_left(root: &LakeRoot) {
    fill(&lake(root).await, 4, 20).await;
    let other = root.clone();
    let faster = Meddle::Before(Box::pin(async move {
        assert_eq!(run(&compactor(&other, LakeTable::Events, 9).await).await.files_before, 4);
    }));
    let report = run(&meddled(root, [faster]).await).await;
    assert_eq!(report.left, [("2023-11-14".to_owned(), WhyLeft::Overtaken)]);
    assert_eq!(report.files_before, 0);
    let after = snapshot(root).await;
    assert_eq!(after.version, 5);
    assert_eq!(leaves(&after).await, expected_leaves(4, 20));
}

/// The compactor is of this version of the program, the table of a later one.
async fn rows_of_older_files_get_the_columns_that_came_later(root: &LakeRoot) {
    fill(&lake(root).await, 2, 20).await;
    let (clock, ids) = tools(3);
    let later = DeltaStore::<LaterRows>::open(root, clock, ids).await.unwrap();
    let decoded = EventDecoder::with_schemas(later_schemas()).unwrap().decode(PARTITION, &records_of_day(2, 40, 20).0);
    append(&later, LaterRows(decoded.rows.batches().iter().map(with_residency).collect()), 60).await;
    let report = run(&compactor(root, LakeTable::Events, 4).await).await;
    assert_eq!((report.files_before, report.files_after, report.left), (3, 1, vec![]));
    let after = snapshot(root).await;
    assert_eq!(leaves(&after).await, expected_leaves(3, 20));
    let session = SessionContext::new();
    let residency = session.read_table(after.events()).unwrap().select_columns(&["residency", "outcome_appeal"]).unwrap();
    let batches = residency.collect().await.unwrap();
    let named: usize = batches.iter().map(|batch| batch.num_rows() - batch.column(0).null_count()).sum();
    assert_eq!(named, 20, "what only the later program knows is kept");
}

fn with_residency(batch: &RecordBatch) -> RecordBatch {
    let place = batch.schema().index_of("residency").unwrap();
    let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
    columns[place] = Arc::new(arrow::array::StringArray::from(vec!["eu"; batch.num_rows()]));
    RecordBatch::try_new(batch.schema(), columns).unwrap()
}

fn without_date(rows: &EventRows) -> RecordBatch {
    let batch = arrow::compute::concat_batches(&event_columns(), rows.batches()).unwrap();
    let kept: Vec<usize> = (0..batch.num_columns() - 1).collect();
    batch.project(&kept).unwrap()
}

#[test]
fn the_content_does_not_depend_on_order_and_notices_every_change() {
    let batch = without_date(&rows(1, 0, 30));
    let content = |batches: &[RecordBatch]| {
        let mut meter = ContentMeter::new(LakeTable::Events, &batch.schema()).unwrap();
        batches.iter().for_each(|batch| meter.add(batch).unwrap());
        meter.content()
    };
    let reversed = take_record_batch(&batch, &UInt32Array::from_iter_values((0..30).rev())).unwrap();
    let whole = content(std::slice::from_ref(&batch));
    assert_eq!(content(&[reversed.slice(0, 7), reversed.slice(7, 23)]), whole);
    assert_ne!(content(&[batch.slice(0, 29)]), whole, "a lost row");
    assert_ne!(content(&[batch.slice(0, 29), batch.slice(0, 1)]), whole, "a lost row and a doubled one");
    for name in ["log_position", "seq"] {
        let place = batch.schema().index_of(name).unwrap();
        let mut columns = batch.columns().to_vec();
        let numbers = columns[place].as_primitive::<Int64Type>();
        columns[place] = Arc::new(Int64Array::from_iter_values((0..30).map(|row| numbers.value(row) + i64::from(row == 12))));
        let altered = RecordBatch::try_new(batch.schema(), columns).unwrap();
        assert_ne!(content(&[altered]), whole, "{name} of one row");
    }
}

fn file_of(batch: &RecordBatch) -> EncodedFile {
    let mut file = FileWriter::new(&LakeTable::Events.definition(), &batch.schema(), "2023-11-14".to_owned(), 30).unwrap();
    file.write(batch).unwrap();
    file.finish().unwrap()
}

fn work_on(batch: &RecordBatch) -> Work {
    Work { table: LakeTable::Events, columns: batch.schema(), event_date: "2023-11-14".to_owned(), most_bytes: 1 << 20 }
}

/// Deleting the check lets a merge that loses or doubles rows replace the files that had them.
#[test]
fn files_that_hold_something_else_are_not_used() {
    let batch = without_date(&rows(1, 0, 30));
    let mut meter = ContentMeter::new(LakeTable::Events, &batch.schema()).unwrap();
    meter.add(&batch).unwrap();
    let halves = || vec![file_of(&batch.slice(0, 10)), file_of(&batch.slice(10, 20))];
    assert_eq!(checked(&work_on(&batch), halves(), meter.content()).unwrap().len(), 2);
    for wrong in [halves().into_iter().skip(1).collect(), halves().into_iter().chain(halves()).collect(), vec![]] {
        let refused = checked(&work_on(&batch), wrong, meter.content());
        assert!(matches!(refused, Err(MergeError::ContentChanged)));
    }
}

#[test]
fn a_file_in_another_order_is_not_merged() {
    let batch = without_date(&rows(1, 0, 30));
    let bytes = Bytes::from(file_of(&batch).bytes);
    let work = work_on(&batch);
    let refused = merge(&work, vec![("odd".to_owned(), bytes.clone())], &watch::channel(false).1);
    assert!(matches!(&refused, Err(MergeError::NotSorted(name)) if name == "odd"), "{:?}", refused.err());
    let half: Vec<usize> = (0..10).collect();
    let narrow = Work { columns: Arc::new(batch.schema().project(&half).unwrap()), ..work };
    let unknown = merge(&narrow, vec![("odd".to_owned(), bytes)], &watch::channel(false).1);
    assert!(matches!(unknown, Err(MergeError::Unreadable(_))), "columns are never dropped");
}

#[tokio::test]
async fn a_run_stops_when_it_is_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let root = LakeRoot::folder(folder.path());
    fill(&lake(&root).await, 3, 20).await;
    let (_sender, stop) = watch::channel(true);
    let report = compactor(&root, LakeTable::Events, 2).await.run(|_| (), &stop).await.unwrap();
    assert!(report.stopped && report.files_before == 0);
    assert_eq!(snapshot(&root).await.version, 3);
}

#[tokio::test]
async fn a_date_that_is_young_waits_for_many_files() {
    let folder = tempfile::tempdir().unwrap();
    let root = LakeRoot::folder(folder.path());
    fill(&lake(&root).await, 3, 20).await;
    let (on_the_day, ids) = tools(2);
    let young = Compactor::open(&root, LakeTable::Events, CompactionConfig::default(), on_the_day, ids).await.unwrap();
    assert_eq!(young.plan().await.unwrap().groups, []);
    assert_eq!(compactor(&root, LakeTable::Events, 3).await.plan().await.unwrap().groups.len(), 1);
}
