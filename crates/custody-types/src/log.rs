//! Places in the log and the records that stand there, common to every log adapter and to the lake that stores them.

use std::{fmt, str::FromStr};

use bytes::Bytes;

use crate::id::JournalId;

/// A place in one log partition: the number of records before it. "Consumed up to `n`" means every record below `n` is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LogPosition(u64);

impl LogPosition {
    /// The place before the first record.
    pub const START: Self = Self(0);

    /// Wraps a number of records.
    #[must_use]
    pub const fn new(records_before: u64) -> Self {
        Self(records_before)
    }

    /// The number of records before this place.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The place after one more record.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for LogPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One journal in one boot epoch, with one writer: the unit within which `seq` is gapless (D3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// The journal.
    pub journal: JournalId,
    /// Counts the journal's boots, from 1.
    pub epoch: u32,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.journal, self.epoch)
    }
}

/// The text names no source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a source: use <journal id>.<epoch>")]
pub struct ParseSourceError(String);

impl FromStr for Source {
    type Err = ParseSourceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || ParseSourceError(text.chars().take(64).collect());
        let (journal, epoch) = text.split_once('.').ok_or_else(refused)?;
        Ok(Self { journal: journal.parse().map_err(|_| refused())?, epoch: epoch.parse().map_err(|_| refused())? })
    }
}

/// Place of a record within its source, from 1, without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(u64);

impl Seq {
    /// Wraps a place.
    #[must_use]
    pub const fn new(seq: u64) -> Self {
        Self(seq)
    }

    /// The place as a number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// One record as a log hands it out. The payload may be anything: also bytes that no decoder reads are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRecord {
    /// Where it stands in its partition.
    pub position: LogPosition,
    /// Who wrote it.
    pub source: Source,
    /// Its place within the source.
    pub seq: Seq,
    /// Its bytes.
    pub payload: Bytes,
    /// Whether the log found the bytes altered since they were written; they are handed on as they are, as evidence.
    pub damaged: bool,
}
