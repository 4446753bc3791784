//! Bytes of a format: strict reading that never panics, and fields whose concatenation can be read in one way only.

use std::ops::RangeInclusive;

use crate::error::FormatError;

/// Reads a format front to back; [`Reader::end`] refuses what is left over.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], FormatError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(FormatError::Malformed)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        self.take(N)?.try_into().map_err(|_| FormatError::Malformed)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, FormatError> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, FormatError> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, FormatError> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn i32(&mut self) -> Result<i32, FormatError> {
        self.array().map(i32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, FormatError> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) fn i64(&mut self) -> Result<i64, FormatError> {
        self.array().map(i64::from_be_bytes)
    }

    /// Bytes behind their length in two bytes.
    pub(crate) fn field(&mut self) -> Result<&'a [u8], FormatError> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }

    /// Text behind its length, parsed by the type that it stands for.
    pub(crate) fn label<T: std::str::FromStr>(&mut self) -> Result<T, FormatError> {
        let text = std::str::from_utf8(self.field()?).map_err(|_| FormatError::Malformed)?;
        text.parse().map_err(|_| FormatError::Malformed)
    }

    /// The magic, then the version, then nothing that this code does not know.
    pub(crate) fn head(&mut self, magic: &[u8; 4], version: u8) -> Result<(), FormatError> {
        self.version(magic, version..=version).map(|_| ())
    }

    /// The magic, then one of the versions that this code knows.
    pub(crate) fn version(&mut self, magic: &[u8; 4], known: RangeInclusive<u8>) -> Result<u8, FormatError> {
        if self.take(magic.len())? != magic {
            return Err(FormatError::Malformed);
        }
        match self.byte()? {
            found if known.contains(&found) => Ok(found),
            found => Err(FormatError::Version { found }),
        }
    }

    /// The suite, which must be the one that this code has.
    pub(crate) fn suite(&mut self, suite: u8) -> Result<(), FormatError> {
        match self.byte()? {
            found if found == suite => Ok(()),
            found => Err(FormatError::Suite { found }),
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn end(self) -> Result<(), FormatError> {
        if self.rest.is_empty() { Ok(()) } else { Err(FormatError::Malformed) }
    }
}

/// Appends bytes behind their length. Every caller's field is bounded far below 65,536 bytes by its own type.
pub(crate) fn put_field(out: &mut Vec<u8>, field: &[u8]) {
    let length = u16::try_from(field.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(field);
}

/// Sixteen bytes in hexadecimal, as ids are shown.
pub(crate) fn write_hex(f: &mut std::fmt::Formatter<'_>, bytes: &[u8]) -> std::fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}
