//! What can go wrong in the vault, told apart by what may be done about it.

use std::{path::PathBuf, time::Duration};

use custody_seal::{
    FormatError, NoEntropyError,
    rest::UnitKeyId,
    wrap::{KeyFileError, WrapError},
};
use custody_types::{Fault, FaultOwner, Retry};

use crate::{objects::InvalidObjectNameError, root::VaultRootError};

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// How soon a store that failed is asked again.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// The vault could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The store did not answer, or answered with an error. A put may or may not have happened; repeating it is safe.
    #[error("vault storage failed while {doing}")]
    Storage {
        /// What was under way.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: Cause,
    },
    /// The store refuses us: credentials or permissions.
    #[error("vault storage refuses access while {doing}")]
    StorageRefused {
        /// What was under way.
        doing: &'static str,
        /// What it said.
        #[source]
        source: Cause,
    },
    /// A name that can't stand in the store.
    #[error(transparent)]
    Name(#[from] InvalidObjectNameError),
    /// The place of the vault can't be used.
    #[error(transparent)]
    Root(#[from] VaultRootError),
    /// The key service did not wrap or unwrap.
    #[error(transparent)]
    KeyService(#[from] WrapError),
    /// The key file did not open or was not made.
    #[error("`{}`: {cause}", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: KeyFileError,
    },
    /// The key file is not there, or could not be read or written.
    #[error("key file `{}` could not be {doing}", path.display())]
    KeyFileAccess {
        /// The file.
        path: PathBuf,
        /// What was under way: `read` or `written`.
        doing: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Others than its owner may read the key file.
    #[error("key file `{}` has permissions {mode:o}: others than its owner may use it; run `chmod 600` on it", path.display())]
    KeyFileOpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// What the key service is asked with makes no sense.
    #[error("key service: {0}")]
    KeyServiceSettings(String),
    /// A kept key or record is not of its format: the store was altered, or is of a newer version.
    #[error("vault object `{object}`: {cause}")]
    Unreadable {
        /// The object.
        object: String,
        /// Why.
        cause: FormatError,
    },
    /// A kept key is another than its place says: the store was altered.
    #[error("vault object `{object}` is not the key of its place")]
    Misplaced {
        /// The object.
        object: String,
    },
    /// A document is not what this program writes.
    #[error("vault document `{object}` cannot be used")]
    UnusableDocument {
        /// The object.
        object: String,
        /// Why.
        #[source]
        source: Cause,
    },
    /// A document of this name is there already.
    #[error("vault document `{object}` is there already")]
    DocumentExists {
        /// The object.
        object: String,
    },
    /// The unit's key is destroyed, or never was.
    #[error("unit key `{0}` is not kept")]
    KeyGone(UnitKeyId),
    /// No randomness.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropyError),
}

impl VaultError {
    pub(crate) fn storage<E: Into<Cause>>(doing: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::Storage { doing, source: source.into() }
    }

    /// Whether the same call may succeed later: the key service or the store is away.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        self.retry() != Retry::Never
    }
}

impl Fault for VaultError {
    fn owner(&self) -> FaultOwner {
        match self {
            Self::KeyService(error) => error.owner(),
            Self::KeyFile { cause, .. } => cause.owner(),
            Self::Unreadable { cause, .. } => cause.owner(),
            Self::Name(_) => FaultOwner::Product,
            Self::DocumentExists { .. } | Self::KeyGone(_) => FaultOwner::Caller,
            Self::Storage { .. }
            | Self::StorageRefused { .. }
            | Self::Root(_)
            | Self::KeyFileAccess { .. }
            | Self::KeyFileOpenToOthers { .. }
            | Self::KeyServiceSettings(_)
            | Self::Misplaced { .. }
            | Self::UnusableDocument { .. }
            | Self::NoEntropy(_) => FaultOwner::Operator,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Storage { .. } => Retry::After(STORE_PAUSE),
            Self::KeyService(error) => error.retry(),
            Self::StorageRefused { .. }
            | Self::Name(_)
            | Self::Root(_)
            | Self::KeyFile { .. }
            | Self::KeyFileAccess { .. }
            | Self::KeyFileOpenToOthers { .. }
            | Self::KeyServiceSettings(_)
            | Self::Unreadable { .. }
            | Self::Misplaced { .. }
            | Self::UnusableDocument { .. }
            | Self::DocumentExists { .. }
            | Self::KeyGone(_)
            | Self::NoEntropy(_) => Retry::Never,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Storage { .. } => "vault_storage_failed",
            Self::StorageRefused { .. } => "vault_storage_refused",
            Self::Name(_) => "vault_name_invalid",
            Self::Root(_) => "vault_root_invalid",
            Self::KeyService(error) => error.code(),
            Self::KeyFile { cause, .. } => cause.code(),
            Self::KeyFileAccess { .. } => "key_file_unreachable",
            Self::KeyFileOpenToOthers { .. } => "key_file_open_to_others",
            Self::KeyServiceSettings(_) => "key_service_settings",
            Self::Unreadable { cause, .. } => cause.code(),
            Self::Misplaced { .. } => "vault_key_misplaced",
            Self::UnusableDocument { .. } => "vault_document_unusable",
            Self::DocumentExists { .. } => "vault_document_exists",
            Self::KeyGone(_) => "unit_key_gone",
            Self::NoEntropy(_) => "seal_no_randomness",
        }
    }
}
