//! The handle and its thread.

use std::{io::ErrorKind, sync::Arc, time::Duration};

use bytes::Bytes;
use custody_log::{AppendError, Journal, LogReader, OpenReport};
use custody_testkit::disk::{DiskPoint, SimDisk};
use custody_types::LogPosition;

use crate::world::{config, key, payload};

const SOON: Duration = Duration::from_secs(20);

fn open(disk: &SimDisk) -> (Journal, OpenReport) {
    Journal::open(config(), Arc::new(disk.clone())).unwrap()
}

#[tokio::test]
async fn a_request_is_admitted_recorded_and_closed() {
    let disk = SimDisk::new();
    let (journal, _) = open(&disk);
    let mut reader = journal.reader(LogPosition::START);
    let mut admission = journal.admit(key(1), vec![payload("request"), payload("route 1")]).await.unwrap();
    admission.record(vec![payload("route 2")]).await.unwrap();
    let closed = admission.close(vec![payload("outcome")]).await.unwrap();
    assert_eq!((closed.end.get(), *journal.subscribe().borrow()), (4, LogPosition::new(4)));
    let records = reader.read(1 << 20, SOON).await.unwrap();
    let texts: Vec<_> = records.iter().map(|record| record.payload.clone()).collect();
    assert_eq!(texts, ["request", "route 1", "route 2", "outcome"]);
    assert!(reader.read(1 << 20, Duration::ZERO).await.unwrap().is_empty());
    assert_eq!(reader.partition(), format!("journal/{}", journal.id()));
    journal.shutdown().await;
}

#[tokio::test]
async fn a_dropped_admission_comes_back_as_an_orphan_and_after_a_restart_as_an_open_request() {
    let disk = SimDisk::new();
    let (journal, _) = open(&disk);
    drop(journal.admit(key(1), vec![payload("one")]).await.unwrap());
    drop(journal.admit(key(2), vec![payload("two")]).await.unwrap());
    assert_eq!(journal.stats().orphaned, 2);
    let mut orphans = journal.take_orphans();
    assert_eq!(orphans.len(), 2);
    orphans.remove(0).close(vec![payload("abandoned")]).await.unwrap();
    journal.shutdown().await;
    disk.kill();
    let (journal, mut report) = open(&disk);
    assert_eq!((report.epoch, report.open_requests.len()), (2, 1));
    let request = report.open_requests.remove(0);
    assert_eq!(request.records[0].payload, "two");
    request.admission.close(vec![payload("abandoned")]).await.unwrap();
    assert_eq!(journal.stats().open_requests, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_share_commits_and_each_keeps_its_own_order() {
    let disk = SimDisk::new();
    let settings = custody_log::JournalConfig { segment_bytes: 64 << 10, max_total_bytes: 64 << 20, ..config() };
    let (journal, _) = Journal::open(settings, Arc::new(disk)).unwrap();
    let writers = (0..32u8).map(|writer| {
        let journal = journal.clone();
        tokio::spawn(async move {
            for index in 0..50u8 {
                journal.append(vec![Bytes::copy_from_slice(&[writer, index])]).await.unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let mut reader = journal.reader(LogPosition::START);
    let mut next = [0u8; 32];
    while reader.position() < LogPosition::new(32 * 50) {
        for record in reader.read(4096, SOON).await.unwrap() {
            let writer = record.payload[0] as usize;
            assert_eq!(record.payload[1], next[writer]);
            next[writer] += 1;
        }
    }
    let stats = journal.stats();
    assert_eq!(stats.records, 1600);
    assert!(stats.segments > 1 && stats.commits <= stats.records);
}

#[tokio::test]
async fn a_full_disk_refuses_intents_with_a_time_to_come_back() {
    let disk = SimDisk::new();
    let (journal, _) = open(&disk);
    let held = journal.admit(key(200), vec![payload("held")]).await.unwrap();
    disk.set_capacity(Some(0));
    let mut number = 0;
    let refusal = loop {
        match journal.append(vec![Bytes::from(vec![0; 3000])]).await {
            Ok(_) => number += 1,
            Err(error) => break error,
        }
    };
    assert!(number > 0 && matches!(refusal, AppendError::Full { retry_after, .. } if retry_after > Duration::ZERO));
    held.close(vec![payload("outcome")]).await.unwrap();
    disk.set_capacity(None);
    journal.append(vec![Bytes::from(vec![0; 3000])]).await.unwrap();
}

#[tokio::test]
async fn a_disk_that_fails_twice_fails_every_append_and_is_not_ready() {
    let disk = SimDisk::new();
    let (journal, _) = open(&disk);
    let admission = journal.admit(key(1), vec![payload("one")]).await.unwrap();
    disk.fail(DiskPoint::Sync, ErrorKind::Other, 100);
    assert_eq!(journal.append(vec![payload("two")]).await.unwrap_err(), AppendError::Failed);
    assert_eq!(admission.close(vec![payload("three")]).await.unwrap_err(), AppendError::Failed);
    assert!(journal.stats().failed);
}

#[tokio::test]
async fn after_shutdown_the_folder_is_free_and_other_handles_say_closed() {
    let disk = SimDisk::new();
    let (journal, _) = open(&disk);
    let other = journal.clone();
    journal.append(vec![payload("one")]).await.unwrap();
    journal.shutdown().await;
    assert_eq!(other.append(vec![payload("two")]).await.unwrap_err(), AppendError::Closed);
    let (journal, report) = open(&disk);
    assert_eq!(report.recovery.end, LogPosition::new(1));
    journal.shutdown().await;
}

#[tokio::test]
async fn floors_reach_the_writer_and_truncate() {
    let disk = SimDisk::new();
    let (journal, _) = open(&disk);
    for _ in 0..12 {
        journal.append(vec![Bytes::from(vec![1; 3000])]).await.unwrap();
    }
    journal.set_floor("lake", LogPosition::new(12));
    journal.append(vec![payload("one")]).await.unwrap();
    journal.append(vec![payload("two")]).await.unwrap();
    assert!(journal.stats().first > LogPosition::START);
}
