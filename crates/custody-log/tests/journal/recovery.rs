//! What opening finds after a crash, a kill, an altered byte, a copy (issue 2, must-show 5).

use std::sync::Arc;

use custody_log::{JournalCore, Obligation, OpenJournalError, ReadError, SegmentReader, UnitKind};
use custody_testkit::disk::SimDisk;
use custody_types::LogPosition;

use crate::world::*;

#[test]
fn records_and_positions_continue_across_boots_and_seq_begins_anew() {
    let disk = SimDisk::new();
    for boot in 1..=3u32 {
        let (mut core, report) = open(&disk);
        assert_eq!((report.source.epoch, report.previous_epoch), (boot, (boot > 1).then(|| boot - 1)));
        let ticket = put(&mut core, plain(&["a", "b"])).unwrap();
        assert_eq!((ticket.appended.first_seq.get(), ticket.appended.last_seq.get()), (1, 2));
        assert_eq!(ticket.appended.end.get(), u64::from(boot) * 2);
        assert_gapless(&frames(&core));
        disk.kill();
    }
    assert_eq!(texts(&open(&disk).0), ["a", "b", "a", "b", "a", "b"]);
}

#[test]
fn a_boot_without_records_leaves_no_segment_behind() {
    let disk = SimDisk::new();
    for _ in 0..5 {
        drop(open(&disk));
    }
    assert_eq!(disk.names().iter().filter(|name| name.starts_with("segment-")).count(), 1);
}

#[test]
fn a_crash_at_every_byte_of_the_last_batch_keeps_what_was_acknowledged() {
    let lengths = {
        let disk = SimDisk::new();
        let (mut core, _) = open(&disk);
        put(&mut core, plain(&["kept-1", "kept-2"])).unwrap();
        let start = HEAD + 2 * 72;
        core.enqueue(plain(&["x1", "x2 is longer than the others", ""])).unwrap();
        core.commit().unwrap();
        start..=start + core.stats().bytes as usize - 2 * 72
    };
    for keep in lengths.clone() {
        let disk = SimDisk::new();
        let (mut core, _) = open(&disk);
        put(&mut core, plain(&["kept-1", "kept-2"])).unwrap();
        core.enqueue(plain(&["x1", "x2 is longer than the others", ""])).unwrap();
        // The write goes through, the sync does not.
        disk.power_off_after(1);
        assert!(core.commit().is_err());
        disk.crash_keeping(keep - HEAD);
        let (core, report) = open(&disk);
        let texts = texts(&core);
        assert_eq!(texts[..2], ["kept-1", "kept-2"], "{keep}");
        assert!(texts.len() <= 5 && report.damaged.is_empty(), "{keep}: {texts:?} {report:?}");
        let whole = texts.len() == 5 || keep == *lengths.start() || report.torn.is_some();
        assert!(whole || frames(&core).len() > 2, "{keep}");
        if let Some(torn) = report.torn {
            let kept_aside = disk.bytes(&torn.quarantine).unwrap();
            assert_eq!(kept_aside.len() as u64, torn.bytes);
            assert!(kept_aside.iter().any(|byte| *byte != 0));
        }
        assert_gapless(&frames(&core));
    }
}

#[test]
fn a_page_torn_inside_the_last_batch_is_torn_and_not_altered() {
    for seed in 0..200 {
        let disk = SimDisk::new();
        let (mut core, _) = open(&disk);
        put(&mut core, plain(&["kept"])).unwrap();
        for _ in 0..3 {
            core.enqueue(big(UnitKind::Plain, 2500)).unwrap();
        }
        disk.power_off_after(1);
        assert!(core.commit().is_err());
        disk.crash(seed);
        let (core, report) = open(&disk);
        assert!(report.damaged.is_empty(), "seed {seed}: {report:?}");
        assert!(frames(&core).iter().all(|frame| !frame.record.damaged));
        assert_eq!(texts(&core)[0], "kept");
    }
}

#[test]
fn a_flipped_byte_anywhere_is_told_and_its_record_is_never_dropped() {
    let end = HEAD + 3 * 72;
    for offset in HEAD..end {
        let disk = SimDisk::new();
        let (mut core, _) = open(&disk);
        for text in ["one", "two", "three"] {
            put(&mut core, plain(&[text])).unwrap();
        }
        let segment = newest_segment(&disk);
        assert!(disk.flip(&segment, offset, 0x10));
        check_one_altered(&frames(&core), offset);
        disk.kill();
        let (core, report) = open(&disk);
        assert!(report.torn.is_none(), "{offset}: {report:?}");
        check_one_altered(&frames(&core), offset);
    }
}

fn check_one_altered(frames: &[custody_log::Frame], offset: usize) {
    assert_eq!(frames.len(), 3, "{offset}");
    assert_gapless(frames);
    let altered: Vec<_> = frames.iter().filter(|frame| frame.record.damaged).map(|frame| frame.record.position.get()).collect();
    let in_padding = (offset - HEAD) % 72 >= 64 + [3, 3, 5][(offset - HEAD) / 72];
    let expected = if in_padding { vec![] } else { vec![(offset - HEAD) as u64 / 72] };
    assert_eq!(altered, expected, "{offset}");
}

#[test]
fn an_altered_byte_before_a_later_commit_is_told_even_when_the_mark_is_lost() {
    let disk = SimDisk::new();
    let (mut core, _) = open(&disk);
    for text in ["one", "two", "three"] {
        put(&mut core, plain(&[text])).unwrap();
    }
    // The mark was never synced: the machine stopped before it reached the disk.
    disk.crash_keeping(0);
    assert!(disk.flip(&newest_segment(&disk), HEAD + 72 + 64, 1));
    let (core, report) = open(&disk);
    assert_eq!(report.damaged, [LogPosition::new(1)]);
    assert_eq!(frames(&core).len(), 3);
}

#[test]
fn a_sector_wiped_before_a_later_commit_is_altered_and_not_torn() {
    let disk = SimDisk::new();
    let (mut core, _) = open(&disk);
    put(&mut core, big(UnitKind::Plain, 2000)).unwrap();
    put(&mut core, plain(&["two"])).unwrap();
    disk.crash_keeping(0);
    let segment = newest_segment(&disk);
    let bytes = disk.bytes(&segment).unwrap();
    for (offset, byte) in bytes.iter().enumerate().skip(HEAD + 512).take(512) {
        assert!(disk.flip(&segment, offset, *byte));
    }
    let (core, report) = open(&disk);
    assert_eq!((report.damaged.as_slice(), &report.torn), ([LogPosition::START].as_slice(), &None));
    assert_eq!(texts(&core)[1], "two");
}

#[test]
fn a_segment_head_survives_one_altered_byte() {
    let disk = SimDisk::new();
    let (mut core, _) = open(&disk);
    put(&mut core, plain(&["one"])).unwrap();
    let segment = newest_segment(&disk);
    disk.kill();
    assert!(disk.flip(&segment, 33, 4));
    assert_eq!(texts(&open(&disk).0), ["one"]);
    disk.kill();
    assert!(disk.flip(&segment, 2048 + 33, 4));
    let error = JournalCore::open(config(), Arc::new(disk.clone())).unwrap_err();
    assert!(matches!(error, OpenJournalError::Damaged { ref file, .. } if *file == segment), "{error}");
}

#[test]
fn open_requests_come_back_with_all_their_records() {
    let disk = SimDisk::new();
    let (mut core, _) = open(&disk);
    put(&mut core, unit(UnitKind::Open(key(1)), &["r1", "p1", "route1"])).unwrap();
    put(&mut core, unit(UnitKind::Open(key(2)), &["r2"])).unwrap();
    put(&mut core, plain(&["between"])).unwrap();
    put(&mut core, unit(UnitKind::Within(key(1)), &["route2"])).unwrap();
    put(&mut core, unit(UnitKind::Close(key(2)), &["i2", "o2"])).unwrap();
    disk.kill();
    let (mut core, report) = open(&disk);
    assert_eq!(report.open_requests.len(), 1);
    let request = &report.open_requests[0];
    let found: Vec<_> = request.records.iter().map(|record| String::from_utf8_lossy(&record.payload).into_owned()).collect();
    assert_eq!((request.key, found.as_slice()), (key(1), ["r1", "p1", "route1", "route2"].map(String::from).as_slice()));
    put(&mut core, unit(UnitKind::Close(key(1)), &["o1"])).unwrap();
    assert_eq!(frames(&core).last().unwrap().obligation, Obligation::Closes(key(1)));
    disk.kill();
    assert!(open(&disk).1.open_requests.is_empty());
}

#[test]
fn a_request_is_found_again_across_many_rolls_and_boots() {
    let disk = SimDisk::new();
    let (mut core, _) = open(&disk);
    put(&mut core, unit(UnitKind::Open(key(1)), &["intent"])).unwrap();
    for _ in 0..12 {
        put(&mut core, big(UnitKind::Plain, 3000)).unwrap();
    }
    assert!(core.stats().segments > 3);
    core.set_floor("lake", core.durable());
    for _ in 0..3 {
        disk.crash(9);
        let (_, report) = open(&disk);
        assert_eq!(report.open_requests[0].records[0].payload, "intent");
    }
}

#[test]
fn an_outcome_that_is_not_durable_does_not_pay_the_debt() {
    let disk = SimDisk::new();
    let (mut core, _) = open(&disk);
    put(&mut core, unit(UnitKind::Open(key(1)), &["intent"])).unwrap();
    for _ in 0..2 {
        put(&mut core, big(UnitKind::Plain, 3900)).unwrap();
    }
    core.enqueue(unit(UnitKind::Close(key(1)), &["outcome"])).unwrap();
    core.enqueue(big(UnitKind::Plain, 4000)).unwrap();
    // Rolls with the outcome pending or written, and stops at each step of it.
    for steps in 0..12 {
        let disk = disk.copy();
        let (mut core, _) = open(&disk);
        core.enqueue(big(UnitKind::Plain, 4000)).unwrap();
        core.enqueue(unit(UnitKind::Close(key(1)), &["outcome"])).unwrap();
        core.enqueue(big(UnitKind::Plain, 4000)).unwrap();
        core.enqueue(big(UnitKind::Plain, 4000)).unwrap();
        disk.power_off_after(steps);
        while core.pending() > 0 && core.commit().is_ok() {}
        let paid = core.durable() > LogPosition::new(4);
        disk.crash(steps);
        let (core, report) = open(&disk);
        let is_open = !report.open_requests.is_empty();
        let outcome_kept = texts(&core).iter().any(|text| text == "outcome");
        assert_eq!(is_open, !outcome_kept, "{steps}");
        assert!(!paid || outcome_kept, "{steps}");
    }
}

#[test]
fn a_copied_folder_is_told_once_and_writes_under_the_same_journal_and_epoch() {
    let disk = SimDisk::new();
    let (mut core, report) = open(&disk);
    assert!(report.created && !report.copied);
    put(&mut core, plain(&["one"])).unwrap();
    let copy = disk.copy();
    disk.kill();
    let (_, original) = open(&disk);
    let (_, copied) = open(&copy);
    assert!(!original.copied && copied.copied);
    // Both are the same source to the lake, which tells them apart by event id: the same seq with another id (D3).
    assert_eq!(original.source, copied.source);
    copy.kill();
    assert!(!open(&copy).1.copied);
}

#[test]
fn two_owners_of_one_folder_are_refused() {
    let disk = SimDisk::new();
    let first = open(&disk);
    assert!(matches!(JournalCore::open(config(), Arc::new(disk.clone())), Err(OpenJournalError::Locked)));
    drop(first);
    assert!(JournalCore::open(config(), Arc::new(disk)).is_ok());
}

#[test]
fn a_lost_segment_is_counted_as_damage_and_not_closed_over() {
    let disk = SimDisk::new();
    let (mut core, _) = open(&disk);
    for _ in 0..10 {
        put(&mut core, big(UnitKind::Plain, 3000)).unwrap();
    }
    let names: Vec<_> = disk.names().into_iter().filter(|name| name.starts_with("segment-")).collect();
    assert!(names.len() >= 3, "{names:?}");
    disk.kill();
    custody_log::Disk::remove(&disk, &names[1]).unwrap();
    let (core, _) = open(&disk);
    let frames = frames(&core);
    assert_eq!(frames.len(), 10);
    assert_gapless(&frames);
    assert!(frames.iter().any(|frame| frame.record.damaged));
}

#[test]
fn a_follower_without_the_lock_sees_durable_records_only() {
    let disk = SimDisk::new();
    assert!(matches!(SegmentReader::follow(Arc::new(disk.clone())), Err(ReadError::NotAJournal { .. })));
    let (mut core, _) = open(&disk);
    let mut follower = SegmentReader::follow(Arc::new(disk.clone())).unwrap();
    core.enqueue(plain(&["one"])).unwrap();
    assert!(read_all(&mut follower).is_empty());
    core.commit().unwrap();
    assert_eq!(read_all(&mut follower).len(), 1);
    for _ in 0..12 {
        put(&mut core, big(UnitKind::Plain, 3000)).unwrap();
        assert_eq!(read_all(&mut follower).len(), 1);
    }
    core.set_floor("lake", core.durable());
    follower.seek(LogPosition::START);
    assert!(matches!(follower.read(1), Err(ReadError::Truncated { .. })));
}
