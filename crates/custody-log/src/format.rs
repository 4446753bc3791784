//! The journal on disk.
//!
//! ```text
//! <folder>/
//!   identity                  which journal this is, and the inode of this very file (a copied folder has another one)
//!   lock                      held by the one process that writes
//!   mark                      the durable end, published after each commit for readers in other processes; never synced
//!   segment-<ordinal>.log     records; ordinals rise, names are 16 hex digits
//!   spare.log                 the next segment: allocated, zeroed, synced, not yet named
//!   kafka-partition, kafka-mark   where the journal is shipped to and how far it was; layout in `kafka/partition_file.rs`
//!   quarantine-<ordinal>-<offset>.bin   unacknowledged bytes that a crash left behind, kept for a person to look at
//!   *.tmp                     half-made files; removed at open
//! ```
//!
//! All integers are little-endian; every CRC is CRC-32 (IEEE). A segment is a 4096-byte head, then frames back to back, each
//! starting at a multiple of 8, then zeros to the end.
//!
//! ```text
//! head, written twice (at 0 and at 2048, so that one altered byte does not lose it)
//!    0  8  "CUSTODYJ"
//!    8  4  format version, 1
//!   12  4  epoch: one boot of the journal; all records of a segment are of this boot
//!   16 16  journal id
//!   32  8  first position: records at or after it in an EARLIER segment are void (torn, or a copy that could not be synced)
//!   40  8  first seq
//!   48  8  ordinal, as in the file's name
//!   56  8  position of the oldest request open when the segment began: recovery reads from there
//!   64  4  why the segment began: 0 boot, 1 the one before was full, 2 the one before was poisoned
//!   68  4  CRC of bytes 0..68
//!
//! frame
//!    0  4  "CJF1"
//!    4  4  payload length n
//!    8  8  position
//!   16  8  seq
//!   24  4  epoch
//!   28  4  place in its commit, from 0: a frame of a later commit proves that this one had been synced
//!   32 16  request key, or zeros
//!   48  1  obligation: 0 none, 1 opens, 2 closes, 3 within
//!   49  3  zeros
//!   52  4  CRC of the payload
//!   56  4  zeros
//!   60  4  CRC of the journal id and bytes 0..60: frames of another journal are not frames here
//!   64  n  payload, then zeros up to a multiple of 8
//!
//! mark (64 bytes at 0)                              identity (48 bytes at 0)
//!    0  8  "CUSTODYM"                                  0  8  "CUSTODYI"
//!    8 16  journal id                                  8  4  format version, 1
//!   24  4  epoch                                      12  4  zeros
//!   28  4  zeros                                      16 16  journal id
//!   32  8  durable end                                32  8  inode of this file
//!   40  8  ordinal of the newest segment              40  4  zeros
//!   48  8  oldest position kept                       44  4  CRC of bytes 0..44
//!   56  4  zeros
//!   60  4  CRC of bytes 0..60
//! ```
//!
//! Two CRCs per record, the payload's inside the head's, keep the length trustworthy when only the payload was altered.

use custody_types::{JournalId, LogPosition, Seq};
use uuid::Uuid;

use crate::unit::Obligation;

pub(crate) const VERSION: u32 = 1;
pub(crate) const SEGMENT_HEAD: u64 = 4096;
pub(crate) const SECOND_HEAD: usize = 2048;
pub(crate) const FRAME_HEAD: usize = 64;
pub(crate) const ALIGNMENT: usize = 8;
pub(crate) const FRAME_MAGIC: [u8; 4] = *b"CJF1";
const SEGMENT_MAGIC: [u8; 8] = *b"CUSTODYJ";

/// A block of fields read and written at fixed offsets; out-of-range access reads zeros and writes nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block<const N: usize>(pub [u8; N]);

impl<const N: usize> Block<N> {
    pub(crate) const fn zeroed() -> Self {
        Self([0; N])
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        bytes.first_chunk::<N>().copied().map(Self)
    }

    pub(crate) fn put(&mut self, at: usize, bytes: &[u8]) {
        if let Some(place) = self.0.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }

    pub(crate) fn array<const L: usize>(&self, at: usize) -> [u8; L] {
        self.0.get(at..).and_then(<[u8]>::first_chunk::<L>).copied().unwrap_or([0; L])
    }

    pub(crate) fn u32(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.array(at))
    }

    pub(crate) fn u64(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.array(at))
    }

    pub(crate) fn journal(&self, at: usize) -> JournalId {
        JournalId::from_uuid(Uuid::from_bytes(self.array(at)))
    }

    fn crc_before(&self, end: usize) -> u32 {
        crc32fast::hash(self.0.get(..end).unwrap_or_default())
    }

    pub(crate) fn seal(&mut self, crc_at: usize) {
        let crc = self.crc_before(crc_at);
        self.put(crc_at, &crc.to_le_bytes());
    }

    pub(crate) fn is_sealed(&self, crc_at: usize) -> bool {
        self.u32(crc_at) == self.crc_before(crc_at)
    }
}

/// Why a segment began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Began {
    Boot,
    Full,
    Poisoned,
}

/// The head of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentHead {
    pub journal: JournalId,
    pub epoch: u32,
    pub first: LogPosition,
    pub first_seq: Seq,
    pub ordinal: u64,
    pub oldest_open: LogPosition,
    pub began: Began,
}

impl SegmentHead {
    const CRC_AT: usize = 68;

    /// Both copies, ready to be written at offset 0.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut block = Block::<72>::zeroed();
        block.put(0, &SEGMENT_MAGIC);
        block.put(8, &VERSION.to_le_bytes());
        block.put(12, &self.epoch.to_le_bytes());
        block.put(16, self.journal.as_uuid().as_bytes());
        block.put(32, &self.first.get().to_le_bytes());
        block.put(40, &self.first_seq.get().to_le_bytes());
        block.put(48, &self.ordinal.to_le_bytes());
        block.put(56, &self.oldest_open.get().to_le_bytes());
        block.put(64, &(self.began as u32).to_le_bytes());
        block.seal(Self::CRC_AT);
        let mut bytes = vec![0; SECOND_HEAD];
        bytes.splice(..block.0.len(), block.0);
        bytes.extend_from_slice(&block.0);
        bytes
    }

    /// Reads whichever copy is whole.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        Self::decode_copy(bytes).or_else(|| Self::decode_copy(bytes.get(SECOND_HEAD..)?))
    }

    fn decode_copy(bytes: &[u8]) -> Option<Self> {
        let block = Block::<72>::read(bytes)?;
        if block.array(0) != SEGMENT_MAGIC || !block.is_sealed(Self::CRC_AT) || block.u32(8) != VERSION {
            return None;
        }
        Some(Self {
            journal: block.journal(16),
            epoch: block.u32(12),
            first: LogPosition::new(block.u64(32)),
            first_seq: Seq::new(block.u64(40)),
            ordinal: block.u64(48),
            oldest_open: LogPosition::new(block.u64(56)),
            began: match block.u32(64) {
                0 => Began::Boot,
                1 => Began::Full,
                _ => Began::Poisoned,
            },
        })
    }
}

/// The head of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameHead {
    pub length: u32,
    pub position: LogPosition,
    pub seq: Seq,
    pub epoch: u32,
    pub place_in_commit: u32,
    pub obligation: Obligation,
    pub payload_crc: u32,
}

impl FrameHead {
    const CRC_AT: usize = 60;

    pub(crate) fn encode(&self, journal: JournalId) -> [u8; FRAME_HEAD] {
        let mut block = Block::<FRAME_HEAD>::zeroed();
        block.put(0, &FRAME_MAGIC);
        block.put(4, &self.length.to_le_bytes());
        block.put(8, &self.position.get().to_le_bytes());
        block.put(16, &self.seq.get().to_le_bytes());
        block.put(24, &self.epoch.to_le_bytes());
        block.put(28, &self.place_in_commit.to_le_bytes());
        block.put(32, &self.obligation.key().unwrap_or_default());
        block.put(48, &[obligation_code(self.obligation)]);
        block.put(52, &self.payload_crc.to_le_bytes());
        let crc = Self::crc(journal, &block);
        block.put(Self::CRC_AT, &crc.to_le_bytes());
        block.0
    }

    /// The head, if these bytes are one of this journal.
    pub(crate) fn decode(bytes: &[u8], journal: JournalId) -> Option<Self> {
        let block = Block::<FRAME_HEAD>::read(bytes)?;
        if block.array(0) != FRAME_MAGIC || block.u32(Self::CRC_AT) != Self::crc(journal, &block) {
            return None;
        }
        Some(Self {
            length: block.u32(4),
            position: LogPosition::new(block.u64(8)),
            seq: Seq::new(block.u64(16)),
            epoch: block.u32(24),
            place_in_commit: block.u32(28),
            obligation: obligation_from(block.array::<1>(48), block.array(32)),
            payload_crc: block.u32(52),
        })
    }

    fn crc(journal: JournalId, block: &Block<FRAME_HEAD>) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(journal.as_uuid().as_bytes());
        hasher.update(block.0.get(..Self::CRC_AT).unwrap_or_default());
        hasher.finalize()
    }

    /// Bytes of the whole frame, padding included.
    pub(crate) fn frame_len(&self) -> usize {
        frame_len(self.length as usize)
    }
}

/// Bytes of a frame with a payload of `payload` bytes.
pub(crate) const fn frame_len(payload: usize) -> usize {
    FRAME_HEAD + payload.div_ceil(ALIGNMENT) * ALIGNMENT
}

const fn obligation_code(obligation: Obligation) -> u8 {
    match obligation {
        Obligation::None => 0,
        Obligation::Opens(_) => 1,
        Obligation::Closes(_) => 2,
        Obligation::Within(_) => 3,
    }
}

const fn obligation_from(code: [u8; 1], key: [u8; 16]) -> Obligation {
    match code {
        [1] => Obligation::Opens(key),
        [2] => Obligation::Closes(key),
        [3] => Obligation::Within(key),
        _ => Obligation::None,
    }
}

/// Name of a segment's file.
pub(crate) fn segment_name(ordinal: u64) -> String {
    format!("segment-{ordinal:016x}.log")
}

/// The ordinal in a segment's name.
pub(crate) fn segment_ordinal(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("segment-")?.strip_suffix(".log")?;
    (digits.len() == 16).then(|| u64::from_str_radix(digits, 16).ok()).flatten()
}
