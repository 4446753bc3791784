//! Opening a journal: what earlier boots left is checked, repaired and reported, and a new epoch begins in a segment of its own.

use std::{collections::BTreeMap, io, sync::Arc};

use custody_types::{JournalId, LogPosition, LogRecord, Seq, Source};

use crate::{
    config::JournalConfig,
    disk::{Disk, DiskLock},
    error::OpenJournalError,
    format::{Began, SEGMENT_HEAD, SegmentHead, frame_len, segment_ordinal},
    kafka::{MARK_FILE, PARTITION_FILE},
    landmark::{Identity, Mark, MarkFile, read_identity, write_identity},
    report::{OpenRequestRecords, RecoveryReport, TornTail},
    segment_reader::SegmentReader,
    spare::{SPARE, is_on_disk, make_segment, use_spare},
    tail::{Tail, find_end},
    unit::{Obligation, RequestKey},
    view::{Segment, Segments, Shared, list_segments},
};

/// A journal that is ready to be written.
#[derive(Debug)]
pub(crate) struct Opened {
    pub lock: DiskLock,
    pub mark_file: MarkFile,
    pub segments: Segments,
    pub report: RecoveryReport,
}

/// Opens the folder and begins the next epoch.
pub(crate) fn open(config: &JournalConfig, disk: &Arc<dyn Disk>) -> Result<Opened, OpenJournalError> {
    check(config)?;
    let lock = disk.lock().map_err(fault("locking the folder", config))?.ok_or(OpenJournalError::Locked)?;
    let names = tidy(disk.as_ref()).map_err(fault("listing the folder", config))?;
    let identity = identify(config, disk.as_ref(), &names)?;
    let journal = identity.map_or(config.new_journal, |identity| identity.journal);
    let copied = identity.is_some_and(|identity| identity.copied);
    let mark_file = MarkFile::open_or_create(disk.as_ref()).map_err(fault("opening the mark", config))?;
    // A copy taken while the original was written may hold a mark that is ahead of its segments.
    let mark = mark_file.read().map_err(fault("reading the mark", config))?.filter(|mark| mark.journal == journal && !copied);
    let found = find_segments(config, disk.as_ref(), journal, &names)?;
    let past = Past::read(config, disk, found, mark)?;
    if copied || identity.is_none() {
        write_identity(disk.as_ref(), journal).map_err(fault("writing the identity", config))?;
    }
    let segments = begin_epoch(config, disk.as_ref(), journal, &past, &names)?;
    let report = past.report(journal, &segments, identity.is_none(), copied, names);
    Ok(Opened { lock, mark_file, segments, report })
}

fn fault(doing: &'static str, config: &JournalConfig) -> impl FnOnce(io::Error) -> OpenJournalError + use<> {
    OpenJournalError::from_disk(doing, config.segment_bytes)
}

fn check(config: &JournalConfig) -> Result<(), OpenJournalError> {
    let frames = config.segment_bytes.saturating_sub(SEGMENT_HEAD);
    let largest = frame_len(config.max_record_bytes) as u64;
    let rules = [
        (largest <= frames, "max_record_bytes", "must fit into one segment"),
        (config.outcome_reserve_bytes > 0, "outcome_reserve_bytes", "must not be zero"),
        (config.outcome_reserve_bytes.saturating_mul(4) <= frames, "outcome_reserve_bytes", "must be at most a quarter of a segment"),
        (config.max_total_bytes >= config.segment_bytes.saturating_mul(2), "max_total_bytes", "must hold at least two segments"),
        (config.max_batch_bytes > 0, "max_batch_bytes", "must not be zero"),
    ];
    let broken = rules.into_iter().find(|(kept, ..)| !kept);
    broken.map_or(Ok(()), |(_, key, problem)| Err(OpenJournalError::Config { key, problem }))
}

/// Removes half-made files and lists the others.
fn tidy(disk: &dyn Disk) -> io::Result<Vec<String>> {
    let (half_made, names): (Vec<_>, Vec<_>) = disk.list()?.into_iter().partition(|name| name.ends_with(".tmp"));
    for name in half_made {
        disk.remove(&name)?;
    }
    Ok(names)
}

fn identify(config: &JournalConfig, disk: &dyn Disk, names: &[String]) -> Result<Option<Identity>, OpenJournalError> {
    let damaged = |problem| OpenJournalError::Damaged { file: "identity".into(), problem };
    let identity = match read_identity(disk) {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(damaged("is not the identity of a journal")),
        other => other.map_err(fault("reading the identity", config))?,
    };
    if identity.is_none() && names.iter().any(|name| segment_ordinal(name).is_some()) {
        return Err(damaged("is missing, but segments are there: restore it with them"));
    }
    Ok(identity)
}

fn find_segments(config: &JournalConfig, disk: &dyn Disk, journal: JournalId, names: &[String]) -> Result<Segments, OpenJournalError> {
    let segments = list_segments(disk, journal).map_err(fault("reading segments", config))?;
    let named = names.iter().filter(|name| segment_ordinal(name).is_some());
    let readable: Vec<String> = segments.iter().map(Segment::name).collect();
    match named.into_iter().find(|name| !readable.contains(name)) {
        None => Ok(segments),
        Some(name) => {
            let problem = "has no readable head of this journal: restore it, or move it away and accept the loss";
            Err(OpenJournalError::Damaged { file: name.clone(), problem })
        }
    }
}

/// What earlier boots left.
struct Past {
    segments: Segments,
    mark: Option<Mark>,
    tail: Option<Tail>,
    torn: Option<TornTail>,
    damaged: Vec<LogPosition>,
    end: LogPosition,
    open: Vec<OpenRequestRecords>,
}

impl Past {
    fn read(config: &JournalConfig, disk: &Arc<dyn Disk>, segments: Segments, mark: Option<Mark>) -> Result<Self, OpenJournalError> {
        let known_durable = mark.map_or(LogPosition::START, |mark| mark.durable);
        let Some(last) = segments.last() else {
            let (tail, torn, damaged, open) = (None, None, Vec::new(), Vec::new());
            return Ok(Self { segments, mark, tail, torn, damaged, end: known_durable, open });
        };
        let bytes = read_from_device(last).map_err(fault("reading the last segment", config))?;
        let tail = find_end(&bytes, &last.head, known_durable);
        let torn = quarantine(disk.as_ref(), last, &bytes, &tail).map_err(fault("keeping torn bytes aside", config))?;
        let end = tail.end;
        let (open, damaged) = open_requests(&segments, last.head, end).map_err(fault("reading open requests", config))?;
        Ok(Self { tail: Some(tail), segments, mark, torn, damaged, end, open })
    }

    fn epoch(&self) -> u32 {
        let of_segments = self.segments.last().map_or(0, |segment| segment.head.epoch);
        of_segments.max(self.mark.map_or(0, |mark| mark.epoch))
    }

    fn report(self, journal: JournalId, segments: &Segments, created: bool, copied: bool, names: Vec<String>) -> RecoveryReport {
        let epoch = segments.last().map_or(1, |segment| segment.head.epoch);
        RecoveryReport {
            source: Source { journal, epoch },
            previous_epoch: (epoch > 1).then(|| epoch - 1),
            created,
            copied,
            first: segments.first().map_or(self.end, |segment| segment.head.first),
            end: self.end,
            torn: self.torn,
            damaged: self.damaged,
            unknown_files: names.into_iter().filter(|name| !is_ours(name)).collect(),
            open_requests: self.open,
        }
    }
}

fn is_ours(name: &str) -> bool {
    ["identity", "lock", "mark", SPARE, PARTITION_FILE, MARK_FILE].contains(&name)
        || segment_ordinal(name).is_some()
        || name.starts_with("quarantine-")
}

/// Reads a segment as the device holds it: pages that an earlier process wrote but never synced are synced first, and cached
/// ones dropped, so that recovery does not trust what a power loss could still take away.
fn read_from_device(segment: &Segment) -> io::Result<Vec<u8>> {
    segment.file.sync()?;
    segment.file.drop_cache()?;
    let mut bytes = vec![0; usize::try_from(segment.len).unwrap_or_default()];
    let read = segment.file.read_at(0, &mut bytes)?;
    bytes.truncate(read);
    Ok(bytes)
}

fn quarantine(disk: &dyn Disk, segment: &Segment, bytes: &[u8], tail: &Tail) -> io::Result<Option<TornTail>> {
    const TEMPORARY: &str = "quarantine.tmp";
    let Some(range) = tail.torn.clone() else {
        return Ok(None);
    };
    let torn = bytes.get(range.clone()).unwrap_or_default();
    let name = format!("quarantine-{:016x}-{:08x}.bin", segment.head.ordinal, range.start);
    disk.create(TEMPORARY, torn.len() as u64)?;
    let file = disk.open(TEMPORARY)?;
    file.write_at(0, torn)?;
    file.sync()?;
    disk.rename(TEMPORARY, &name)?;
    Ok(Some(TornTail { segment: segment.name(), offset: range.start as u64, bytes: torn.len() as u64, quarantine: name }))
}

type OpenAndDamaged = (Vec<OpenRequestRecords>, Vec<LogPosition>);

/// Reads from the oldest request that was open when the last segment began, and keeps the records of those still open.
fn open_requests(segments: &Segments, last: SegmentHead, end: LogPosition) -> io::Result<OpenAndDamaged> {
    let kept = segments.first().map_or(last.first, |segment| segment.head.first);
    let shared = Arc::new(Shared::new(last.journal, Arc::clone(segments), end));
    let mut reader = SegmentReader::shared(shared, last.oldest_open.max(kept));
    let mut open: BTreeMap<RequestKey, Vec<LogRecord>> = BTreeMap::new();
    let mut damaged = Vec::new();
    loop {
        let frames = reader.read(1 << 20).map_err(io::Error::other)?;
        if frames.is_empty() {
            break;
        }
        for frame in frames {
            if frame.record.damaged {
                damaged.push(frame.record.position);
            }
            note(&mut open, frame.obligation, frame.record);
        }
    }
    let mut requests: Vec<_> = open.into_iter().map(|(key, records)| OpenRequestRecords { key, records }).collect();
    requests.sort_by_key(|request| request.records.first().map(|record| record.position));
    Ok((requests, damaged))
}

fn note(open: &mut BTreeMap<RequestKey, Vec<LogRecord>>, obligation: Obligation, mut record: LogRecord) {
    // A copy, so that one small record does not keep the whole piece it was read with in memory.
    record.payload = bytes::Bytes::copy_from_slice(&record.payload);
    match obligation {
        Obligation::None => {}
        Obligation::Opens(key) => {
            open.insert(key, vec![record]);
        }
        Obligation::Within(key) => {
            if let Some(records) = open.get_mut(&key) {
                records.push(record);
            }
        }
        Obligation::Closes(key) => {
            open.remove(&key);
        }
    }
}

/// Makes the new epoch's segment, then drops what the last one held behind its end.
fn begin_epoch(
    config: &JournalConfig,
    disk: &dyn Disk,
    journal: JournalId,
    past: &Past,
    names: &[String],
) -> Result<Segments, OpenJournalError> {
    let highest = names.iter().filter_map(|name| segment_ordinal(name)).max().unwrap_or(0);
    let oldest_open = past.open.first().and_then(|request| request.records.first()).map_or(past.end, |record| record.position);
    let head = SegmentHead {
        journal,
        epoch: past.epoch().saturating_add(1),
        first: past.end,
        first_seq: Seq::new(1),
        ordinal: highest + 1,
        oldest_open,
        began: Began::Boot,
    };
    let begun = fresh_segment(config, disk, head).map_err(fault("making a segment", config))?;
    let mut segments = past.segments.to_vec();
    retire_last(disk, &mut segments, past).map_err(fault("closing the last segment", config))?;
    segments.push(begun);
    Ok(segments.into())
}

fn fresh_segment(config: &JournalConfig, disk: &dyn Disk, head: SegmentHead) -> io::Result<Segment> {
    if is_on_disk(disk, config.segment_bytes) { use_spare(disk, head) } else { make_segment(disk, config.segment_bytes, head) }
}

/// An empty segment goes, a used one gives back the room it will not need. Only after its successor is durable.
fn retire_last(disk: &dyn Disk, segments: &mut Vec<Segment>, past: &Past) -> io::Result<()> {
    let (Some(last), Some(tail)) = (segments.last_mut(), &past.tail) else {
        return Ok(());
    };
    if tail.end == last.head.first {
        disk.remove(&last.name())?;
        segments.pop();
        return Ok(());
    }
    let used = tail.end_offset as u64;
    if used < last.len {
        disk.shrink(&last.name(), used)?;
        last.len = used;
    }
    Ok(())
}
