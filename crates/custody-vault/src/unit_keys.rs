//! The keys of the units of forgetting, wrapped in the store and for a while unwrapped in memory.
//!
//! ```text
//! for_sealing   cache ─▶ a kept key of the unit ─▶ a new one: generate, wrap, put (durable), hand out
//! for_opening   is it kept? ─▶ cache ─▶ unwrap
//! destroy       cache ─▶ store; what it sealed opens nowhere
//! ```
//! Another process may destroy a key that is still cached here: who seals asks `still_kept` before the texts become visible, and
//! opening asks the store each time. Two processes may make two keys of one unit at once; both are listed, destroyed and used.

mod cache;
mod place;

use std::{collections::BTreeSet, fmt, sync::Arc};

use custody_seal::{
    rest::{ShredUnit, UnitKey, UnitKeyId},
    wrap::{KeyWrapper, WrapError, WrapSubject, WrappedKey},
};
use custody_types::{Clock, PersonPseudonym, TenantId};
use futures::{StreamExt, TryStreamExt, stream};

use crate::{
    entropy::OsEntropy,
    error::VaultError,
    objects::{ObjectName, Objects, Put},
};

pub use cache::CacheLimits;

/// Keys that store or key service are asked for at the same time.
const AT_ONCE: usize = 16;

/// Keeps the unit keys.
pub struct UnitKeys {
    objects: Arc<dyn Objects>,
    wrapper: Arc<dyn KeyWrapper>,
    clock: Arc<dyn Clock>,
    cache: cache::Cache,
}

/// A key in the store: what it covers and its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeptUnit {
    /// What it covers.
    pub unit: ShredUnit,
    /// Its name.
    pub key: UnitKeyId,
}

impl UnitKeys {
    /// Over a store and a key service.
    #[must_use]
    pub fn new(objects: Arc<dyn Objects>, wrapper: Arc<dyn KeyWrapper>, clock: Arc<dyn Clock>, limits: CacheLimits) -> Self {
        Self { objects, wrapper, clock, cache: cache::Cache::new(limits) }
    }

    /// The key that seals a unit's texts now. A new one is durable in the store before it is handed out.
    ///
    /// # Errors
    /// When store or key service fail, or there is no randomness.
    pub async fn for_sealing(&self, unit: &ShredUnit) -> Result<Arc<UnitKey>, VaultError> {
        if let Some(key) = self.at_hand(unit) {
            return Ok(key);
        }
        for name in self.objects.list(&place::folder(unit)?).await? {
            let Some(id) = place::key_id(&name) else { continue };
            match self.unwrap(unit, id).await {
                // Destroyed since the listing.
                Err(VaultError::KeyGone(_)) => {}
                // It seals nothing any more; what it sealed waits for its repair. New texts need not wait for that.
                Err(error) if is_lost(&error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "a unit key does not open; new texts get another one");
                }
                key => return key.inspect(|key| self.cache.keep(key, self.clock.monotonic_micros())),
            }
        }
        self.make(unit).await
    }

    /// The key that seals a unit's texts now, where nobody has to be asked for it.
    #[must_use]
    pub fn at_hand(&self, unit: &ShredUnit) -> Option<Arc<UnitKey>> {
        self.cache.of_unit(unit, self.clock.monotonic_micros())
    }

    /// Brings the keys that seal these units to hand, several at once. One is asked for alone before the others, so that a key service
    /// that is away is asked once. Of a key that can't be had for good nothing is said: who seals is told.
    ///
    /// # Errors
    /// When store or key service are away; some keys may be at hand then.
    pub async fn bring_to_hand(&self, units: BTreeSet<ShredUnit>) -> Result<(), VaultError> {
        let mut missing: Vec<ShredUnit> = units.into_iter().filter(|unit| self.at_hand(unit).is_none()).collect();
        let Some(first) = missing.pop() else { return Ok(()) };
        self.bring(first).await?;
        let others: Vec<_> = missing.into_iter().map(|unit| self.bring(unit)).collect();
        stream::iter(others).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await.map(drop)
    }

    async fn bring(&self, unit: ShredUnit) -> Result<(), VaultError> {
        match self.for_sealing(&unit).await {
            Err(error) if error.is_passing() => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    async fn make(&self, unit: &ShredUnit) -> Result<Arc<UnitKey>, VaultError> {
        let key = UnitKey::generate(unit.clone(), &mut OsEntropy)?;
        let wrapped = key.wrap(self.wrapper.as_ref()).await?;
        let name = place::name(unit, key.id())?;
        match self.objects.put_new(&name, wrapped.encode().into()).await? {
            Put::Created => {}
            // The id is random: only this very put can have been there before.
            Put::Exists if self.objects.get(&name).await?.as_deref() == Some(wrapped.encode().as_slice()) => {}
            Put::Exists => return Err(VaultError::Misplaced { object: name.to_string() }),
        }
        let key = Arc::new(key);
        self.cache.keep(&key, self.clock.monotonic_micros());
        Ok(key)
    }

    /// A key that texts were sealed with. The store is asked each time, so that a destroyed key opens nothing even where it is cached.
    ///
    /// # Errors
    /// [`VaultError::KeyGone`] when it is destroyed; else when store or key service fail.
    pub async fn for_opening(&self, unit: &ShredUnit, key: UnitKeyId) -> Result<Arc<UnitKey>, VaultError> {
        if !self.still_kept(unit, key).await? {
            self.cache.drop_key(key);
            return Err(VaultError::KeyGone(key));
        }
        let now = self.clock.monotonic_micros();
        match self.cache.of_key(unit, key, now) {
            Some(key) => Ok(key),
            None => self.unwrap(unit, key).await.inspect(|key| self.cache.keep(key, now)),
        }
    }

    /// Whether the key is in the store.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn still_kept(&self, unit: &ShredUnit, key: UnitKeyId) -> Result<bool, VaultError> {
        Ok(self.objects.get(&place::name(unit, key)?).await?.is_some())
    }

    /// Whether all these keys are in the store. One that is not is forgotten here too, so that the next text of its unit gets another.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn all_kept(&self, keys: impl IntoIterator<Item = (ShredUnit, UnitKeyId)>) -> Result<bool, VaultError> {
        let asked: Vec<_> = keys.into_iter().map(|(unit, key)| self.kept_or_forgotten(unit, key)).collect();
        let kept: Vec<bool> = stream::iter(asked).buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(kept.into_iter().all(|kept| kept))
    }

    async fn kept_or_forgotten(&self, unit: ShredUnit, key: UnitKeyId) -> Result<bool, VaultError> {
        let kept = self.still_kept(&unit, key).await?;
        if !kept {
            self.cache.drop_key(key);
        }
        Ok(kept)
    }

    /// All keys of a tenant, or of a person of it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(&self, tenant: &TenantId, person: Option<&PersonPseudonym>) -> Result<Vec<KeptUnit>, VaultError> {
        let names = self.objects.list(&place::owner(tenant, person)?).await?;
        place::read_all(&names)
    }

    /// All keys of all tenants.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list_all(&self) -> Result<Vec<KeptUnit>, VaultError> {
        place::read_all(&self.objects.list(&place::root()?).await?)
    }

    /// Destroys a key, durably, and says whether it was there. Repeating is safe.
    ///
    /// # Errors
    /// When the store fails; the key may or may not be destroyed.
    pub async fn destroy(&self, unit: &ShredUnit, key: UnitKeyId) -> Result<bool, VaultError> {
        self.cache.drop_key(key);
        let was_kept = self.still_kept(unit, key).await?;
        self.objects.delete(&place::name(unit, key)?).await?;
        // One that a sealer took up in between goes too.
        self.cache.drop_key(key);
        Ok(was_kept)
    }

    /// How many keys are unwrapped in memory, for metrics.
    #[must_use]
    pub fn cached(&self) -> usize {
        self.cache.len()
    }

    async fn unwrap(&self, unit: &ShredUnit, key: UnitKeyId) -> Result<Arc<UnitKey>, VaultError> {
        let name = place::name(unit, key)?;
        let bytes = self.objects.get(&name).await?.ok_or(VaultError::KeyGone(key))?;
        let wrapped = read_wrapped(&name, &bytes)?;
        let context = wrapped.context();
        if context.key != *key.as_bytes() || context.subject != WrapSubject::Unit(unit.clone()) {
            return Err(VaultError::Misplaced { object: name.to_string() });
        }
        Ok(Arc::new(UnitKey::unwrap(self.wrapper.as_ref(), &wrapped).await?))
    }
}

/// Whether the stored key itself is the trouble: it was altered, or what wrapped it is gone.
const fn is_lost(error: &VaultError) -> bool {
    matches!(
        error,
        VaultError::Unreadable { .. }
            | VaultError::Misplaced { .. }
            | VaultError::KeyService(WrapError::NotAuthentic | WrapError::UnknownKey)
    )
}

pub(crate) fn read_wrapped(name: &ObjectName, bytes: &[u8]) -> Result<WrappedKey, VaultError> {
    WrappedKey::decode(bytes).map_err(|cause| VaultError::Unreadable { object: name.to_string(), cause })
}

impl fmt::Debug for UnitKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnitKeys").field("objects", &self.objects).field("cache", &self.cache).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
