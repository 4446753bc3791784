//! What can go wrong when sealing and opening. An error never says which byte, and never holds a part of text or key.

use custody_types::{Fault, FaultOwner, Retry};

use crate::entropy::NoEntropyError;

/// The bytes are not of the format that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Cut off, extended, of another kind, or with a field that can't be.
    #[error("the bytes are not of this format")]
    Malformed,
    /// A version that this program does not read.
    #[error("format version {found} is not known to this program")]
    Version {
        /// The version found.
        found: u8,
    },
    /// A set of algorithms that this program does not have.
    #[error("algorithm suite {found} is not known to this program")]
    Suite {
        /// The suite found.
        found: u8,
    },
}

/// Sealed bytes stay closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The bytes are not of the format.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The key that they name is not held: it never was, or it is destroyed.
    #[error("the key of this text is not held")]
    UnknownKey,
    /// The bytes were altered, or are not the text of this tenant, person, request and part.
    #[error("the text is not what its context says")]
    NotAuthentic,
}

/// Text was not sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// No randomness.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropyError),
    /// Longer than one record may be.
    #[error("{bytes} bytes exceed the limit of {limit} for one sealed text")]
    TooLong {
        /// Bytes asked for.
        bytes: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// No public key may be used at this time: the new day's was not published.
    #[error("no edge key may seal at this time")]
    NoEdgeKey,
    /// The segment's key is of a day that is over; a new segment must be begun.
    #[error("the segment's edge key may no longer seal")]
    EdgeKeyOver,
    /// The public key is not a point that a secret can be agreed with.
    #[error("the edge key is not usable")]
    EdgeKeyUnusable,
    /// The key has sealed as many texts as it may.
    #[error("the key has sealed as many texts as it may")]
    KeyExhausted,
    /// The text belongs to another tenant, person, purpose or month than the key.
    #[error("the text does not belong to this key's unit")]
    WrongUnit,
}

impl Fault for OpenError {
    fn owner(&self) -> FaultOwner {
        match self {
            Self::Format(_) | Self::UnknownKey | Self::NotAuthentic => FaultOwner::Operator,
        }
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Format(error) => error.code(),
            Self::UnknownKey => "sealed_key_unknown",
            Self::NotAuthentic => "sealed_not_authentic",
        }
    }
}

impl Fault for FormatError {
    fn owner(&self) -> FaultOwner {
        FaultOwner::Operator
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "sealed_malformed",
            Self::Version { .. } => "sealed_version_unknown",
            Self::Suite { .. } => "sealed_suite_unknown",
        }
    }
}

impl Fault for SealError {
    fn owner(&self) -> FaultOwner {
        match self {
            Self::TooLong { .. } => FaultOwner::Caller,
            Self::NoEntropy(_) | Self::NoEdgeKey | Self::EdgeKeyUnusable => FaultOwner::Operator,
            Self::EdgeKeyOver | Self::KeyExhausted | Self::WrongUnit => FaultOwner::Product,
        }
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoEntropy(_) => "seal_no_randomness",
            Self::TooLong { .. } => "seal_text_too_long",
            Self::NoEdgeKey => "seal_no_edge_key",
            Self::EdgeKeyOver => "seal_edge_key_over",
            Self::EdgeKeyUnusable => "seal_edge_key_unusable",
            Self::KeyExhausted => "seal_key_exhausted",
            Self::WrongUnit => "seal_wrong_unit",
        }
    }
}
