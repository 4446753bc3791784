//! A text sealed at the edge, as it stands in the content stream.
//!
//! | Offset | Bytes | Field |
//! | --- | --- | --- |
//! | 0 | 4 | `CEDG` |
//! | 4 | 1 | format version, 2 |
//! | 5 | 1 | suite, 1 |
//! | 6 | 16 | edge key id |
//! | 22 | 16 | segment id |
//! | 38 | 32 | the segment's encapsulated key |
//! | 70 | 8 | place in the segment, big-endian |
//! | 78 | 32 | key commitment |
//! | 110 | 4 | length of the rest, big-endian |
//! | 114 | n + 16 | ciphertext and tag |
//!
//! 130 bytes are added to a text. All of it is authenticated, with the context of the text and the terms on which it
//! is kept behind it. Version 1, which is still opened, knew no terms.

use super::{
    public_key::{EdgeKeyId, SUITE},
    terms::EdgeTerms,
};
use crate::{error::FormatError, one_use::Tail, text_context::TextContext, wire::Reader};

const MAGIC: &[u8; 4] = b"CEDG";
const VERSION: u8 = 2;
const WITHOUT_TERMS: u8 = 1;
const PREFIX_BYTES: usize = 78;

/// A segment: what its secret follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Segment {
    pub(super) key: EdgeKeyId,
    pub(super) id: [u8; 16],
    pub(super) encapsulated: [u8; 32],
}

pub(super) struct EdgeRecord<'a> {
    pub(super) segment: Segment,
    version: u8,
    pub(super) prefix: &'a [u8],
    pub(super) tail: Tail<'a>,
}

impl Segment {
    /// What the encapsulation is bound to, beside the public key that HPKE binds itself.
    pub(super) fn info(key: EdgeKeyId, id: &[u8; 16]) -> Vec<u8> {
        [b"custody edge segment v1".as_slice(), key.as_bytes(), id].concat()
    }

    pub(super) fn prefix(&self, place: u64) -> Vec<u8> {
        [MAGIC.as_slice(), &[VERSION, SUITE], self.key.as_bytes(), &self.id, &self.encapsulated, &place.to_be_bytes()].concat()
    }
}

impl<'a> EdgeRecord<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new(bytes);
        let version = reader.version(MAGIC, WITHOUT_TERMS..=VERSION)?;
        reader.suite(SUITE)?;
        let key = EdgeKeyId::from_bytes(reader.array()?);
        let segment = Segment { key, id: reader.array()?, encapsulated: reader.array()? };
        let _place = reader.u64()?;
        let prefix = bytes.get(..PREFIX_BYTES).ok_or(FormatError::Malformed)?;
        Ok(Self { segment, version, prefix, tail: Tail::read(reader)? })
    }

    /// What it must have been sealed for, to be the text of this context on these terms.
    pub(super) fn bound(&self, context: &TextContext, terms: &EdgeTerms) -> Vec<u8> {
        if self.version == WITHOUT_TERMS { context.encode() } else { bound(context, terms) }
    }
}

/// What a record is bound to, beside its own bytes.
pub(super) fn bound(context: &TextContext, terms: &EdgeTerms) -> Vec<u8> {
    let mut bound = context.encode();
    terms.encode(&mut bound);
    bound
}

/// Which edge key opens these bytes: for counting what a key's destruction would lose, before it is destroyed.
///
/// # Errors
/// When the bytes are not of this format.
pub fn edge_key_of(bytes: &[u8]) -> Result<EdgeKeyId, FormatError> {
    EdgeRecord::read(bytes).map(|record| record.segment.key)
}
