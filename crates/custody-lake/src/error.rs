//! What can go wrong between us and a table, told apart by what may be done about it.

use std::time::Duration;

use custody_types::{Fault, FaultOwner, Retry};

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The store could not be read or written. Nothing became visible by the failed call.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store did not answer, or answered with an error.
    #[error("lake storage failed while {doing}")]
    Storage {
        /// What was under way.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: Cause,
    },
    /// The table is not what this program writes.
    #[error("lake table `{table}` cannot be used: {found}")]
    UnusableTable {
        /// The table.
        table: &'static str,
        /// What is wrong with it.
        found: String,
    },
    /// Rows did not become Parquet: a defect.
    #[error("rows could not be written as Parquet")]
    Encoding(#[source] Cause),
}

/// How a commit can fail. Each case obliges the caller to something else.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The table moved on since the snapshot. It may have moved on by this very commit, when the store's answer to an earlier try
    /// was lost: look with `find_commit` before trying again.
    #[error("table moved on since version {version}")]
    Conflict {
        /// The version that the commit was made for.
        version: u64,
    },
    /// It cannot be told whether the commit is in the table: look with `find_commit`.
    #[error("no answer to a commit on version {version}")]
    Ambiguous {
        /// The version that the commit was made for.
        version: u64,
        /// Why there was no answer.
        #[source]
        source: Cause,
    },
    /// The commit is surely not in the table.
    #[error("commit was not made")]
    Failed(#[source] StoreError),
}

impl StoreError {
    pub(crate) fn storage<E: Into<Cause>>(doing: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::Storage { doing, source: source.into() }
    }

    pub(crate) fn encoding(source: impl Into<Cause>) -> Self {
        Self::Encoding(source.into())
    }
}

impl Fault for StoreError {
    fn owner(&self) -> FaultOwner {
        match self {
            Self::Storage { .. } | Self::UnusableTable { .. } => FaultOwner::Operator,
            Self::Encoding(_) => FaultOwner::Product,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Storage { .. } => Retry::After(Duration::from_secs(1)),
            Self::UnusableTable { .. } | Self::Encoding(_) => Retry::Never,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Storage { .. } => "lake_storage_failed",
            Self::UnusableTable { .. } => "lake_table_unusable",
            Self::Encoding(_) => "lake_encoding_failed",
        }
    }
}

impl Fault for CommitError {
    fn owner(&self) -> FaultOwner {
        match self {
            Self::Conflict { .. } | Self::Ambiguous { .. } => FaultOwner::Operator,
            Self::Failed(error) => error.owner(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Conflict { .. } | Self::Ambiguous { .. } => Retry::After(Duration::ZERO),
            Self::Failed(error) => error.retry(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Conflict { .. } => "lake_commit_conflict",
            Self::Ambiguous { .. } => "lake_commit_ambiguous",
            Self::Failed(error) => error.code(),
        }
    }
}
