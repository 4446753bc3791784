//! What the caller gets and what is kept when the disk fails (issue 2, must-show 5).

use std::{io::ErrorKind, sync::Arc};

use custody_log::{AppendError, FullCause, JournalCore, OpenJournalError, Unit, UnitKind};
use custody_testkit::disk::{DiskPoint, SimDisk};
use custody_types::LogPosition;

use crate::world::*;

#[test]
fn a_failed_sync_poisons_the_segment_and_the_batch_is_kept_elsewhere() {
    for point in [DiskPoint::Sync, DiskPoint::Write] {
        let disk = SimDisk::new();
        let (mut core, _) = open(&disk);
        put(&mut core, plain(&["one"])).unwrap();
        let poisoned = newest_segment(&disk);
        disk.fail(point, ErrorKind::Other, 1);
        core.enqueue(plain(&["two", "three"])).unwrap();
        let report = core.commit().unwrap();
        assert!(report.rewritten && report.records == 2);
        assert_eq!(core.stats().poisoned, 1);
        assert_ne!(newest_segment(&disk), poisoned);
        put(&mut core, plain(&["four"])).unwrap();
        assert_eq!(texts(&core), ["one", "two", "three", "four"]);
        // A device that lied about the failed pages shows them as never written after a power loss.
        disk.crash(3);
        let (core, report) = open(&disk);
        assert_eq!(texts(&core), ["one", "two", "three", "four"]);
        assert!(report.damaged.is_empty(), "{report:?}");
        assert_gapless(&frames(&core));
    }
}

#[test]
fn two_failures_end_the_journal_and_keep_what_was_acknowledged() {
    let disk = SimDisk::new();
    let (mut core, _) = open(&disk);
    put(&mut core, unit(UnitKind::Open(key(1)), &["one"])).unwrap();
    disk.fail(DiskPoint::Sync, ErrorKind::Other, 9);
    core.enqueue(plain(&["two"])).unwrap();
    assert_eq!(core.commit(), Err(AppendError::Failed));
    disk.heal();
    assert_eq!(core.commit(), Err(AppendError::Failed), "no retry on a disk that failed twice");
    assert_eq!(core.enqueue(plain(&["three"])).unwrap_err(), AppendError::Failed);
    assert_eq!(core.enqueue(unit(UnitKind::Close(key(1)), &["o"])).unwrap_err(), AppendError::Failed);
    assert!(core.stats().failed);
    assert_eq!(texts(&core), ["one"], "readers go on");
    disk.crash(1);
    assert_eq!(texts(&open(&disk).0)[0], "one");
}

#[test]
fn what_a_failed_sync_left_in_the_cache_is_not_trusted_by_the_next_boot() {
    let disk = SimDisk::new();
    let (mut core, _) = open(&disk);
    put(&mut core, plain(&["one"])).unwrap();
    disk.fail(DiskPoint::Sync, ErrorKind::Other, 9);
    core.enqueue(plain(&["never acknowledged"])).unwrap();
    assert!(core.commit().is_err());
    disk.heal();
    // Only the process ends: its pages are still in the cache, but not on the device.
    disk.kill();
    let (mut core, _) = open(&disk);
    let seen = texts(&core);
    put(&mut core, plain(&["two"])).unwrap();
    disk.crash_keeping(0);
    let (core, _) = open(&disk);
    let after: Vec<_> = seen.into_iter().chain(["two".to_owned()]).collect();
    assert_eq!(texts(&core), after, "a position never changes its record");
}

#[test]
fn a_read_only_folder_says_so() {
    let disk = SimDisk::new();
    disk.set_read_only(true);
    let error = JournalCore::open(config(), Arc::new(disk.clone())).unwrap_err();
    assert!(matches!(error, OpenJournalError::ReadOnly(_)), "{error}");
    assert!(error.to_string().contains("read-only"), "{error}");
    disk.set_read_only(false);
    let (mut core, _) = open(&disk);
    put(&mut core, plain(&["one"])).unwrap();
    disk.set_read_only(true);
    core.enqueue(plain(&["two"])).unwrap();
    assert_eq!(core.commit(), Err(AppendError::Failed), "turned read-only while running");
}

#[test]
fn a_full_disk_at_the_first_open_says_how_much_is_needed() {
    let disk = SimDisk::new();
    disk.set_capacity(Some(10_000));
    let error = JournalCore::open(config(), Arc::new(disk.clone())).unwrap_err();
    assert!(matches!(error, OpenJournalError::DiskFull { bytes: 16384 }), "{error}");
    disk.set_capacity(None);
    drop(open(&disk));
}

#[test]
fn a_full_disk_refuses_the_intent_and_never_the_outcome() {
    let disk = SimDisk::new();
    let (mut core, _) = open(&disk);
    disk.set_capacity(Some(0));
    let mut admitted = Vec::new();
    let refusal = loop {
        let request = key(admitted.len() as u8);
        match put(&mut core, unit(UnitKind::Open(request), &["intent"])) {
            Ok(_) => admitted.push(request),
            Err(error) => break error,
        }
    };
    assert!(matches!(refusal, AppendError::Full { cause: FullCause::Promised, .. }), "{refusal:?}");
    assert!(admitted.len() > 10);
    let before = frames(&core).len();
    // Each outcome is as large as the reserve allows.
    for request in &admitted {
        put(&mut core, big(UnitKind::Close(*request), 1024 - 64)).unwrap();
    }
    assert_eq!(frames(&core).len(), before + admitted.len());
    assert_eq!(core.stats().open_requests, 0);
    let refusal = loop {
        if let Err(error) = put(&mut core, big(UnitKind::Plain, 3000)) {
            break error;
        }
    };
    assert!(matches!(refusal, AppendError::Full { cause: FullCause::Disk, .. }), "{refusal:?}");
    disk.set_capacity(None);
    core.prepare_spare().unwrap();
    put(&mut core, unit(UnitKind::Open(key(99)), &["intent"])).unwrap();
}

#[test]
fn a_full_disk_does_not_keep_a_journal_with_a_spare_from_booting_and_closing() {
    let disk = SimDisk::new();
    let (mut core, _) = open(&disk);
    put(&mut core, unit(UnitKind::Open(key(1)), &["intent"])).unwrap();
    disk.set_capacity(Some(0));
    disk.kill();
    let (mut core, report) = open(&disk);
    assert_eq!(report.open_requests.len(), 1);
    put(&mut core, unit(UnitKind::Close(key(1)), &["abandoned"])).unwrap();
}

#[test]
fn a_read_error_is_reported_and_the_reader_stays_where_it_was() {
    let disk = SimDisk::new();
    let (mut core, _) = open(&disk);
    put(&mut core, plain(&["one"])).unwrap();
    let mut reader = core.reader(custody_types::LogPosition::START);
    disk.fail(DiskPoint::Read, ErrorKind::Other, 1);
    assert!(reader.read(100).is_err());
    assert_eq!(read_all(&mut reader).len(), 1);
}

/// Only where the next record begins says how long an altered one was: until it is written, a reader that goes on does not know.
#[test]
fn records_written_after_an_altered_one_that_ends_in_zeros_are_read_whole() {
    for after in [&["two"][..], &["two", "three"]] {
        let disk = SimDisk::new();
        let (mut core, _) = open(&disk);
        put(&mut core, Unit { records: vec![vec![0; 200].into()], ..plain(&[]) }).unwrap();
        assert!(disk.flip(&newest_segment(&disk), HEAD, 0x10));
        let mut reader = core.reader(LogPosition::START);
        let altered = read_all(&mut reader);
        assert_eq!(altered.iter().map(|frame| frame.record.damaged).collect::<Vec<_>>(), [true]);
        assert!(read_all(&mut reader).is_empty());
        for _ in 0..2 {
            put(&mut core, plain(after)).unwrap();
            let read = read_all(&mut reader);
            let texts: Vec<_> = read.iter().map(|frame| (frame.record.damaged, frame.record.payload.as_ref())).collect();
            let expected: Vec<_> = after.iter().map(|text| (false, text.as_bytes())).collect();
            assert_eq!(texts, expected);
        }
        assert_gapless(&frames(&core));
    }
}

#[test]
fn a_record_altered_where_the_one_before_it_was_altered_too_is_told_alone() {
    let disk = SimDisk::new();
    let (mut core, _) = open(&disk);
    put(&mut core, Unit { records: vec![vec![0; 200].into()], ..plain(&[]) }).unwrap();
    assert!(disk.flip(&newest_segment(&disk), HEAD, 0x10));
    let mut reader = core.reader(LogPosition::START);
    assert_eq!(read_all(&mut reader).len(), 1);
    put(&mut core, plain(&["two", "three"])).unwrap();
    assert!(disk.flip(&newest_segment(&disk), HEAD + 64 + 200, 0x10));
    let read = read_all(&mut reader);
    assert_eq!(read.iter().map(|frame| frame.record.damaged).collect::<Vec<_>>(), [true, false]);
    assert_gapless(&frames(&core));
}
