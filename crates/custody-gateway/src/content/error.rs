//! Why a text that must be kept is not. Its request does not proceed.

use custody_event::EncodeError;
use custody_log::AppendError;
use custody_seal::SealError;
use custody_types::{Fault, FaultOwner, Retry};

use super::ports::ClaimError;

/// A text that must be kept could not be.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// This process was started without a way to the vault.
    #[error("this gateway has no vault, and a data-handling rule keeps text")]
    NoVault,
    /// It could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The vault's store did not take it.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// The content journal did not take it.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// Its record could not be written: a defect.
    #[error("a record of the content stream does not follow its schema")]
    Encode(#[from] EncodeError),
    /// The task that sealed it ended: a defect.
    #[error("sealing ended abnormally")]
    Ended,
}

impl Fault for CaptureError {
    fn owner(&self) -> FaultOwner {
        match self {
            Self::NoVault => FaultOwner::Operator,
            Self::Seal(error) => error.owner(),
            Self::Claim(error) => error.owner(),
            Self::Append(error) => error.owner(),
            Self::Encode(_) | Self::Ended => FaultOwner::Product,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Append(error) => error.retry(),
            Self::Claim(error) => error.retry(),
            Self::NoVault | Self::Seal(_) | Self::Encode(_) | Self::Ended => Retry::Never,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoVault | Self::Seal(SealError::NoEdgeKey | SealError::EdgeKeyUnusable | SealError::NoEntropy(_)) => {
                "content_key_missing"
            }
            Self::Seal(SealError::TooLong { .. }) => "content_too_large",
            Self::Append(AppendError::Full { .. }) => "content_journal_full",
            Self::Seal(SealError::EdgeKeyOver | SealError::KeyExhausted | SealError::WrongUnit)
            | Self::Claim(_)
            | Self::Append(_)
            | Self::Encode(_)
            | Self::Ended => "content_unavailable",
        }
    }
}
