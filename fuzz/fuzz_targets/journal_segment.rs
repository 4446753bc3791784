//! A journal whose bytes were altered anywhere: it opens or refuses with a sentence, hands on what it can read, and never panics
//! or invents a record.
#![no_main]

use std::sync::Arc;

use bytes::Bytes;
use custody_log::{Disk, JournalConfig, JournalCore, SegmentReader, Unit, UnitKind};
use custody_testkit::disk::SimDisk;
use custody_types::JournalId;
use libfuzzer_sys::fuzz_target;

const RECORDS: usize = 12;

fuzz_target!(|flips: Vec<(u16, u8)>| {
    let disk = SimDisk::new();
    write(&disk);
    disk.kill();
    let names = disk.names();
    for (place, mask) in flips {
        let Some(name) = names.get(usize::from(mask) % names.len().max(1)) else { return };
        let _ = disk.flip(name, usize::from(place), mask);
    }
    let Ok((core, report)) = JournalCore::open(config(), Arc::new(disk.clone())) else { return };
    assert!(report.end.get() <= RECORDS as u64);
    drop(core);
    let shared: Arc<dyn Disk> = Arc::new(disk);
    if let Ok(mut reader) = SegmentReader::follow(shared) {
        while let Ok(frames) = reader.read(1 << 20) {
            if frames.is_empty() {
                break;
            }
        }
    }
});

fn config() -> JournalConfig {
    JournalConfig {
        segment_bytes: 64 << 10,
        outcome_reserve_bytes: 1 << 10,
        max_record_bytes: 4 << 10,
        ..JournalConfig::new(JournalId::from_uuid(uuid::Uuid::nil()))
    }
}

fn write(disk: &SimDisk) {
    let Ok((mut core, _)) = JournalCore::open(config(), Arc::new(disk.clone())) else { return };
    let _ = core.prepare_spare();
    for record in 0..RECORDS {
        let _ = core.enqueue(Unit { kind: UnitKind::Plain, records: vec![Bytes::from(vec![record as u8; 100])] });
        while core.pending() > 0 {
            if core.commit().is_err() {
                return;
            }
        }
    }
}
