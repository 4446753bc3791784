//! The journal without threads: what is enqueued gets its places at once and becomes durable with the next commit. Synchronous
//! and deterministic, so that simulations drive the very code that production runs.
//!
//! ```text
//! enqueue ──▶ pending ──▶ commit: write, sync ──▶ durable ──▶ readers, mark
//!                              │ error
//!                              ▼
//!                         poisoned: the file is never written or synced again
//!                              │ the same bytes, once, to a fresh segment
//!                              ▼
//!                         durable, or failed for good
//! ```

use std::{
    collections::{HashMap, VecDeque},
    io,
    sync::Arc,
};

use bytes::Bytes;
use custody_types::{JournalId, LogPosition, Seq, Source};

use crate::{
    commit::Active,
    config::JournalConfig,
    disk::{Disk, DiskLock},
    error::{AppendError, FullCause, OpenJournalError},
    format::{SEGMENT_HEAD, frame_len},
    landmark::MarkFile,
    obligations::Obligations,
    recover,
    report::{JournalStats, RecoveryReport},
    room::Room,
    segment_reader::SegmentReader,
    spare::{Spare, SpareJob},
    unit::{Appended, Ticket, Unit, UnitKind},
    view::Shared,
};

/// A journal that one owner writes.
#[derive(Debug)]
pub struct JournalCore {
    pub(crate) config: JournalConfig,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) mark_file: MarkFile,
    pub(crate) source: Source,
    pub(crate) active: Active,
    pub(crate) room: Room,
    pub(crate) spare: Spare,
    pub(crate) obligations: Obligations,
    pub(crate) pending: VecDeque<Pending>,
    pub(crate) durable: LogPosition,
    pub(crate) durable_seq: Seq,
    pub(crate) next: LogPosition,
    pub(crate) next_seq: Seq,
    pub(crate) floors: HashMap<String, LogPosition>,
    pub(crate) staging: Vec<u8>,
    pub(crate) counters: JournalStats,
    _lock: DiskLock,
}

/// A unit that waits for its commit.
#[derive(Debug)]
pub(crate) struct Pending {
    pub kind: UnitKind,
    pub records: Vec<Bytes>,
    pub bytes: u64,
}

impl JournalCore {
    /// Opens the folder, repairs what the last boot left, and begins a new epoch. No spare is prepared yet.
    pub fn open(config: JournalConfig, disk: Arc<dyn Disk>) -> Result<(Self, RecoveryReport), OpenJournalError> {
        let opened = recover::open(&config, &disk)?;
        let report = opened.report;
        let active =
            Active::begin(&opened.segments).ok_or(OpenJournalError::Config { key: "segment_bytes", problem: "made no segment" })?;
        let shared = Arc::new(Shared::new(report.source.journal, opened.segments, report.end));
        let mut obligations = Obligations::default();
        for request in &report.open_requests {
            obligations.open(request.key, request.records.first().map_or(report.end, |record| record.position));
        }
        let room = Room {
            tail: active.left(),
            spares: 0,
            segment: config.segment_bytes.saturating_sub(SEGMENT_HEAD),
            reserve: config.outcome_reserve_bytes,
            open: obligations.len(),
        };
        let core = Self {
            disk,
            shared,
            mark_file: opened.mark_file,
            source: report.source,
            active,
            room,
            spare: Spare::Missing,
            obligations,
            pending: VecDeque::new(),
            durable: report.end,
            durable_seq: Seq::new(0),
            next: report.end,
            next_seq: Seq::new(1),
            floors: HashMap::new(),
            staging: Vec::new(),
            counters: JournalStats::default(),
            config,
            _lock: opened.lock,
        };
        core.publish_mark();
        Ok((core, report))
    }

    /// The journal.
    #[must_use]
    pub const fn id(&self) -> JournalId {
        self.source.journal
    }

    /// This boot.
    #[must_use]
    pub const fn source(&self) -> Source {
        self.source
    }

    /// Durable end.
    #[must_use]
    pub const fn durable(&self) -> LogPosition {
        self.durable
    }

    /// Units that wait for a commit.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// A reader of durable records, from `from` on.
    #[must_use]
    pub fn reader(&self, from: LogPosition) -> SegmentReader {
        SegmentReader::shared(Arc::clone(&self.shared), from)
    }

    /// Whether [`JournalCore::enqueue`] would take the unit now.
    pub fn check(&self, unit: &Unit) -> Result<(), AppendError> {
        self.room_after(unit).map(|_| ())
    }

    /// Gives the unit its places, or refuses it without a trace. It is durable only once a commit covers it.
    pub fn enqueue(&mut self, unit: Unit) -> Result<Ticket, AppendError> {
        let room = match self.room_after(&unit) {
            Ok(room) => room,
            Err(error) => {
                self.counters.refused_full += u64::from(matches!(error, AppendError::Full { .. }));
                return Err(error);
            }
        };
        self.room = room;
        let count = unit.records.len() as u64;
        let first_seq = self.next_seq;
        let end = LogPosition::new(self.next.get() + count);
        match unit.kind {
            UnitKind::Open(key) => self.obligations.open(key, self.next),
            UnitKind::Close(key) => self.obligations.close(key, end),
            UnitKind::Plain | UnitKind::Within(_) => {}
        }
        self.next = end;
        self.next_seq = Seq::new(first_seq.get() + count);
        let bytes = unit_bytes(&unit.records);
        self.pending.push_back(Pending { kind: unit.kind, records: unit.records, bytes });
        let last_seq = Seq::new(first_seq.get() + count - 1);
        Ok(Ticket { appended: Appended { source: self.source, first_seq, last_seq, end } })
    }

    /// Room after the unit, or why it is refused.
    fn room_after(&self, unit: &Unit) -> Result<Room, AppendError> {
        if self.counters.failed {
            return Err(AppendError::Failed);
        }
        self.check_size(unit)?;
        let is_open = |key| self.obligations.is_open(key);
        let fits_request = match &unit.kind {
            UnitKind::Plain => true,
            UnitKind::Open(key) => !is_open(key),
            UnitKind::Within(key) | UnitKind::Close(key) => is_open(key),
        };
        if !fits_request {
            return Err(AppendError::Obligation);
        }
        let bytes = unit_bytes(&unit.records);
        let placed = self.room.place(bytes);
        let after = match unit.kind {
            UnitKind::Plain | UnitKind::Within(_) => placed.filter(Room::keeps_promises),
            UnitKind::Open(_) => placed.map(Room::opened).filter(Room::keeps_promises),
            UnitKind::Close(_) if bytes <= self.room.reserve => placed.map(Room::closed),
            UnitKind::Close(_) => placed.map(Room::closed).filter(Room::keeps_promises),
        };
        after.ok_or_else(|| AppendError::full(self.why_full()))
    }

    fn check_size(&self, unit: &Unit) -> Result<(), AppendError> {
        let largest = unit.records.iter().map(Bytes::len).max().ok_or(AppendError::Empty)?;
        let too_large = |bytes: u64, limit: u64| if bytes > limit { Err(AppendError::TooLarge { bytes, limit }) } else { Ok(()) };
        too_large(largest as u64, self.config.max_record_bytes as u64)?;
        too_large(unit_bytes(&unit.records), self.room.segment)
    }

    fn why_full(&self) -> FullCause {
        match self.spare {
            Spare::Ready => FullCause::Promised,
            Spare::Missing | Spare::Preparing if self.may_grow() => FullCause::Preparing,
            Spare::Refused(_) if self.may_grow() => FullCause::Disk,
            Spare::Missing | Spare::Preparing | Spare::Refused(_) => FullCause::Bound,
        }
    }

    fn may_grow(&self) -> bool {
        self.total_bytes() + self.config.segment_bytes <= self.config.max_total_bytes
    }

    pub(crate) fn total_bytes(&self) -> u64 {
        let segments: u64 = self.shared.segments().iter().map(|segment| segment.len).sum();
        let spare = if self.spare == Spare::Ready { self.config.segment_bytes } else { 0 };
        segments + spare
    }

    /// The job that prepares the next segment, if one is wanted. Its result goes to [`JournalCore::spare_done`].
    pub fn spare_job(&mut self) -> Option<SpareJob> {
        let wanted = matches!(self.spare, Spare::Missing | Spare::Refused(_)) && self.may_grow() && !self.counters.failed;
        wanted.then(|| {
            // A failed try is not forgotten before its successor has ended: refusals go on naming the disk.
            if self.spare == Spare::Missing {
                self.spare = Spare::Preparing;
            }
            SpareJob { disk: Arc::clone(&self.disk), bytes: self.config.segment_bytes }
        })
    }

    /// Whether the last try to prepare a segment failed; the next is made when somebody needs it.
    pub(crate) const fn is_disk_full(&self) -> bool {
        matches!(self.spare, Spare::Refused(_))
    }

    /// Takes the result of the spare's job.
    pub fn spare_done(&mut self, result: io::Result<()>) {
        match result {
            Ok(()) => {
                self.spare = Spare::Ready;
                self.room.spares = self.room.spares.saturating_add(1);
            }
            Err(error) => {
                tracing::warn!(error = %error, "no spare journal segment");
                self.spare = Spare::Refused(error.kind());
            }
        }
    }

    /// Prepares the next segment here and now, if one is wanted: for owners without a background thread.
    pub fn prepare_spare(&mut self) -> io::Result<()> {
        let Some(job) = self.spare_job() else {
            return Ok(());
        };
        let result = job.run();
        let answer = result.as_ref().map_err(|error| error.kind().into()).copied();
        self.spare_done(result);
        answer
    }

    /// What is known now.
    #[must_use]
    pub fn stats(&self) -> JournalStats {
        let segments = self.shared.segments();
        JournalStats {
            first: segments.first().map_or(self.durable, |segment| segment.head.first),
            durable: self.durable,
            open_requests: self.obligations.len(),
            reserved_bytes: self.room.reserved(),
            allocated_bytes: self.room.allocated(),
            total_bytes: self.total_bytes(),
            max_total_bytes: self.config.max_total_bytes,
            segments: segments.len() as u64,
            spare_ready: self.spare == Spare::Ready,
            ..self.counters.clone()
        }
    }
}

pub(crate) fn unit_bytes(records: &[Bytes]) -> u64 {
    records.iter().map(|record| frame_len(record.len()) as u64).sum()
}
