//! The public key of a day, as gateways get it.

use std::fmt;

use sha2::{Digest, Sha256};

use super::day::EdgeDay;
use crate::{
    error::FormatError,
    wire::{Reader, write_hex},
};

const MAGIC: &[u8; 4] = b"CPUB";
const VERSION: u8 = 1;
/// DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, export only, with the records of `one_use`.
pub(super) const SUITE: u8 = 1;

/// Names an edge key. It is computed from day and key, so one name never stands for two keys.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EdgeKeyId([u8; 16]);

/// The public key of a day. Sealing to it needs no secret; who published it is for the one who hands it out to prove.
///
/// | Offset | Bytes | Field |
/// | --- | --- | --- |
/// | 0 | 4 | `CPUB` |
/// | 4 | 1 | format version, 1 |
/// | 5 | 1 | suite, 1 |
/// | 6 | 4 | day since 1970-01-01, big-endian |
/// | 10 | 32 | X25519 public key |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgePublicKey {
    day: EdgeDay,
    key: [u8; 32],
    id: EdgeKeyId,
}

impl EdgeKeyId {
    /// An id as a record holds it.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl EdgePublicKey {
    pub(super) fn new(day: EdgeDay, key: [u8; 32]) -> Self {
        let digest = Sha256::new().chain_update(b"custody edge key v1").chain_update(day.number().to_be_bytes()).chain_update(key);
        let digest: [u8; 32] = digest.finalize().into();
        let mut id = [0; 16];
        id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        Self { day, key, id: EdgeKeyId(id) }
    }

    /// The day it is of.
    #[must_use]
    pub const fn day(&self) -> EdgeDay {
        self.day
    }

    /// Its name.
    #[must_use]
    pub const fn id(&self) -> EdgeKeyId {
        self.id
    }

    pub(super) const fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// The bytes that are handed to gateways.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        [MAGIC.as_slice(), &[VERSION, SUITE], &self.day.number().to_be_bytes(), &self.key].concat()
    }

    /// Reads what [`EdgePublicKey::encode`] wrote.
    ///
    /// # Errors
    /// When the bytes are not of this format.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new(bytes);
        reader.head(MAGIC, VERSION)?;
        reader.suite(SUITE)?;
        let day = EdgeDay::from_number(reader.i32()?);
        let key = reader.array()?;
        reader.end()?;
        Ok(Self::new(day, key))
    }
}

impl fmt::Display for EdgeKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for EdgeKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
