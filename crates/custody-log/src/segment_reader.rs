//! Reads durable records in order, without threads. What was altered on disk is handed on as damaged, in its place: a reader
//! never skips a position.

use std::sync::Arc;

use bytes::Bytes;
use custody_types::{LogPosition, LogRecord, Seq, Source};

use crate::{
    disk::Disk,
    error::ReadError,
    format::{ALIGNMENT, FRAME_HEAD, FrameHead, SEGMENT_HEAD},
    reader::LogBounds,
    scan::{Context, Parsed, find_later, parse, used_len},
    unit::{Frame, Obligation},
    view::{Follower, Segment, Shared, View},
};

const SMALLEST_READ: usize = 64 << 10;
const LARGEST_READ: usize = 1 << 20;
/// Most altered bytes handed on with the first record that they belonged to.
const LARGEST_RESCUE: usize = 1 << 20;

/// A reader with its own position.
#[derive(Debug)]
pub struct SegmentReader {
    view: View,
    position: LogPosition,
    cursor: Option<Cursor>,
}

/// Where the bytes of `next` stand.
#[derive(Debug, Clone, Copy)]
struct Cursor {
    ordinal: u64,
    offset: u64,
    next: LogPosition,
    /// Whether they begin right there. Behind altered bytes that nothing followed yet they may begin later: the altered ones may end
    /// in zeros, like the room behind them.
    exact: bool,
}

impl SegmentReader {
    pub(crate) fn shared(shared: Arc<Shared>, from: LogPosition) -> Self {
        Self { view: View::Shared(shared), position: from, cursor: None }
    }

    /// A reader without the writer: it follows the mark that the writing process publishes.
    pub fn follow(disk: Arc<dyn Disk>) -> Result<Self, ReadError> {
        Ok(Self { view: View::Follower(Follower::open(disk)?), position: LogPosition::START, cursor: None })
    }

    /// The journal.
    #[must_use]
    pub fn journal(&self) -> custody_types::JournalId {
        self.view.journal()
    }

    /// Position of the next record.
    #[must_use]
    pub const fn position(&self) -> LogPosition {
        self.position
    }

    /// Goes to another position.
    pub fn seek(&mut self, to: LogPosition) {
        self.position = to;
    }

    /// Durable end at this moment.
    pub fn durable(&mut self) -> Result<LogPosition, ReadError> {
        self.view.look().map(|(_, durable)| durable)
    }

    /// First position that is still kept.
    pub fn first(&mut self) -> Result<LogPosition, ReadError> {
        self.bounds().map(|bounds| bounds.first)
    }

    /// What is kept, in one look.
    pub fn bounds(&mut self) -> Result<LogBounds, ReadError> {
        let (segments, end) = self.view.look()?;
        let first = segments.first().map_or(end, |segment| segment.head.first);
        Ok(LogBounds { first, end })
    }

    /// The next records, about `max_bytes` of them and at least one; empty at the durable end.
    pub fn read(&mut self, max_bytes: usize) -> Result<Vec<Frame>, ReadError> {
        let (segments, durable) = self.view.look()?;
        let mut batch = Batch { frames: Vec::new(), budget: max_bytes.max(1) };
        while self.position < durable && batch.budget > 0 {
            let behind = segments.partition_point(|segment| segment.head.first <= self.position);
            let Some(segment) = behind.checked_sub(1).and_then(|index| segments.get(index)) else {
                let first = segments.first().map_or(durable, |segment| segment.head.first);
                return Err(ReadError::Truncated { asked: self.position, first });
            };
            let limit = segments.get(behind).map_or(durable, |next| next.head.first.min(durable));
            self.read_segment(segment, limit, &mut batch)?;
        }
        Ok(batch.frames)
    }

    /// Reads on from one segment, as far as one piece of it goes.
    fn read_segment(&mut self, segment: &Segment, limit: LogPosition, batch: &mut Batch) -> Result<(), ReadError> {
        let mut cursor = self.cursor_in(segment);
        let wanted = batch.budget.clamp(SMALLEST_READ, LARGEST_READ);
        let mut piece = read_piece(segment, cursor.offset, wanted)?;
        let mut at = 0;
        while cursor.next < limit && batch.budget > 0 {
            match parse(piece.get(at..).unwrap_or_default(), context(segment), cursor.next) {
                Parsed::Frame { head, whole } => {
                    self.hand_on(frame(segment, &head, whole, &piece, at), batch);
                    at += head.frame_len();
                    cursor.step(1, head.frame_len());
                }
                Parsed::Longer(_) if at > 0 => break,
                Parsed::Longer(needed) if cursor.offset + needed as u64 <= segment.len && needed > piece.len() => {
                    piece = read_piece(segment, cursor.offset, needed)?;
                }
                Parsed::Longer(_) | Parsed::Bad => {
                    self.pass_damage(segment, &mut cursor, limit, batch)?;
                    break;
                }
            }
        }
        self.cursor = Some(cursor);
        Ok(())
    }

    fn cursor_in(&self, segment: &Segment) -> Cursor {
        let start = Cursor { ordinal: segment.head.ordinal, offset: SEGMENT_HEAD, next: segment.head.first, exact: true };
        self.cursor.filter(|cursor| cursor.ordinal == start.ordinal && cursor.next <= self.position).unwrap_or(start)
    }

    /// Gives a record to the caller unless it stands before the position asked for.
    fn hand_on(&mut self, frame: Frame, batch: &mut Batch) {
        if frame.record.position == self.position {
            self.position = self.position.next();
            batch.push(frame);
        }
    }

    /// Hands on the records whose frames cannot be told apart any more: the bytes with the first of them.
    fn pass_damage(&mut self, segment: &Segment, cursor: &mut Cursor, limit: LogPosition, batch: &mut Batch) -> Result<(), ReadError> {
        let rest = segment.len.saturating_sub(cursor.offset) as usize;
        let bytes = read_piece(segment, cursor.offset, rest)?;
        if let Some(begins_at) = begins_later(&bytes, segment, cursor) {
            cursor.step(0, begins_at);
            return Ok(());
        }
        let later = find_later(&bytes, context(segment), cursor.next, 0, ALIGNMENT);
        let (end, until) = later.map_or((used_len(&bytes), limit), |(offset, head)| (offset, head.position.min(limit)));
        tracing::error!(segment = segment.name(), offset = cursor.offset, bytes = end, "journal bytes altered on disk");
        let mut altered = Bytes::copy_from_slice(bytes.get(..end.min(LARGEST_RESCUE)).unwrap_or_default());
        for position in cursor.next.get()..until.get() {
            let payload = std::mem::take(&mut altered);
            self.hand_on(damaged_frame(segment, LogPosition::new(position), payload), batch);
        }
        cursor.step(until.get() - cursor.next.get(), end);
        cursor.exact = later.is_some();
        Ok(())
    }
}

/// Where the frame of `next` begins, if the cursor stands somewhere before it.
fn begins_later(bytes: &[u8], segment: &Segment, cursor: &Cursor) -> Option<usize> {
    if cursor.exact {
        return None;
    }
    let before = LogPosition::new(cursor.next.get().checked_sub(1)?);
    let (offset, head) = find_later(bytes, context(segment), before, 0, 0)?;
    (head.position == cursor.next).then_some(offset)
}

impl Cursor {
    fn step(&mut self, records: u64, bytes: usize) {
        self.next = LogPosition::new(self.next.get() + records);
        self.offset += bytes as u64;
        self.exact = true;
    }
}

struct Batch {
    frames: Vec<Frame>,
    budget: usize,
}

impl Batch {
    fn push(&mut self, frame: Frame) {
        self.budget = self.budget.saturating_sub(frame.record.payload.len() + FRAME_HEAD);
        self.frames.push(frame);
    }
}

fn context(segment: &Segment) -> Context {
    Context { journal: segment.head.journal, epoch: segment.head.epoch }
}

fn read_piece(segment: &Segment, offset: u64, wanted: usize) -> Result<Bytes, ReadError> {
    let left = segment.len.saturating_sub(offset);
    let mut buffer = vec![0; wanted.min(usize::try_from(left).unwrap_or(usize::MAX))];
    let read = segment.file.read_at(offset, &mut buffer)?;
    buffer.truncate(read);
    Ok(buffer.into())
}

fn frame(segment: &Segment, head: &FrameHead, whole: bool, piece: &Bytes, at: usize) -> Frame {
    let payload_at = at + FRAME_HEAD;
    let record = LogRecord {
        position: head.position,
        source: source(segment),
        seq: head.seq,
        payload: piece.slice(payload_at..payload_at + head.length as usize),
        damaged: !whole,
    };
    Frame { record, obligation: head.obligation }
}

fn damaged_frame(segment: &Segment, position: LogPosition, payload: Bytes) -> Frame {
    let seq = segment.head.first_seq.get() + position.get().saturating_sub(segment.head.first.get());
    let record = LogRecord { position, source: source(segment), seq: Seq::new(seq), payload, damaged: true };
    Frame { record, obligation: Obligation::None }
}

fn source(segment: &Segment) -> Source {
    Source { journal: segment.head.journal, epoch: segment.head.epoch }
}
