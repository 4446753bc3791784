//! Why files were not compacted.

use custody_types::{Fault, FaultOwner, Retry};

use crate::error::StoreError;

/// Why a run ended before its end. What it had replaced stays replaced.
#[derive(Debug, thiserror::Error)]
pub enum CompactionError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A rewritten file was about to take the place of files with other rows. Nothing was committed: a defect.
    #[error("rewritten files of `{event_date}` do not hold what the files of table `{table}` hold, so they were not used")]
    ContentChanged {
        /// The table.
        table: &'static str,
        /// The date.
        event_date: String,
    },
}

/// Why small files were left as they are. No row is concerned either way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WhyLeft {
    /// Another compaction replaced one of them first.
    #[error("another program replaced one of them first")]
    Overtaken,
    /// Appends came first, each time.
    #[error("appends came first each time")]
    Contended,
    /// Another program wrote the file, in another order.
    #[error("`{0}` is not in the table's order")]
    NotSorted(String),
    /// A file does not hold rows of this table.
    #[error("{0}")]
    Unreadable(String),
}

impl WhyLeft {
    /// The cause says more than that there was one.
    pub(super) fn unreadable(error: &StoreError) -> Self {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        Self::Unreadable(cause.unwrap_or_else(|| error.to_string()))
    }
}

impl Fault for CompactionError {
    fn owner(&self) -> FaultOwner {
        match self {
            Self::Store(error) => error.owner(),
            Self::ContentChanged { .. } => FaultOwner::Product,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Store(error) => error.retry(),
            Self::ContentChanged { .. } => Retry::Never,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::ContentChanged { .. } => "lake_compaction_content_changed",
        }
    }
}
