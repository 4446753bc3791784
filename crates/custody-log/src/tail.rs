//! Where the last segment of an earlier boot really ends, and what of it was altered rather than never finished.
//!
//! A commit is one write and one sync, and the next commit is written only after that sync. Hence:
//!
//! ```text
//! the bytes of a record are not whole, and …                                  then the record is
//!   the published mark stands beyond it                                       altered (it was acknowledged)
//!   a frame of a LATER commit stands behind it                                altered (its own sync had returned)
//!   a frame of the SAME commit stands behind it, no sector of it is zeros     altered
//!   a frame of the SAME commit stands behind it, a sector of it is zeros      torn (that sector never reached the disk)
//!   no frame stands behind it                                                 torn
//! ```
//! An altered record is kept in its place and handed on as damaged. From a torn record on, nothing was acknowledged.

use std::ops::Range;

use custody_types::LogPosition;

use crate::{
    format::{ALIGNMENT, FrameHead, SEGMENT_HEAD, SegmentHead},
    scan::{Context, Parsed, find_later, parse, used_len},
};

const SECTOR: usize = 512;

/// The end of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tail {
    /// First position that was not acknowledged.
    pub end: LogPosition,
    /// Where its bytes would stand.
    pub end_offset: usize,
    /// Bytes behind the end that a crash left.
    pub torn: Option<Range<usize>>,
    /// Altered records before the end.
    pub damaged: Vec<LogPosition>,
}

/// Finds the end in the bytes of a whole segment. `known_durable` is the published mark, or the start where there is none.
pub(crate) fn find_end(bytes: &[u8], head: &SegmentHead, known_durable: LogPosition) -> Tail {
    let start = (SEGMENT_HEAD as usize).min(bytes.len());
    let context = Context { journal: head.journal, epoch: head.epoch };
    let mut walk = Walk { bytes, context, known_durable, next: head.first, at: start, damaged: Vec::new() };
    while walk.step() {}
    walk.finish()
}

struct Walk<'a> {
    bytes: &'a [u8],
    context: Context,
    known_durable: LogPosition,
    next: LogPosition,
    at: usize,
    damaged: Vec<LogPosition>,
}

impl Walk<'_> {
    /// Goes over one record; false at the end.
    fn step(&mut self) -> bool {
        match parse(self.rest(self.at), self.context, self.next) {
            Parsed::Frame { head, whole: true } => {
                self.advance(self.next.next(), self.at + head.frame_len());
                true
            }
            Parsed::Frame { head, whole: false } => self.step_over(Some(self.at + head.frame_len())),
            Parsed::Longer(_) | Parsed::Bad => self.step_over(None),
        }
    }

    /// Decides about a record that is not whole; `ends_at` where its head still tells its length.
    fn step_over(&mut self, ends_at: Option<usize>) -> bool {
        let search_from = ends_at.unwrap_or(self.at + ALIGNMENT);
        let later = self.find_later(search_from).map(|(offset, head)| (offset, head.position));
        let Some((later_at, later_position)) = later else {
            return self.step_to_mark(ends_at);
        };
        let hole_end = ends_at.unwrap_or(later_at);
        if !self.was_synced(search_from) && self.has_zero_sector(hole_end) {
            return false;
        }
        match ends_at {
            Some(end) => self.pass_damaged(self.next.next(), end),
            None => self.pass_damaged(later_position, later_at),
        }
        true
    }

    /// Nothing stands behind: only the mark can tell that the record was acknowledged.
    fn step_to_mark(&mut self, ends_at: Option<usize>) -> bool {
        if self.known_durable <= self.next {
            return false;
        }
        match ends_at {
            Some(end) => self.pass_damaged(self.next.next(), end),
            None => self.pass_damaged(self.known_durable, self.at + used_len(self.rest(self.at))),
        }
        true
    }

    fn was_synced(&self, mut from: usize) -> bool {
        if self.known_durable > self.next {
            return true;
        }
        while let Some((offset, head)) = self.find_later(from) {
            let commit_first = head.position.get().saturating_sub(u64::from(head.place_in_commit));
            if commit_first > self.next.get() {
                return true;
            }
            from = offset + head.frame_len();
        }
        false
    }

    fn find_later(&self, from: usize) -> Option<(usize, FrameHead)> {
        find_later(self.bytes, self.context, self.next, self.at, from)
    }

    /// Whether a sector that the bytes from here to `end` touch holds nothing but zeros, the part before them aside.
    fn has_zero_sector(&self, end: usize) -> bool {
        let mut from = self.at;
        while from < end {
            let to = (from / SECTOR + 1) * SECTOR;
            let sector = self.bytes.get(from..to.min(self.bytes.len())).unwrap_or_default();
            if sector.iter().all(|byte| *byte == 0) {
                return true;
            }
            from = to;
        }
        false
    }

    fn pass_damaged(&mut self, next: LogPosition, at: usize) {
        self.damaged.extend((self.next.get()..next.get()).map(LogPosition::new));
        self.advance(next, at);
    }

    fn advance(&mut self, next: LogPosition, at: usize) {
        self.next = next;
        self.at = at.min(self.bytes.len());
    }

    fn rest(&self, from: usize) -> &[u8] {
        self.bytes.get(from..).unwrap_or_default()
    }

    fn finish(self) -> Tail {
        let torn_len = used_len(self.rest(self.at));
        let torn = (torn_len > 0).then(|| self.at..self.at + torn_len);
        Tail { end: self.next, end_offset: self.at, torn, damaged: self.damaged }
    }
}

#[cfg(test)]
mod tests {
    use custody_types::{JournalId, Seq};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::{
        format::{Began, FRAME_HEAD},
        unit::Obligation,
    };

    const JOURNAL: JournalId = JournalId::from_uuid(Uuid::from_u128(5));

    fn head() -> SegmentHead {
        SegmentHead {
            journal: JOURNAL,
            epoch: 1,
            first: LogPosition::START,
            first_seq: Seq::new(1),
            ordinal: 1,
            oldest_open: LogPosition::START,
            began: Began::Boot,
        }
    }

    /// Frames whose heads are whole but may lie about everything.
    fn frame() -> impl Strategy<Value = Vec<u8>> {
        let numbers = prop_oneof![0..6u64, any::<u64>()];
        (any::<u16>(), numbers, any::<bool>(), 0..4u32, prop::collection::vec(any::<u8>(), 0..80)).prop_map(
            |(length, position, honest, place_in_commit, payload)| {
                let length = if honest { payload.len() as u32 } else { u32::from(length) };
                let (position, seq) = (LogPosition::new(position), Seq::new(position));
                let payload_crc = crc32fast::hash(&payload);
                let head = FrameHead { length, position, seq, epoch: 1, place_in_commit, obligation: Obligation::None, payload_crc };
                let mut bytes = head.encode(JOURNAL).to_vec();
                bytes.extend(payload);
                bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
                bytes
            },
        )
    }

    proptest! {
        /// Issue 2, must-show 7: whatever stands in a segment, its parser answers.
        #[test]
        fn any_bytes_have_an_end(pieces in prop::collection::vec(prop_oneof![frame(), prop::collection::vec(any::<u8>(), 0..600)], 0..12), mark in 0..40u64) {
            let mut bytes = vec![0; SEGMENT_HEAD as usize];
            pieces.iter().for_each(|piece| bytes.extend(piece));
            let tail = find_end(&bytes, &head(), LogPosition::new(mark));
            prop_assert!(tail.end_offset <= bytes.len());
            prop_assert!(tail.end.get() <= mark + (bytes.len() / FRAME_HEAD) as u64);
            prop_assert!(tail.damaged.len() as u64 <= tail.end.get());
        }
    }
}
