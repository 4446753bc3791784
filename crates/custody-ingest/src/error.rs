//! Why ingest stopped or has to try again.

use std::time::Duration;

use custody_lake::StoreError;
use custody_log::ReadError;
use custody_types::{Fault, FaultOwner, LogPosition, Retry};
use custody_vault::VaultError;

/// Why a turn of the loop failed. Nothing is lost by it: the next turn resumes from the table.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The log could not be read.
    #[error("log could not be read")]
    Log(#[from] ReadError),
    /// A table could not be read or written.
    #[error("lake could not be written")]
    Lake(#[from] StoreError),
    /// The vault could not be used.
    #[error("vault could not be used")]
    Vault(#[from] VaultError),
    /// The log has a record and did not give it in time.
    #[error("the log did not give the record at position {position}, which it has")]
    Withheld {
        /// Where it stands.
        position: LogPosition,
    },
    /// A commit found no place although nobody moved its positions.
    #[error("commit to the lake was refused {tries} times")]
    Contended {
        /// How often it was tried.
        tries: u32,
    },
}

impl Fault for IngestError {
    fn owner(&self) -> FaultOwner {
        match self {
            Self::Log(error) => error.owner(),
            Self::Lake(error) => error.owner(),
            Self::Vault(error) => error.owner(),
            Self::Contended { .. } | Self::Withheld { .. } => FaultOwner::Operator,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Log(error) => error.retry(),
            Self::Lake(error) => error.retry(),
            Self::Vault(error) => error.retry(),
            Self::Contended { .. } | Self::Withheld { .. } => Retry::After(Duration::from_secs(1)),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Log(error) => error.code(),
            Self::Lake(error) => error.code(),
            Self::Vault(error) => error.code(),
            Self::Withheld { .. } => "log_record_withheld",
            Self::Contended { .. } => "ingest_contended",
        }
    }
}
