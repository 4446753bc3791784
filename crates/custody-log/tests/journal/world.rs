//! Short words for the tests: a small journal on a simulated disk.

use std::sync::Arc;

use bytes::Bytes;
use custody_log::{AppendError, Frame, JournalConfig, JournalCore, RecoveryReport, RequestKey, SegmentReader, Ticket, Unit, UnitKind};
use custody_testkit::disk::SimDisk;
use custody_types::{JournalId, LogPosition};
use uuid::Uuid;

pub const HEAD: usize = 4096;

pub fn config() -> JournalConfig {
    JournalConfig {
        segment_bytes: 16 << 10,
        max_total_bytes: 160 << 10,
        max_record_bytes: 4 << 10,
        outcome_reserve_bytes: 1 << 10,
        max_batch_bytes: 8 << 10,
        ..JournalConfig::new(JournalId::from_uuid(Uuid::from_u128(7)))
    }
}

pub fn open(disk: &SimDisk) -> (JournalCore, RecoveryReport) {
    open_with(disk, config())
}

pub fn open_with(disk: &SimDisk, config: JournalConfig) -> (JournalCore, RecoveryReport) {
    let (mut core, report) = JournalCore::open(config, Arc::new(disk.clone())).unwrap();
    let _ = core.prepare_spare();
    (core, report)
}

pub fn payload(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

pub fn key(number: u8) -> RequestKey {
    [number; 16]
}

pub fn plain(texts: &[&str]) -> Unit {
    Unit { kind: UnitKind::Plain, records: texts.iter().map(|text| payload(text)).collect() }
}

pub fn unit(kind: UnitKind, texts: &[&str]) -> Unit {
    Unit { kind, ..plain(texts) }
}

pub fn big(kind: UnitKind, bytes: usize) -> Unit {
    Unit { kind, records: vec![Bytes::from(vec![b'x'; bytes])] }
}

/// Enqueues and commits until it is durable.
pub fn put(core: &mut JournalCore, unit: Unit) -> Result<Ticket, AppendError> {
    let ticket = core.enqueue(unit)?;
    while core.durable() < ticket.appended.end {
        core.commit()?;
    }
    let _ = core.prepare_spare();
    Ok(ticket)
}

pub fn read_all(reader: &mut SegmentReader) -> Vec<Frame> {
    let mut frames = Vec::new();
    loop {
        let more = reader.read(1000).unwrap();
        if more.is_empty() {
            return frames;
        }
        frames.extend(more);
    }
}

pub fn frames(core: &JournalCore) -> Vec<Frame> {
    read_all(&mut core.reader(LogPosition::START))
}

pub fn texts(core: &JournalCore) -> Vec<String> {
    frames(core).iter().map(|frame| String::from_utf8_lossy(&frame.record.payload).into_owned()).collect()
}

pub fn newest_segment(disk: &SimDisk) -> String {
    disk.names().into_iter().rfind(|name| name.starts_with("segment-")).unwrap()
}

/// Positions are gapless, and so is `seq` within each source.
pub fn assert_gapless(frames: &[Frame]) {
    for pair in frames.windows(2) {
        let (before, after) = (&pair[0].record, &pair[1].record);
        assert_eq!(after.position, before.position.next());
        let expected = if before.source == after.source { before.seq.get() + 1 } else { 1 };
        assert_eq!(after.seq.get(), expected, "{after:?}");
    }
}
