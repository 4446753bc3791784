//! A text at rest, as it stands in the `content` table and in claim checks.
//!
//! | Offset | Bytes | Field |
//! | --- | --- | --- |
//! | 0 | 4 | `CTXT` |
//! | 4 | 1 | format version, 1 |
//! | 5 | 1 | suite, 1 |
//! | 6 | 16 | unit key id |
//! | 22 | 32 | salt, random |
//! | 54 | 32 | key commitment |
//! | 86 | 4 | length of the rest, big-endian |
//! | 90 | 32 + n + 16 | ciphertext of the salt of the text's commitment and the text, and tag |
//!
//! 138 bytes are added to a text. All of it is authenticated, with schema, unit and context of the text behind it.

use super::unit_key::UnitKeyId;
use crate::{error::FormatError, one_use::Tail, wire::Reader};

const MAGIC: &[u8; 4] = b"CTXT";
const VERSION: u8 = 1;
const SUITE: u8 = 1;
const PREFIX_BYTES: usize = 54;

pub(super) struct RestRecord<'a> {
    pub(super) key: UnitKeyId,
    pub(super) prefix: &'a [u8],
    pub(super) tail: Tail<'a>,
}

pub(super) fn prefix(key: UnitKeyId, salt: &[u8; 32]) -> Vec<u8> {
    [MAGIC.as_slice(), &[VERSION, SUITE], key.as_bytes(), salt].concat()
}

impl<'a> RestRecord<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new(bytes);
        reader.head(MAGIC, VERSION)?;
        reader.suite(SUITE)?;
        let key = UnitKeyId::from_bytes(reader.array()?);
        let _salt = reader.array::<32>()?;
        let prefix = bytes.get(..PREFIX_BYTES).ok_or(FormatError::Malformed)?;
        Ok(Self { key, prefix, tail: Tail::read(reader)? })
    }
}

/// Which unit key opens these bytes, so that its holder can fetch it.
///
/// # Errors
/// When the bytes are not of this format.
pub fn unit_key_of(bytes: &[u8]) -> Result<UnitKeyId, FormatError> {
    RestRecord::read(bytes).map(|record| record.key)
}
