//! A key file as key service. Several processes may use one file: who changes it holds a lock and reads it first, who wraps
//! or unwraps looks whether it was changed: a wrapping key that was removed opens nothing in any process.

mod disk;

use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use custody_seal::{
    SecretKey,
    wrap::{KeyFile, KeyFileError, KeyOwner, KeyWrapper, WrapContext, WrapError, WrappedKey, WrappingKeyName},
};
use custody_types::{Clock, SensitiveText, TenantId, Timestamp, fault_point};

use super::{EndedKeys, KeyCalls, KeyDeletion, KeyProvider, calls::CallCounter};
use crate::{entropy::OsEntropy, error::VaultError};

/// A process that did not see a rotation yet may still be wrapping with the key before. It looks before every wrap, so that this
/// is far more than it can be late.
const SUPERSEDED_FOR_MICROS: i64 = 3_600_000_000;

/// Wraps with the keys of a file.
pub struct FileKeys {
    place: disk::Place,
    clock: Arc<dyn Clock>,
    held: Mutex<Arc<disk::Held>>,
    calls: CallCounter,
}

impl FileKeys {
    /// Opens a key file; one that is not there is made, with a key of the product's own.
    ///
    /// # Errors
    /// When it can't be read or made, others than its owner may use it, or the passphrase is wrong.
    pub async fn open(path: PathBuf, passphrase: Option<SensitiveText>, clock: Arc<dyn Clock>) -> Result<Self, VaultError> {
        let (place, now) = (disk::Place { path, passphrase }, clock.now());
        let held = place.clone().blocking(move |place| place.open_or_make(now)).await?;
        Ok(Self { place, clock, held: Mutex::new(Arc::new(held)), calls: CallCounter::default() })
    }

    /// Locks the file by another passphrase, or by none. Programs that run go on and must be given the new one to read it again.
    ///
    /// # Errors
    /// When the file can't be read or written, or the passphrase it has is another.
    pub async fn change_passphrase(path: &Path, passphrase: Option<SensitiveText>, new: Option<SensitiveText>) -> Result<(), VaultError> {
        let place = disk::Place { path: path.to_owned(), passphrase };
        place.blocking(move |place| place.relock(new)).await
    }

    /// The keys as they stand in the file now.
    async fn current(&self) -> Result<Arc<disk::Held>, VaultError> {
        let held = self.held();
        let place = self.place.clone();
        let seen = held.stamp;
        let changed = place.blocking(move |place| place.read_if_changed(seen)).await?;
        Ok(changed.map_or(held, |held| self.hold(held)))
    }

    async fn change(
        &self,
        change: impl FnOnce(&mut KeyFile) -> Result<(), KeyFileError> + Send + 'static,
    ) -> Result<Arc<disk::Held>, VaultError> {
        let held = self.place.clone().blocking(move |place| place.change(change)).await?;
        Ok(self.hold(held))
    }

    fn held(&self) -> Arc<disk::Held> {
        Arc::clone(&self.held.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn hold(&self, held: disk::Held) -> Arc<disk::Held> {
        let held = Arc::new(held);
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&held);
        held
    }

    /// The keys for wrapping, with one for this owner: a tenant's first key is made when its first text comes.
    async fn with_key_of(&self, context: &WrapContext) -> Result<Arc<disk::Held>, VaultError> {
        let owner = KeyOwner::of(context);
        let held = self.current().await?;
        if !held.file.names(&owner).is_empty() {
            return Ok(held);
        }
        let now = self.clock.now();
        self.change(move |file| add_if_none(file, owner, now)).await
    }

    /// A file that can't be read is an operator's to mend; the log says what is wrong with it.
    fn refused(&self, error: &VaultError) -> WrapError {
        tracing::error!(error = %error, "the key file can't be used");
        self.calls.refused.add_one();
        WrapError::Refused
    }

    fn counted<T>(&self, result: Result<T, WrapError>) -> Result<T, WrapError> {
        result.inspect_err(|_| self.calls.refused.add_one())
    }

    async fn wrap_now(&self, key: &SecretKey, context: &WrapContext) -> Result<WrappedKey, WrapError> {
        let held = self.with_key_of(context).await.map_err(|error| self.refused(&error))?;
        self.counted(held.file.wrap(key, context, &mut OsEntropy))
    }

    async fn unwrap_now(&self, wrapped: &WrappedKey) -> Result<SecretKey, WrapError> {
        let held = self.current().await.map_err(|error| self.refused(&error))?;
        self.counted(held.file.unwrap(wrapped))
    }
}

fn add_if_none(file: &mut KeyFile, owner: KeyOwner, now: Timestamp) -> Result<(), KeyFileError> {
    if file.names(&owner).is_empty() { file.add(owner, now, &mut OsEntropy).map(|_| ()) } else { Ok(()) }
}

fn owner_of(tenant: Option<&TenantId>) -> KeyOwner {
    tenant.map_or(KeyOwner::Product, |tenant| KeyOwner::Tenant(tenant.clone()))
}

/// Keys that a newer one of their owner replaced long enough ago, and that wrap nothing.
fn superseded(file: &KeyFile, in_use: &BTreeSet<WrappingKeyName>, now: Timestamp) -> Vec<WrappingKeyName> {
    let mut gone = Vec::new();
    for owner in file.owners() {
        let names = file.names(&owner);
        for (older, newer) in names.iter().zip(names.iter().skip(1)) {
            let since = file.made(newer).map_or(0, |made| now.since(made));
            if since >= SUPERSEDED_FOR_MICROS && !in_use.contains(older) {
                gone.push(older.clone());
            }
        }
    }
    gone
}

#[async_trait]
impl KeyWrapper for FileKeys {
    async fn wrap(&self, key: &SecretKey, context: &WrapContext) -> Result<WrappedKey, WrapError> {
        self.calls.encrypt.add_one();
        self.wrap_now(key, context).await
    }

    async fn unwrap(&self, wrapped: &WrappedKey) -> Result<SecretKey, WrapError> {
        self.calls.decrypt.add_one();
        self.unwrap_now(wrapped).await
    }

    async fn rewrap(&self, wrapped: &WrappedKey) -> Result<WrappedKey, WrapError> {
        self.calls.reencrypt.add_one();
        let key = self.unwrap_now(wrapped).await?;
        self.wrap_now(&key, wrapped.context()).await
    }
}

#[async_trait]
impl KeyProvider for FileKeys {
    async fn is_current(&self, wrapped: &WrappedKey) -> bool {
        let Ok(held) = self.current().await else { return false };
        held.file.names(&KeyOwner::of(wrapped.context())).last() == Some(wrapped.wrapping_key())
    }

    async fn rotate(&self, tenant: Option<&TenantId>) -> Result<WrappingKeyName, VaultError> {
        let (owner, now) = (owner_of(tenant), self.clock.now());
        let added = owner.clone();
        let held = self.change(move |file| file.add(added, now, &mut OsEntropy).map(|_| ())).await?;
        fault_point("rewrap.rotated");
        let newest = held.file.names(&owner).pop();
        newest.ok_or_else(|| VaultError::KeyServiceSettings("the key that was added is not in the key file".to_owned()))
    }

    async fn remove_unused(&self, in_use: &BTreeSet<WrappingKeyName>) -> Result<Vec<WrappingKeyName>, VaultError> {
        let now = self.clock.now();
        let gone = superseded(&self.current().await?.file, in_use, now);
        if gone.is_empty() {
            return Ok(gone);
        }
        let removed = gone.clone();
        self.change(move |file| {
            removed.iter().for_each(|name| {
                file.remove(name);
            });
            Ok(())
        })
        .await?;
        Ok(gone)
    }

    async fn end_unused(&self, tenant: &TenantId, in_use: &BTreeSet<WrappingKeyName>) -> Result<EndedKeys, VaultError> {
        let mut older = self.current().await?.file.names(&KeyOwner::Tenant(tenant.clone()));
        older.pop();
        let (still_in_use, removed): (Vec<_>, Vec<_>) = older.into_iter().partition(|name| in_use.contains(name));
        let gone = removed.clone();
        if !gone.is_empty() {
            self.change(move |file| {
                for name in &gone {
                    file.remove(name);
                }
                Ok(())
            })
            .await?;
        }
        Ok(EndedKeys { removed, still_in_use })
    }

    fn is_kms(&self) -> bool {
        false
    }

    fn kept_elsewhere(&self, _: &TenantId) -> Option<String> {
        None
    }

    async fn schedule_deletion(&self, _: &TenantId, _: u8, _: &BTreeSet<WrappingKeyName>) -> Result<KeyDeletion, VaultError> {
        Err(VaultError::KeyServiceSettings("keys of a key file are removed at once; nothing is scheduled".to_owned()))
    }

    async fn tenants(&self) -> Result<BTreeSet<TenantId>, VaultError> {
        let owners = self.current().await?.file.owners();
        let tenants = owners.into_iter().filter_map(|owner| match owner {
            KeyOwner::Tenant(tenant) => Some(tenant),
            KeyOwner::Product => None,
        });
        Ok(tenants.collect())
    }

    fn calls(&self) -> KeyCalls {
        self.calls.read()
    }

    fn describe(&self) -> String {
        let locked = if self.place.passphrase.is_some() { "locked by a passphrase" } else { "without a passphrase" };
        format!("key file {} ({locked})", self.place.path.display())
    }
}

impl fmt::Debug for FileKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileKeys").field("path", &self.place.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
