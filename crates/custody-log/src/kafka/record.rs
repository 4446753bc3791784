//! A record as a Kafka message: the payload untouched, the message's key the journal's sixteen bytes, and one header.
//!
//! ```text
//! header `custody-frame`, 30 bytes, integers big-endian
//!    0  1  version, 1
//!    1  1  flags: bit 0 the journal found the bytes altered; the others zero
//!    2 16  journal id
//!   18  4  epoch
//!   22  8  seq
//! ```
//!
//! The header stands outside the payload so that bytes which nobody can decode are still counted (D3). A message without it, or with
//! one of another version, is someone else's or was altered. It is handed on in its place as damaged, under a source that no journal
//! has: the nil journal, epoch 0, seq 0. Ingest buries what is damaged as a dead letter at its position whatever its seq, and a seq
//! that never rises is never taken for a hole.

use std::panic::{AssertUnwindSafe, catch_unwind};

use custody_types::{JournalId, LogRecord, Seq, Source};
use rdkafka::message::{Header, Headers, OwnedHeaders};
use uuid::Uuid;

/// Name of the header.
pub const FRAME_HEADER: &str = "custody-frame";

const VERSION: u8 = 1;
const DAMAGED: u8 = 1;
const LENGTH: usize = 30;

/// What the header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    pub source: Source,
    pub seq: Seq,
    pub damaged: bool,
}

impl Origin {
    /// Stands for what no journal of ours wrote.
    pub(crate) const FOREIGN: Self =
        Self { source: Source { journal: JournalId::from_uuid(Uuid::nil()), epoch: 0 }, seq: Seq::new(0), damaged: true };

    pub(crate) fn of(record: &LogRecord) -> Self {
        Self { source: record.source, seq: record.seq, damaged: record.damaged }
    }

    pub(crate) fn encode(&self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        let fields = [
            &[VERSION, if self.damaged { DAMAGED } else { 0 }][..],
            self.source.journal.as_uuid().as_bytes(),
            &self.source.epoch.to_be_bytes(),
            &self.seq.get().to_be_bytes(),
        ];
        for (place, byte) in bytes.iter_mut().zip(fields.into_iter().flatten()) {
            *place = *byte;
        }
        bytes
    }

    /// What the bytes say; nothing where they are not a header of this version.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (&[VERSION, flags], rest) = bytes.split_first_chunk::<2>()? else { return None };
        let (journal, rest) = rest.split_first_chunk::<16>()?;
        let (epoch, rest) = rest.split_first_chunk::<4>()?;
        let seq: &[u8; 8] = rest.try_into().ok()?;
        if flags & !DAMAGED != 0 {
            return None;
        }
        let source = Source { journal: JournalId::from_uuid(Uuid::from_bytes(*journal)), epoch: u32::from_be_bytes(*epoch) };
        Some(Self { source, seq: Seq::new(u64::from_be_bytes(*seq)), damaged: flags == DAMAGED })
    }

    pub(crate) fn headers(&self) -> OwnedHeaders {
        OwnedHeaders::new_with_capacity(1).insert(Header { key: FRAME_HEADER, value: Some(&self.encode()) })
    }

    /// The origin among a message's headers, foreign where there is none.
    pub(crate) fn among<H: Headers>(headers: Option<&H>) -> Self {
        let Some(headers) = headers else { return Self::FOREIGN };
        // The library panics on a header whose name is not UTF-8, and anyone who may write to the topic can send one. Such a message
        // must not stop the partition.
        catch_unwind(AssertUnwindSafe(|| find(headers))).ok().flatten().unwrap_or(Self::FOREIGN)
    }
}

fn find<H: Headers>(headers: &H) -> Option<Origin> {
    let header = headers.iter().find(|header| header.key == FRAME_HEADER)?;
    Origin::decode(header.value?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Poison;

    impl Headers for Poison {
        fn count(&self) -> usize {
            1
        }

        fn try_get(&self, _idx: usize) -> Option<Header<'_, &[u8]>> {
            panic!("a header name that is not UTF-8")
        }
    }

    fn origin(journal: u128, epoch: u32, seq: u64, damaged: bool) -> Origin {
        let journal = JournalId::from_uuid(Uuid::from_u128(journal));
        Origin { source: Source { journal, epoch }, seq: Seq::new(seq), damaged }
    }

    proptest! {
        #[test]
        fn an_origin_survives_its_header(journal: u128, epoch: u32, seq: u64, damaged: bool) {
            let origin = origin(journal, epoch, seq, damaged);
            prop_assert_eq!(Origin::decode(&origin.encode()), Some(origin));
            prop_assert_eq!(Origin::among(Some(&origin.headers())), origin);
        }

        #[test]
        fn any_bytes_are_one_origin_or_none(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Some(origin) = Origin::decode(&bytes) {
                prop_assert_eq!(&origin.encode()[..], &bytes[..]);
            }
        }
    }

    #[test]
    fn the_layout_is_frozen() {
        let bytes = origin(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10, 0x1112_1314, 0x1516_1718_191a_1b1c, true).encode();
        let counted: Vec<u8> = [1, 1].into_iter().chain(1..=0x1c).collect();
        assert_eq!(&bytes[..], &counted[..]);
    }

    #[test]
    fn what_is_not_ours_counts_as_foreign() {
        let (ours, none) = (origin(7, 1, 2, false), None::<&OwnedHeaders>);
        let named = |key, value: &[u8]| Origin::among(Some(&OwnedHeaders::new().insert(Header { key, value: Some(value) })));
        assert_eq!(Origin::among(none), origin(0, 0, 0, true));
        assert_eq!(named("other", &ours.encode()), Origin::FOREIGN);
        assert_eq!(named(FRAME_HEADER, &ours.encode()), ours);
        for (at, value) in [(0, 2), (0, 0), (1, 2), (1, 0x80)] {
            let mut bytes = ours.encode();
            bytes[at] = value;
            assert_eq!(named(FRAME_HEADER, &bytes), Origin::FOREIGN, "byte {at} = {value}");
        }
        assert_eq!(named(FRAME_HEADER, &ours.encode()[..29]), Origin::FOREIGN);
        assert_eq!(named(FRAME_HEADER, &[&ours.encode()[..], &[0]].concat()), Origin::FOREIGN);
    }

    #[test]
    fn a_header_that_the_library_panics_on_counts_as_foreign() {
        assert_eq!(Origin::among(Some(&Poison)), Origin::FOREIGN);
    }
}
