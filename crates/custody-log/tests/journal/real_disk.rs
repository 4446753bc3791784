//! The same journal on a real folder.

use std::{sync::Arc, time::Duration};

use custody_log::{FileDisk, Journal, JournalConfig, JournalReader, LogReader, OpenJournalError};
use custody_types::LogPosition;

use crate::world::{config, key, payload};

fn disk(folder: &std::path::Path) -> Arc<FileDisk> {
    Arc::new(FileDisk::open(folder).unwrap())
}

#[tokio::test]
async fn a_folder_is_written_read_beside_copied_and_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, report) = Journal::open(config(), disk(folder.path())).unwrap();
    assert!(report.recovery.created);
    assert!(matches!(Journal::open(config(), disk(folder.path())), Err(OpenJournalError::Locked)));
    let mut beside = JournalReader::open_read_only(folder.path()).unwrap();
    for index in 0..40 {
        let admission = journal.admit(key(index), vec![payload("intent"), payload(&"p".repeat(600))]).await.unwrap();
        admission.close(vec![payload("outcome")]).await.unwrap();
    }
    let mut seen = 0;
    while seen < 120 {
        seen += beside.read(4096, Duration::from_secs(20)).await.unwrap().len();
    }
    drop(journal.admit(key(99), vec![payload("intent")]).await.unwrap());
    let records = beside.read(4096, Duration::from_secs(20)).await.unwrap();
    assert_eq!((records.len(), beside.position()), (1, LogPosition::new(121)));
    journal.shutdown().await;
    check_copy(folder.path());
    let (journal, report) = Journal::open(config(), disk(folder.path())).unwrap();
    assert!(!report.recovery.copied && report.recovery.torn.is_none() && report.recovery.unknown_files.is_empty());
    assert_eq!((report.epoch, report.open_requests.len(), report.recovery.end.get()), (2, 1, 121));
    journal.shutdown().await;
}

fn check_copy(folder: &std::path::Path) {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    let (_, report) = Journal::open(config(), disk(copy.path())).unwrap();
    assert!(report.recovery.copied);
    assert_eq!(report.recovery.end.get(), 121);
}

#[tokio::test]
async fn a_folder_without_a_journal_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    assert!(JournalReader::open_read_only(folder.path()).is_err());
}

#[tokio::test]
async fn settings_that_contradict_each_other_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let settings = JournalConfig { max_total_bytes: 1, ..config() };
    let error = Journal::open(settings, disk(folder.path())).unwrap_err();
    assert!(error.to_string().contains("`max_total_bytes`"), "{error}");
}
