//! What can go wrong at the journal's border, and whose fault it is.

use std::{io, time::Duration};

use custody_types::{Fault, FaultOwner, LogPosition, Retry};

/// Why the journal has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FullCause {
    /// The configured bound is reached; consumers must catch up.
    Bound,
    /// The disk has no space for another segment.
    Disk,
    /// The next segment is still being prepared.
    Preparing,
    /// All allocated room is promised to open requests; it comes back as they end.
    Promised,
}

/// A record was not made durable by this call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// No room that is already allocated on disk; nothing was written.
    #[error("the journal has no allocated room ({cause:?})")]
    Full {
        /// Why.
        cause: FullCause,
        /// When to try again.
        retry_after: Duration,
    },
    /// The records are larger than the journal takes; nothing was written.
    #[error("{bytes} bytes exceed the journal's limit of {limit}")]
    TooLarge {
        /// Bytes asked for.
        bytes: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// An append needs at least one record.
    #[error("an append without records")]
    Empty,
    /// The request is already open, or not open.
    #[error("the request is not in the state that this append needs")]
    Obligation,
    /// The disk failed twice; the journal takes nothing more until it is opened again. Whether this record is kept is unknown.
    #[error("the journal's disk failed; it accepts no more records")]
    Failed,
    /// The journal was shut down.
    #[error("the journal is closed")]
    Closed,
}

impl AppendError {
    pub(crate) const fn full(cause: FullCause) -> Self {
        let retry_after = match cause {
            FullCause::Preparing | FullCause::Promised => Duration::from_secs(1),
            FullCause::Bound => Duration::from_secs(5),
            FullCause::Disk => Duration::from_secs(30),
        };
        Self::Full { cause, retry_after }
    }
}

impl Fault for AppendError {
    fn owner(&self) -> FaultOwner {
        match self {
            Self::Full { .. } | Self::Failed => FaultOwner::Operator,
            Self::TooLarge { .. } => FaultOwner::Caller,
            Self::Empty | Self::Obligation | Self::Closed => FaultOwner::Product,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Full { retry_after, .. } => Retry::After(*retry_after),
            _ => Retry::Never,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Full { .. } => "journal_full",
            Self::TooLarge { .. } => "journal_record_too_large",
            Self::Empty => "journal_empty_append",
            Self::Obligation => "journal_obligation",
            Self::Failed => "journal_failed",
            Self::Closed => "journal_closed",
        }
    }
}

/// The journal cannot be opened; the text says what a person can do.
#[derive(Debug, thiserror::Error)]
pub enum OpenJournalError {
    /// Another process writes it.
    #[error("another process holds the journal's lock")]
    Locked,
    /// The folder or its disk cannot be written.
    #[error("the journal's folder is read-only: make it writable for this user or choose another folder")]
    ReadOnly(#[source] io::Error),
    /// There is no space for a segment.
    #[error("no disk space for a journal segment of {bytes} bytes: free space or choose another folder")]
    DiskFull {
        /// Bytes of one segment.
        bytes: u64,
    },
    /// The settings contradict each other.
    #[error("journal setting `{key}` {problem}")]
    Config {
        /// The setting.
        key: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The folder holds something that is not a whole journal.
    #[error("`{file}` {problem}")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Any other failure of the disk.
    #[error("the journal's disk failed while {doing}")]
    Disk {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl OpenJournalError {
    pub(crate) fn from_disk(doing: &'static str, segment_bytes: u64) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => Self::ReadOnly(source),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { bytes: segment_bytes },
            _ => Self::Disk { doing, source },
        }
    }
}

impl Fault for OpenJournalError {
    fn owner(&self) -> FaultOwner {
        FaultOwner::Operator
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Locked => "journal_locked",
            Self::ReadOnly(_) => "journal_read_only",
            Self::DiskFull { .. } => "journal_disk_full",
            Self::Config { .. } => "journal_config",
            Self::Damaged { .. } => "journal_damaged",
            Self::Disk { .. } => "journal_disk",
        }
    }
}

/// Records cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The place asked for was truncated; the first record still kept stands at `first`.
    #[error("records before position {first} were removed; asked for {asked}")]
    Truncated {
        /// Where the reader stood.
        asked: LogPosition,
        /// First place that can be read.
        first: LogPosition,
    },
    /// The folder holds no journal, or not one that this version reads.
    #[error("`{file}` {problem}")]
    NotAJournal {
        /// The file.
        file: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The disk failed.
    #[error("the journal cannot be read")]
    Disk(#[from] io::Error),
    /// The log is away, or refuses; nothing is known about its records.
    #[error("the log is not available for {doing}")]
    Unavailable {
        /// What was being done.
        doing: &'static str,
        /// What the log's client said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Fault for ReadError {
    fn owner(&self) -> FaultOwner {
        match self {
            Self::Unavailable { .. } => FaultOwner::Upstream,
            Self::Truncated { .. } | Self::NotAJournal { .. } | Self::Disk(_) => FaultOwner::Operator,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Disk(_) | Self::Unavailable { .. } => Retry::After(Duration::from_secs(1)),
            Self::Truncated { .. } | Self::NotAJournal { .. } => Retry::Never,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Truncated { .. } => "journal_truncated",
            Self::NotAJournal { .. } => "journal_missing",
            Self::Disk(_) => "journal_unreadable",
            Self::Unavailable { .. } => "log_unavailable",
        }
    }
}
