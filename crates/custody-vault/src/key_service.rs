//! Key services: who wraps the keys that the vault keeps. A key file of our own, or AWS KMS.

mod calls;
mod file;
mod kms;

use std::{collections::BTreeSet, fmt, path::PathBuf, sync::Arc};

use async_trait::async_trait;
use custody_seal::wrap::{KeyWrapper, WrappedKey, WrappingKeyName};
use custody_types::{Clock, SensitiveText, TenantId, Timestamp};

use crate::error::VaultError;

pub use calls::KeyCalls;
pub use file::FileKeys;
pub use kms::{KmsKeys, KmsOptions};

/// What became of a tenant's older wrapping keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EndedKeys {
    /// Keys that are gone.
    pub removed: Vec<WrappingKeyName>,
    /// Keys that stay, because something is wrapped by them.
    pub still_in_use: Vec<WrappingKeyName>,
}

/// What became of the wish to have a tenant's own key deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyDeletion {
    /// The service deletes it at this time.
    Scheduled {
        /// The key, as the service names it.
        key: WrappingKeyName,
        /// When.
        at: Timestamp,
    },
    /// It stays.
    Refused {
        /// The key, as the service names it.
        key: WrappingKeyName,
        /// Why, in a sentence without a capital or a period.
        why: String,
    },
}

/// Which key service a vault uses.
pub enum KeyService {
    /// A key file, made when it is not there.
    File {
        /// The file.
        path: PathBuf,
        /// What locks it; nothing: who reads the file has the keys.
        passphrase: Option<SensitiveText>,
    },
    /// AWS KMS.
    Kms(KmsOptions),
}

/// A key service that can be rotated and counted.
#[async_trait]
pub trait KeyProvider: KeyWrapper {
    /// Whether the key that wrapped it is the one that would wrap it now.
    async fn is_current(&self, wrapped: &WrappedKey) -> bool;

    /// Makes a wrapping key that wraps from now on: a tenant's, or the product's own.
    ///
    /// # Errors
    /// When the service can't, or keys are rotated elsewhere.
    async fn rotate(&self, tenant: Option<&TenantId>) -> Result<WrappingKeyName, VaultError>;

    /// Removes wrapping keys that are not in use and can't come into use again, and says which.
    ///
    /// # Errors
    /// When the service can't.
    async fn remove_unused(&self, in_use: &BTreeSet<WrappingKeyName>) -> Result<Vec<WrappingKeyName>, VaultError>;

    /// Removes a tenant's wrapping keys that are not in use, but for the newest, at once: as an erasure needs it. The caller has waited
    /// until nobody wraps with the older ones any more.
    ///
    /// # Errors
    /// When the service can't.
    async fn end_unused(&self, tenant: &TenantId, in_use: &BTreeSet<WrappingKeyName>) -> Result<EndedKeys, VaultError>;

    /// Whether its keys are made and ended by the operator of a service, and not here.
    fn is_kms(&self) -> bool;

    /// The key of a tenant's own that only the service's operator can end.
    fn kept_elsewhere(&self, tenant: &TenantId) -> Option<String>;

    /// Asks the service to delete a tenant's own key after so many days. A key that is in use, or that wraps for others too, stays.
    ///
    /// # Errors
    /// When the tenant has none there, or the service does not answer or refuses.
    async fn schedule_deletion(&self, tenant: &TenantId, days: u8, in_use: &BTreeSet<WrappingKeyName>) -> Result<KeyDeletion, VaultError>;

    /// The tenants that have wrapping keys of their own.
    async fn tenants(&self) -> Result<BTreeSet<TenantId>, VaultError>;

    /// Calls so far, for metrics.
    fn calls(&self) -> KeyCalls;

    /// What it is, in a few words, for people.
    fn describe(&self) -> String;
}

/// Opens a key service. A key file that is not there is made; KMS is not asked yet.
///
/// # Errors
/// When the key file can't be read or made, others may use it, its passphrase is wrong, or the settings make no sense.
pub async fn open_wrapper(service: &KeyService, clock: Arc<dyn Clock>) -> Result<Arc<dyn KeyProvider>, VaultError> {
    match service {
        KeyService::File { path, passphrase } => Ok(Arc::new(FileKeys::open(path.clone(), passphrase.clone(), clock).await?)),
        KeyService::Kms(options) => Ok(Arc::new(KmsKeys::open(options).await?)),
    }
}

impl fmt::Debug for KeyService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, passphrase } => {
                f.debug_struct("File").field("path", path).field("has_passphrase", &passphrase.is_some()).finish()
            }
            Self::Kms(options) => options.fmt(f),
        }
    }
}
