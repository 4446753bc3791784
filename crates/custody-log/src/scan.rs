//! Finds frames in bytes. Pure, and fed with anything: what is not a whole frame of this journal is `Bad`, never a panic.

use custody_types::{JournalId, LogPosition};

use crate::format::{ALIGNMENT, FRAME_HEAD, FRAME_MAGIC, FrameHead};

/// What stands at the start of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// A frame whose head is whole. Where `whole` is false its payload was altered.
    Frame { head: FrameHead, whole: bool },
    /// A frame's head whose payload reaches beyond the bytes given; so many bytes are needed.
    Longer(usize),
    /// No frame of this place.
    Bad,
}

/// Which frames belong here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context {
    pub journal: JournalId,
    pub epoch: u32,
}

/// Reads the frame of `position` at the start of `bytes`.
pub(crate) fn parse(bytes: &[u8], context: Context, position: LogPosition) -> Parsed {
    if bytes.len() < FRAME_HEAD {
        return Parsed::Longer(FRAME_HEAD);
    }
    let Some(head) = FrameHead::decode(bytes, context.journal) else {
        return Parsed::Bad;
    };
    if head.position != position || head.epoch != context.epoch {
        return Parsed::Bad;
    }
    let payload_end = FRAME_HEAD.saturating_add(head.length as usize);
    match bytes.get(FRAME_HEAD..payload_end) {
        Some(payload) if bytes.len() >= head.frame_len() => Parsed::Frame { head, whole: crc32fast::hash(payload) == head.payload_crc },
        _ => Parsed::Longer(head.frame_len()),
    }
}

/// The next offset with a frame head of a position after `after`, looking from `from` at every alignment. Between `lost_at`,
/// where the frame of `after` should stand, and the frame found there must be bytes enough for the positions between them:
/// a head that claims more is payload that looks like a head.
pub(crate) fn find_later(bytes: &[u8], context: Context, after: LogPosition, lost_at: usize, from: usize) -> Option<(usize, FrameHead)> {
    for (index, word) in bytes.get(from..)?.chunks_exact(ALIGNMENT).enumerate() {
        if !word.starts_with(&FRAME_MAGIC) {
            continue;
        }
        let offset = from + index * ALIGNMENT;
        let most_between = (offset.saturating_sub(lost_at) / FRAME_HEAD) as u64;
        let plausible = |head: &FrameHead| {
            head.epoch == context.epoch && head.position > after && head.position.get() - after.get() <= most_between.max(1)
        };
        let head = bytes.get(offset..).and_then(|rest| FrameHead::decode(rest, context.journal));
        if let Some(head) = head.filter(plausible) {
            return Some((offset, head));
        }
    }
    None
}

/// Length of `bytes` without the zeros at its end, rounded up to the alignment of frames.
pub(crate) fn used_len(bytes: &[u8]) -> usize {
    let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    used.next_multiple_of(ALIGNMENT).min(bytes.len())
}
