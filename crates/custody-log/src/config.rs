//! What a journal is told when it is opened.

use custody_types::JournalId;

/// Settings of one journal. Every field is meant literally; [`JournalConfig::new`] gives the defaults and why.
#[derive(Debug, Clone)]
pub struct JournalConfig {
    /// The id that a journal takes when the folder is empty; an existing journal keeps its own.
    pub new_journal: JournalId,
    /// Bytes of one segment, allocated and zeroed before it is used.
    pub segment_bytes: u64,
    /// Bound of all segments and the spare together. Beyond it the journal refuses instead of growing.
    pub max_total_bytes: u64,
    /// Largest payload of one record.
    pub max_record_bytes: usize,
    /// Room kept for the outcome of each open request, frame headers included.
    pub outcome_reserve_bytes: u64,
    /// Most bytes that one commit writes and syncs at once.
    pub max_batch_bytes: u64,
    /// Consumers whose floors hold truncation back. Until each has reported one, nothing is removed.
    pub consumers: Vec<String>,
}

impl JournalConfig {
    /// The defaults.
    #[must_use]
    pub fn new(new_journal: JournalId) -> Self {
        Self {
            new_journal,
            // Large enough that a roll is rare at 100 MB/s, small enough that a boot scans it in tens of milliseconds.
            segment_bytes: 64 << 20,
            // About an hour of heavy traffic while the lake is away.
            max_total_bytes: 4 << 30,
            max_record_bytes: 1 << 20,
            // Four outcome events of a few hundred bytes each need about 2 KiB. With every tag, label and raw usage number at its
            // bound they stay below 30 KiB.
            outcome_reserve_bytes: 32 << 10,
            // Keeps the worst wait of one commit in the low milliseconds.
            max_batch_bytes: 4 << 20,
            consumers: Vec::new(),
        }
    }
}
