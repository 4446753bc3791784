//! What opening a journal found, and how it does now.

use custody_types::{LogPosition, LogRecord, Source};

use crate::unit::RequestKey;

/// Bytes after the last whole record that were never acknowledged, kept aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TornTail {
    /// The segment's file.
    pub segment: String,
    /// Where the torn bytes began in it.
    pub offset: u64,
    /// How many bytes were kept.
    pub bytes: u64,
    /// The file in the journal's folder that holds them.
    pub quarantine: String,
}

/// A request that was open when the journal was last written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRequestRecords {
    /// The request.
    pub key: RequestKey,
    /// All its records, oldest first.
    pub records: Vec<LogRecord>,
}

/// What [`crate::JournalCore::open`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryReport {
    /// This boot.
    pub source: Source,
    /// The boot before it, if any.
    pub previous_epoch: Option<u32>,
    /// Whether the folder was empty.
    pub created: bool,
    /// Whether the folder is a copy of another one: the original may be written too, under the same journal and epoch.
    pub copied: bool,
    /// First record still kept.
    pub first: LogPosition,
    /// Where this boot begins.
    pub end: LogPosition,
    /// Unacknowledged bytes that were set aside.
    pub torn: Option<TornTail>,
    /// Records read at start whose bytes were altered; readers hand them on as damaged.
    pub damaged: Vec<LogPosition>,
    /// Files that belong to no journal version known here, left alone.
    pub unknown_files: Vec<String>,
    /// Requests that still owe an outcome, oldest first.
    pub open_requests: Vec<OpenRequestRecords>,
}

/// How the journal does; cheap to ask for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JournalStats {
    /// Whether appends are accepted at all; false once the disk failed for good.
    pub failed: bool,
    /// First record kept.
    pub first: LogPosition,
    /// Durable end.
    pub durable: LogPosition,
    /// Requests that owe an outcome.
    pub open_requests: u64,
    /// Room held for outcomes.
    pub reserved_bytes: u64,
    /// Room left that is allocated on disk, the reserved part included.
    pub allocated_bytes: u64,
    /// Bytes of all segments and the spare.
    pub total_bytes: u64,
    /// The configured bound of `total_bytes`.
    pub max_total_bytes: u64,
    /// Segments kept.
    pub segments: u64,
    /// Whether the next segment is ready.
    pub spare_ready: bool,
    /// Commits since open; each is one write and one sync.
    pub commits: u64,
    /// Records made durable since open.
    pub records: u64,
    /// Bytes made durable since open, frame headers included.
    pub bytes: u64,
    /// Records in the last commit.
    pub last_batch: u64,
    /// Largest commit since open, in records.
    pub largest_batch: u64,
    /// Segments given up because a write or sync failed.
    pub poisoned: u64,
    /// Units refused for lack of room.
    pub refused_full: u64,
    /// Requests whose handle was dropped without an outcome.
    pub orphaned: u64,
}

impl JournalStats {
    /// Whether a unit of this size, with its reserve, would find room now.
    #[must_use]
    pub const fn has_room(&self, bytes: u64) -> bool {
        self.spare_ready || self.allocated_bytes.saturating_sub(self.reserved_bytes) >= bytes
    }
}
