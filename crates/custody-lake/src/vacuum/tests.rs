use std::{
    collections::BTreeSet,
    path::Path as FilePath,
    time::{Duration, SystemTime},
};

use custody_types::Timestamp;

use super::{
    retention::{HOUR, REMOVALS_REMEMBERED},
    *,
};
use crate::{
    CompactionConfig, Compactor, DeadLetterStore, EventStore, LakeReader, TableStore, decode,
    store::storage::log_store,
    testing::{PARTITION, Still, append, on_folder_and_s3, records_of_day, tools},
};

on_folder_and_s3!(what_no_version_needs_goes_and_the_rest_stays, nothing_young_goes_by_default);

/// The store's own time is what counts then.
const FAR_FUTURE: Timestamp = Timestamp::from_micros(4_000_000_000_000_000);

fn stop() -> watch::Receiver<bool> {
    watch::channel(false).1
}

async fn lake(root: &LakeRoot) -> EventStore {
    let (clock, ids) = tools(1);
    DeadLetterStore::open(root, clock.clone(), ids.clone()).await.unwrap();
    EventStore::open(root, clock, ids).await.unwrap()
}

async fn fill(store: &EventStore, from: u64, files: u64) {
    for file in from..from + files {
        let rows = decode(PARTITION, &records_of_day(file, file * 10, 10).0).rows;
        append(store, rows, file * 10 + 10).await;
    }
}

/// An upload that is never committed.
async fn orphan(store: &EventStore, seed: u64) -> String {
    let staged = store.stage(decode(PARTITION, &records_of_day(seed, 0, 5).0).rows).await.unwrap();
    staged.files()[0].path.clone()
}

async fn compact(root: &LakeRoot, start: u64, at: Timestamp) {
    let config = CompactionConfig { settled_after: Duration::ZERO, ..CompactionConfig::default() };
    let compactor = Compactor::open(root, LakeTable::Events, config, Arc::new(Still(at)), tools(start).1).await.unwrap();
    assert!(compactor.run(|_| (), &stop()).await.unwrap().files_before > 1);
}

async fn vacuum(root: &LakeRoot, retention: Retention) -> Vacuum {
    Vacuum::open(root, LakeTable::Events, retention, Arc::new(Still(FAR_FUTURE))).await.unwrap()
}

async fn names(root: &LakeRoot) -> BTreeSet<String> {
    let files = listed(&log_store(root, "events", Access::Read).unwrap(), LakeTable::Events).await.unwrap();
    files.into_iter().map(|file| file.meta.location.to_string()).collect()
}

async fn rows(root: &LakeRoot) -> usize {
    LakeReader::open(root).await.unwrap().event_ids_at(crate::testing::source(), 0..=100_000).await.unwrap().len()
}

/// S3 tells times by the second: another file is written until the store says that it is younger.
async fn until_the_store_is_past(root: &LakeRoot, store: &EventStore, path: &str, mut file: u64) -> u64 {
    loop {
        fill(store, file, 1).await;
        file += 1;
        let files = listed(&log_store(root, "events", Access::Read).unwrap(), LakeTable::Events).await.unwrap();
        let at = |path: &str| files.iter().find(|file| file.meta.location.as_ref() == path).map(|file| file.meta.last_modified);
        if files.iter().map(|file| file.meta.last_modified).max() > at(path) {
            return file;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// With a retention of nothing, which only a test can have, everything that is not needed is old enough but what was written last.
async fn what_no_version_needs_goes_and_the_rest_stays(root: &LakeRoot) {
    let store = lake(root).await;
    fill(&store, 0, 3).await;
    let removed_long_ago = names(root).await;
    compact(root, 2, Timestamp::from_micros(1_700_100_000_000_000)).await;
    fill(&store, 3, 2).await;
    let before_removal = names(root).await;
    compact(root, 3, FAR_FUTURE).await;
    let removed_lately: BTreeSet<String> = before_removal.difference(&removed_long_ago).cloned().collect();
    let orphan = orphan(&store, 99).await;
    let files = until_the_store_is_past(root, &store, &orphan, 5).await;
    let all = names(root).await;

    let vacuum = vacuum(root, Retention::of_nothing()).await;
    let plan = vacuum.plan().await.unwrap();
    let mut expected = removed_long_ago.clone();
    expected.insert(orphan);
    assert_eq!(plan.files.iter().map(|file| file.path.clone()).collect::<BTreeSet<_>>(), expected);
    assert_eq!(names(root).await, all, "a plan deletes nothing");
    let done = vacuum.run(|_| (), &stop()).await.unwrap();
    assert_eq!((done.files_deleted, done.bytes_deleted), (4, plan.bytes()));
    assert_eq!(names(root).await, all.difference(&expected).cloned().collect());
    assert!(removed_lately.is_subset(&names(root).await));
    assert_eq!(rows(root).await as u64, files * 10);
    let litter = litter(root, LakeTable::Events).await.unwrap();
    assert_eq!((litter.orphans, litter.removed), (0, removed_lately.len() as u64));
    assert_eq!(vacuum.run(|_| (), &stop()).await.unwrap().files_deleted, 0);
}

async fn nothing_young_goes_by_default(root: &LakeRoot) {
    let store = lake(root).await;
    fill(&store, 0, 3).await;
    compact(root, 2, Timestamp::from_micros(1_700_100_000_000_000)).await;
    orphan(&store, 99).await;
    let all = names(root).await;
    let hour = Retention::new(HOUR).unwrap();
    for retention in [Retention::default(), hour] {
        assert_eq!(vacuum(root, retention).await.run(|_| (), &stop()).await.unwrap().files_deleted, 0);
    }
    assert_eq!(names(root).await, all);
    let litter = litter(root, LakeTable::Events).await.unwrap();
    assert_eq!((litter.orphans, litter.removed), (1, 3));
    assert!(litter.oldest_orphan.is_some() && litter.orphan_bytes > 0 && litter.removed_bytes > 0);
}

fn age(root: &FilePath, path: &str, age: Duration) {
    let file = std::fs::File::options().write(true).open(root.join("events").join(path)).unwrap();
    let newest = std::fs::metadata(root.join("events/_delta_log/00000000000000000000.json")).unwrap().modified().unwrap();
    file.set_modified(newest.checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH)).unwrap();
}

/// The bounds to the minute, where times can be set.
#[tokio::test]
async fn files_go_when_they_are_older_than_the_retention_and_not_before() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    const MINUTE: Duration = Duration::from_secs(60);
    let folder = tempfile::tempdir().unwrap();
    let root = LakeRoot::folder(folder.path());
    let store = lake(&root).await;
    fill(&store, 0, 1).await;
    let live = names(&root).await.into_iter().next().unwrap();
    let (old, young) = (orphan(&store, 1).await, orphan(&store, 2).await);
    std::fs::create_dir(folder.path().join("events/notes")).unwrap();
    std::fs::write(folder.path().join("events/notes/old.parquet"), "not ours").unwrap();
    fill(&store, 1, 1).await;
    age(folder.path(), &live, 400 * DAY);
    age(folder.path(), &old, 7 * DAY + MINUTE);
    age(folder.path(), &young, 7 * DAY - MINUTE);
    age(folder.path(), "notes/old.parquet", 400 * DAY);
    let done = vacuum(&root, Retention::default()).await.run(|_| (), &stop()).await.unwrap();
    assert_eq!(done.files_deleted, 1);
    assert!(!names(&root).await.contains(&old) && names(&root).await.contains(&young));
    assert!(folder.path().join("events/notes/old.parquet").exists());
    assert_eq!(rows(&root).await, 20);
}

/// A clock that is ahead must not make an upload under way look old.
#[tokio::test]
async fn a_machine_whose_clock_is_ahead_deletes_nothing_early() {
    let folder = tempfile::tempdir().unwrap();
    let root = LakeRoot::folder(folder.path());
    let store = lake(&root).await;
    let path = orphan(&store, 1).await;
    let vacuum = vacuum(&root, Retention::new(HOUR).unwrap()).await;
    assert_eq!(vacuum.plan().await.unwrap().files, []);
    fill(&store, 0, 1).await;
    age(folder.path(), &path, 2 * HOUR);
    assert_eq!(vacuum.plan().await.unwrap().files.len(), 1);
}

/// What runs in the background must be able to move between threads.
#[tokio::test]
async fn upkeep_can_be_a_task_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let root = LakeRoot::folder(folder.path());
    fill(&lake(&root).await, 0, 3).await;
    let task = tokio::spawn(async move {
        compact(&root, 2, FAR_FUTURE).await;
        let status = crate::table_status(&root, LakeTable::Events, 1).await.unwrap();
        let found = litter(&root, LakeTable::Events).await.unwrap();
        (status.files, found.removed, vacuum(&root, Retention::default()).await.run(|_| (), &stop()).await.unwrap().files_deleted)
    });
    assert_eq!(task.await.unwrap(), (1, 3, 0));
}

#[test]
fn a_retention_that_breaks_its_promise_is_refused() {
    assert!(matches!(Retention::new(HOUR - Duration::from_secs(1)), Err(RetentionError::TooShort(_))));
    assert!(matches!(Retention::new(REMOVALS_REMEMBERED + Duration::from_secs(1)), Err(RetentionError::TooLong(_))));
    assert!(Retention::new(HOUR).is_ok() && Retention::new(REMOVALS_REMEMBERED).is_ok());
}
