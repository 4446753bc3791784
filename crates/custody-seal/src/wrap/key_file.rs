//! The keys of a local key file: one or more per tenant, and those for edge keys. The newest of an owner wraps; older ones
//! unwrap until everything is wrapped anew and they are removed.

use std::{collections::BTreeSet, fmt};

use custody_types::{TenantId, Timestamp};

use super::{
    context::WrapContext,
    error::{KeyFileError, WrapError},
    wrapped_key::{WrappedKey, WrappingKeyName},
};
use crate::{
    entropy::{Entropy, NoEntropyError, draw},
    error::{OpenError, SealError},
    one_use::{OneUse, Tail, Use},
    secret::SecretKey,
    wire::{Reader, put_field, write_hex},
};

/// Whose keys are wrapped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyOwner {
    /// The product's own, for edge keys.
    Product,
    /// A tenant's, for its unit keys.
    Tenant(TenantId),
}

/// The keys, unlocked.
#[derive(Debug, Default)]
pub struct KeyFile {
    keys: Vec<FileKey>,
}

pub(super) struct FileKey {
    pub(super) id: [u8; 16],
    pub(super) owner: KeyOwner,
    pub(super) made: Timestamp,
    pub(super) secret: SecretKey,
}

/// Salt before the sealed key, so that wrapping the same key again uses another key of its own.
const SALT_BYTES: usize = 32;
const MAX_KEYS: usize = 100_000;

impl KeyOwner {
    /// Whose key wraps a key of this context.
    #[must_use]
    pub fn of(context: &WrapContext) -> Self {
        context.tenant().map_or(Self::Product, |tenant| Self::Tenant(tenant.clone()))
    }
}

impl KeyFile {
    /// No keys yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn from_keys(keys: Vec<FileKey>) -> Self {
        Self { keys }
    }

    pub(super) fn keys(&self) -> &[FileKey] {
        &self.keys
    }

    /// Makes a key that wraps for its owner from now on.
    ///
    /// # Errors
    /// When there is no randomness or it repeats itself, or the file holds all the keys that it may.
    pub fn add(&mut self, owner: KeyOwner, now: Timestamp, entropy: &mut dyn Entropy) -> Result<WrappingKeyName, KeyFileError> {
        if self.keys.len() >= MAX_KEYS {
            return Err(KeyFileError::Full);
        }
        let key = FileKey { id: draw(entropy)?, owner, made: now, secret: SecretKey::generate(entropy)? };
        if self.keys.iter().any(|held| held.id == key.id || held.secret == key.secret) {
            return Err(NoEntropyError.into());
        }
        let name = key.name();
        self.keys.push(key);
        Ok(name)
    }

    /// The names of an owner's keys, oldest first; the last one wraps.
    #[must_use]
    pub fn names(&self, owner: &KeyOwner) -> Vec<WrappingKeyName> {
        self.keys.iter().filter(|key| key.owner == *owner).map(FileKey::name).collect()
    }

    /// All owners that have keys here.
    #[must_use]
    pub fn owners(&self) -> BTreeSet<KeyOwner> {
        self.keys.iter().map(|key| key.owner.clone()).collect()
    }

    /// When a key was made, for telling how old it is.
    #[must_use]
    pub fn made(&self, name: &WrappingKeyName) -> Option<Timestamp> {
        self.keys.iter().find(|key| key.name() == *name).map(|key| key.made)
    }

    /// Removes a key. What it wrapped opens no more, once the old copies of the file are gone too.
    pub fn remove(&mut self, name: &WrappingKeyName) -> bool {
        let before = self.keys.len();
        self.keys.retain(|key| key.name() != *name);
        self.keys.len() < before
    }

    /// Wraps a key with the newest key of its owner.
    ///
    /// # Errors
    /// When the owner has no key here, or there is no randomness.
    pub fn wrap(&self, key: &SecretKey, context: &WrapContext, entropy: &mut dyn Entropy) -> Result<WrappedKey, WrapError> {
        let owner = KeyOwner::of(context);
        let wrapping = self.keys.iter().rev().find(|held| held.owner == owner).ok_or(WrapError::UnknownKey)?;
        let salt: [u8; SALT_BYTES] = draw(entropy)?;
        let sealed = wrapping.one_use(&salt, context).seal(&salt, &[], key.expose());
        let wrapped = sealed.map_err(|_: SealError| WrapError::NotAuthentic)?;
        WrappedKey::new(wrapping.name(), context.clone(), wrapped).map_err(|_| WrapError::NotAuthentic)
    }

    /// Unwraps a key with the key that it names, which must be its owner's.
    ///
    /// # Errors
    /// When that key is not held, or the wrapped key was altered.
    pub fn unwrap(&self, wrapped: &WrappedKey) -> Result<SecretKey, WrapError> {
        let owner = KeyOwner::of(wrapped.context());
        let held = self.keys.iter().find(|held| held.owner == owner && held.name() == *wrapped.wrapping_key());
        let wrapping = held.ok_or(WrapError::UnknownKey)?;
        let mut reader = Reader::new(wrapped.wrapped());
        let salt = reader.array::<SALT_BYTES>().map_err(OpenError::from)?;
        let tail = Tail::read(reader).map_err(OpenError::from)?;
        let opened = wrapping.one_use(&salt, wrapped.context()).open(&tail)?;
        SecretKey::from_slice(opened.expose()).ok_or(WrapError::NotAuthentic)
    }
}

impl FileKey {
    fn name(&self) -> WrappingKeyName {
        WrappingKeyName::of_file_key(self.id)
    }

    fn one_use(&self, salt: &[u8], context: &WrapContext) -> OneUse {
        let mut bound = Vec::new();
        put_field(&mut bound, self.name().as_str().as_bytes());
        context.encode(&mut bound);
        OneUse::new(&self.secret, Use::WrappedKey, salt, &bound)
    }
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.id)
    }
}
