//! What can go wrong with key services and key files.

use std::time::Duration;

use custody_types::{Fault, FaultOwner, Retry};

use crate::{
    entropy::NoEntropyError,
    error::{FormatError, OpenError, SealError},
};

/// A key was not wrapped or unwrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WrapError {
    /// The key service is away, or takes no more calls now. Sealed text waits.
    #[error("the key service does not answer")]
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
    /// The key service refuses us.
    #[error("the key service refuses access")]
    Refused,
    /// The wrapping key is not there: it never was, is destroyed or disabled.
    #[error("the wrapping key is not held")]
    UnknownKey,
    /// The wrapped key was altered, or is not the key that its context says.
    #[error("the wrapped key is not what its context says")]
    NotAuthentic,
    /// No randomness.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropyError),
}

/// A key file was not opened or made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// The bytes are not of the format.
    #[error("key file: {0}")]
    Format(#[from] FormatError),
    /// The file is locked by a passphrase, and none was given.
    #[error("the key file needs a passphrase")]
    PassphraseNeeded,
    /// A passphrase was given for a file that has none: it is another file than meant.
    #[error("the key file has no passphrase, but one was given")]
    PassphraseNotNeeded,
    /// The passphrase is wrong, or the file was altered.
    #[error("the key file does not open: wrong passphrase, or it was altered")]
    NotAuthentic,
    /// The passphrase's cost is beyond what this program spends.
    #[error("the cost of the passphrase is out of bounds")]
    Cost,
    /// More keys than the format holds.
    #[error("the key file is full")]
    Full,
    /// No randomness.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropyError),
}

impl Fault for WrapError {
    fn owner(&self) -> FaultOwner {
        match self {
            Self::Unavailable { .. } => FaultOwner::Upstream,
            Self::Refused | Self::UnknownKey | Self::NotAuthentic | Self::NoEntropy(_) => FaultOwner::Operator,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Unavailable { retry_after } => Retry::After(*retry_after),
            Self::Refused | Self::UnknownKey | Self::NotAuthentic | Self::NoEntropy(_) => Retry::Never,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "key_service_unavailable",
            Self::Refused => "key_service_refused",
            Self::UnknownKey => "wrapping_key_unknown",
            Self::NotAuthentic => "wrapped_key_not_authentic",
            Self::NoEntropy(_) => "seal_no_randomness",
        }
    }
}

impl Fault for KeyFileError {
    fn owner(&self) -> FaultOwner {
        FaultOwner::Operator
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Format(FormatError::Malformed) => "key_file_malformed",
            Self::Format(FormatError::Version { .. } | FormatError::Suite { .. }) => "key_file_version_unknown",
            Self::PassphraseNeeded => "key_file_passphrase_needed",
            Self::PassphraseNotNeeded => "key_file_passphrase_not_needed",
            Self::NotAuthentic => "key_file_not_authentic",
            Self::Cost => "key_file_cost",
            Self::Full => "key_file_full",
            Self::NoEntropy(_) => "seal_no_randomness",
        }
    }
}

impl From<SealError> for KeyFileError {
    fn from(error: SealError) -> Self {
        match error {
            SealError::NoEntropy(error) => Self::NoEntropy(error),
            SealError::TooLong { .. }
            | SealError::NoEdgeKey
            | SealError::EdgeKeyOver
            | SealError::EdgeKeyUnusable
            | SealError::KeyExhausted
            | SealError::WrongUnit => Self::Full,
        }
    }
}

impl From<OpenError> for WrapError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::UnknownKey => Self::UnknownKey,
            OpenError::Format(_) | OpenError::NotAuthentic => Self::NotAuthentic,
        }
    }
}
