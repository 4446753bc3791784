//! Making pending units durable: one write and one sync for all of them, and what happens when the disk says no.

use std::{io, sync::Arc};

use bytes::Bytes;
use custody_types::{LogPosition, Seq};

use crate::{
    error::AppendError,
    format::{Began, FrameHead, SEGMENT_HEAD, SegmentHead},
    journal_core::{JournalCore, Pending},
    landmark::Mark,
    room::Room,
    spare::{Spare, make_segment, use_spare},
    unit::{CommitReport, Obligation, UnitKind},
    view::{Segment, Segments},
};

/// The segment that is written now.
#[derive(Debug)]
pub(crate) struct Active {
    pub segment: Segment,
    pub offset: u64,
}

impl Active {
    /// The newest segment, which has no records yet.
    pub(crate) fn begin(segments: &Segments) -> Option<Self> {
        segments.last().map(|segment| Self { segment: segment.clone(), offset: SEGMENT_HEAD })
    }

    pub(crate) fn left(&self) -> u64 {
        self.segment.len.saturating_sub(self.offset)
    }
}

impl JournalCore {
    /// Writes and syncs pending units: as many as the active segment and the batch limit take, so call it until
    /// [`JournalCore::pending`] is zero. After an error the journal has failed: whether its pending units are kept is unknown.
    pub fn commit(&mut self) -> Result<CommitReport, AppendError> {
        if self.counters.failed {
            return Err(AppendError::Failed);
        }
        if self.pending.front().is_some_and(|unit| unit.bytes > self.active.left()) {
            self.begin_segment(Began::Full).map_err(|error| self.fail(&error, "journal segment cannot be begun"))?;
        }
        let records = self.stage();
        if records == 0 {
            return Ok(self.report(0, 0, false));
        }
        let rewritten = match self.write_staged() {
            Ok(()) => false,
            Err(error) => {
                self.rewrite(&error)?;
                true
            }
        };
        self.finish(records, rewritten)
    }

    /// Encodes the units of one batch, back to back; the one copy of their payloads.
    fn stage(&mut self) -> u64 {
        self.staging.clear();
        let limit = self.active.left();
        let mut records = 0;
        while let Some(unit) = self.pending.front() {
            let after = self.staging.len() as u64 + unit.bytes;
            if after > limit || (records > 0 && after > self.config.max_batch_bytes) {
                break;
            }
            let Some(unit) = self.pending.pop_front() else { break };
            self.stage_unit(&unit, &mut records);
        }
        records
    }

    fn stage_unit(&mut self, unit: &Pending, records: &mut u64) {
        let last = unit.records.len().saturating_sub(1);
        for (index, payload) in unit.records.iter().enumerate() {
            let head = FrameHead {
                length: u32::try_from(payload.len()).unwrap_or(u32::MAX),
                position: LogPosition::new(self.durable.get() + *records),
                seq: Seq::new(self.durable_seq.get() + *records + 1),
                epoch: self.source.epoch,
                place_in_commit: u32::try_from(*records).unwrap_or(u32::MAX),
                obligation: obligation(unit.kind, index, last),
                payload_crc: crc32fast::hash(payload),
            };
            self.stage_frame(&head, payload);
            *records += 1;
        }
    }

    fn stage_frame(&mut self, head: &FrameHead, payload: &Bytes) {
        let end = self.staging.len() + head.frame_len();
        self.staging.extend_from_slice(&head.encode(self.source.journal));
        self.staging.extend_from_slice(payload);
        self.staging.resize(end, 0);
    }

    fn write_staged(&self) -> io::Result<()> {
        self.active.segment.file.write_at(self.active.offset, &self.staging)?;
        self.active.segment.file.sync()
    }

    /// The file failed: nothing is known about what it holds from here on, so it is left behind, and a fresh segment that
    /// begins at the same position makes its copy of the batch void. Once; a second failure is the end.
    fn rewrite(&mut self, error: &io::Error) -> Result<(), AppendError> {
        tracing::error!(error = %error, segment = self.active.segment.name(), position = self.durable.get(), "journal segment poisoned");
        self.counters.poisoned += 1;
        self.begin_segment(Began::Poisoned).map_err(|error| self.fail(&error, "journal segment cannot be replaced"))?;
        self.write_staged().map_err(|error| self.fail(&error, "journal segment failed again"))?;
        self.plan_room();
        Ok(())
    }

    fn fail(&mut self, error: &io::Error, what: &'static str) -> AppendError {
        tracing::error!(error = %error, what, "journal failed: it accepts no more records");
        self.counters.failed = true;
        AppendError::Failed
    }

    /// Makes the spare the active segment; without one, a segment is made on the spot.
    fn begin_segment(&mut self, began: Began) -> io::Result<()> {
        let head = SegmentHead {
            journal: self.source.journal,
            epoch: self.source.epoch,
            first: self.durable,
            first_seq: Seq::new(self.durable_seq.get() + 1),
            ordinal: self.active.segment.head.ordinal + 1,
            oldest_open: self.obligations.oldest().map_or(self.durable, |oldest| oldest.min(self.durable)),
            began,
        };
        let segment = if self.spare == Spare::Ready {
            self.spare = Spare::Missing;
            use_spare(self.disk.as_ref(), head)?
        } else {
            make_segment(self.disk.as_ref(), self.config.segment_bytes, head)?
        };
        let mut segments = self.shared.segments().to_vec();
        segments.push(segment.clone());
        self.shared.replace(segments.into());
        self.active = Active { segment, offset: SEGMENT_HEAD };
        Ok(())
    }

    /// Lays the pending units out again, after a segment was lost.
    fn plan_room(&mut self) {
        let tail = self.active.left().saturating_sub(self.staging.len() as u64);
        let mut room = Room { tail, spares: u64::from(self.spare == Spare::Ready), ..self.room };
        for unit in &self.pending {
            room = room.place(unit.bytes).unwrap_or(Room { tail: 0, ..room });
        }
        self.room = room;
    }

    fn finish(&mut self, records: u64, rewritten: bool) -> Result<CommitReport, AppendError> {
        let bytes = self.staging.len() as u64;
        self.active.offset += bytes;
        self.durable = LogPosition::new(self.durable.get() + records);
        self.durable_seq = Seq::new(self.durable_seq.get() + records);
        self.obligations.settle(self.durable);
        self.counters.commits += 1;
        self.counters.records += records;
        self.counters.bytes += bytes;
        self.counters.last_batch = records;
        self.counters.largest_batch = self.counters.largest_batch.max(records);
        self.publish_mark();
        self.shared.durable.send_replace(self.durable);
        Ok(self.report(records, bytes, rewritten))
    }

    fn report(&self, records: u64, bytes: u64, rewritten: bool) -> CommitReport {
        CommitReport { durable: self.durable, records, bytes, rewritten }
    }

    /// Tells readers in other processes. A failure costs them freshness, nothing else.
    pub(crate) fn publish_mark(&self) {
        let oldest = self.shared.segments().first().map_or(self.durable, |segment| segment.head.first);
        let mark = Mark {
            journal: self.source.journal,
            epoch: self.source.epoch,
            durable: self.durable,
            newest_segment: self.active.segment.head.ordinal,
            oldest,
        };
        if let Err(error) = self.mark_file.publish(&mark) {
            tracing::warn!(error = %error, "journal mark not published");
        }
    }

    /// Tells how far a consumer has stored, and removes segments that nobody needs.
    pub fn set_floor(&mut self, consumer: &str, floor: LogPosition) {
        match self.floors.get_mut(consumer) {
            Some(known) => *known = floor,
            None => {
                self.floors.insert(consumer.to_owned(), floor);
            }
        }
        self.truncate();
    }

    /// What may be removed ends here: at the lowest floor of all consumers and at the oldest open request.
    #[must_use]
    pub fn truncation_floor(&self) -> LogPosition {
        let expected = self.config.consumers.iter().map(|consumer| self.floors.get(consumer).copied().unwrap_or_default());
        let lowest = expected.chain(self.floors.values().copied()).min().unwrap_or_default();
        self.obligations.oldest().map_or(lowest, |oldest| oldest.min(lowest)).min(self.durable)
    }

    fn truncate(&mut self) {
        let floor = self.truncation_floor();
        let segments = self.shared.segments();
        let removable = segments.windows(2).take_while(|pair| matches!(pair, [_, next] if next.head.first <= floor)).count();
        if removable == 0 {
            return;
        }
        let (gone, kept) = segments.split_at(removable);
        self.shared.replace(Arc::from(kept));
        self.publish_mark();
        for segment in gone {
            if let Err(error) = self.disk.remove(&segment.name()) {
                tracing::warn!(error = %error, segment = segment.name(), "journal segment not removed");
            }
        }
    }
}

const fn obligation(kind: UnitKind, index: usize, last: usize) -> Obligation {
    match kind {
        UnitKind::Plain => Obligation::None,
        UnitKind::Open(key) if index == 0 => Obligation::Opens(key),
        UnitKind::Close(key) if index == last => Obligation::Closes(key),
        UnitKind::Open(key) | UnitKind::Within(key) | UnitKind::Close(key) => Obligation::Within(key),
    }
}
