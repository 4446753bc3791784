//! What a compaction is told, and what it tells: plain values.

use std::time::Duration;

use super::WhyLeft;
use crate::table::LakeTable;

/// How files are compacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompactionConfig {
    /// Bytes of a file as it should be; below half of that it is small. 256 MiB: a scan reads it at the store's full speed, and a merge
    /// holds twice as much in memory.
    pub target_bytes: u64,
    /// How long after its end a date counts as settled: then even two small files are merged. A day: ingest is rarely later.
    pub settled_after: Duration,
}

/// What a run would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompactionPlan {
    /// The table.
    pub table: LakeTable,
    /// The version that it was made from.
    pub version: u64,
    /// Files that would become one, group by group.
    pub groups: Vec<CompactionGroup>,
}

/// Small files of one date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompactionGroup {
    /// The date, as `2026-11-21`.
    pub event_date: String,
    /// How many.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// How far a run is; told before each group and at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompactionProgress {
    /// Groups that are done or left.
    pub groups_done: usize,
    /// All groups.
    pub groups: usize,
    /// Bytes of files that are done or left.
    pub bytes_done: u64,
    /// All bytes.
    pub bytes: u64,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CompactionReport {
    /// Files that are no longer part of the table.
    pub files_before: u64,
    /// Files in their place.
    pub files_after: u64,
    /// Rows in them.
    pub rows: u64,
    /// Bytes of the files before.
    pub bytes_before: u64,
    /// Bytes of the files after.
    pub bytes_after: u64,
    /// Dates of groups that were left as they are, and why.
    pub left: Vec<(String, WhyLeft)>,
    /// Whether it stopped before the end because it was asked to.
    pub stopped: bool,
}

impl Default for CompactionConfig {
    fn default() -> Self {
        Self { target_bytes: 256 * 1024 * 1024, settled_after: Duration::from_secs(24 * 60 * 60) }
    }
}
