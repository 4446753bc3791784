//! The keys of tenants' pseudonyms: one for each tenant that needs one, wrapped in the store and for a while unwrapped in memory.
//!
//! ```text
//! pseudonyms/<tenant>.key
//!
//! for_tenant   is one kept? ─▶ yes: cache, if the store's bytes are those that were unwrapped ─▶ unwrap
//!                           ─▶ no: generate, wrap, put where there is none ─▶ hand out; whoever comes second takes the first one's
//! destroy      cache ─▶ store; nobody can try values against a tenant's pseudonyms any more
//! ```
//! The store is asked each time, so that a key that another process destroyed is not handed out again. A key that is there and does
//! not open is never replaced by another: the same value would then have two pseudonyms, and nobody would know.

mod cache;

use std::{fmt, sync::Arc};

use bytes::Bytes;
use custody_seal::{
    PseudonymKey,
    wrap::{KeyWrapper, WrapSubject},
};
use custody_types::{Clock, TenantId};

use crate::{
    entropy::OsEntropy,
    error::VaultError,
    objects::{ObjectName, Objects, Put},
    unit_keys::{CacheLimits, read_wrapped},
};

const ROOT: &str = "pseudonyms";
const ENDING: &str = ".key";
/// A key that is destroyed right after it was made, so many times in a row, is destroyed by a defect.
const TRIES: u32 = 5;

/// Keeps the keys of pseudonyms.
pub struct PseudonymKeys {
    objects: Arc<dyn Objects>,
    wrapper: Arc<dyn KeyWrapper>,
    clock: Arc<dyn Clock>,
    cache: cache::Cache,
}

impl PseudonymKeys {
    /// Over a store and a key service.
    #[must_use]
    pub fn new(objects: Arc<dyn Objects>, wrapper: Arc<dyn KeyWrapper>, clock: Arc<dyn Clock>, limits: CacheLimits) -> Self {
        Self { objects, wrapper, clock, cache: cache::Cache::new(limits) }
    }

    /// The tenant's key. A new one is durable in the store before it is handed out.
    ///
    /// # Errors
    /// When store or key service fail, the kept key is not the tenant's or was altered, or there is no randomness.
    pub async fn for_tenant(&self, tenant: &TenantId) -> Result<Arc<PseudonymKey>, VaultError> {
        let name = name(tenant)?;
        for _ in 0..TRIES {
            match self.objects.get(&name).await? {
                Some(bytes) => return self.take_up(tenant, &name, bytes).await,
                None => self.cache.drop_key(tenant),
            }
            if let Some(key) = self.make(tenant, &name).await? {
                return Ok(key);
            }
        }
        Err(VaultError::storage("making a tenant's pseudonym key")("it is gone whenever it is made"))
    }

    /// The tenant's key, where the key service has not to be asked for it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn at_hand(&self, tenant: &TenantId) -> Result<Option<Arc<PseudonymKey>>, VaultError> {
        let Some(bytes) = self.objects.get(&name(tenant)?).await? else {
            self.cache.drop_key(tenant);
            return Ok(None);
        };
        Ok(self.cache.of_tenant(tenant, &bytes, self.clock.monotonic_micros()))
    }

    /// Whether the tenant has one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_kept(&self, tenant: &TenantId) -> Result<bool, VaultError> {
        Ok(self.objects.get(&name(tenant)?).await?.is_some())
    }

    /// The tenants that have one.
    ///
    /// # Errors
    /// When the store fails, or holds what is no such key.
    pub async fn tenants(&self) -> Result<Vec<TenantId>, VaultError> {
        let names = self.objects.list(&ROOT.parse()?).await?;
        names.iter().map(|name| tenant_of(name).ok_or_else(|| VaultError::Misplaced { object: name.to_string() })).collect()
    }

    /// Destroys a tenant's key, durably, and says whether it was there. Repeating is safe. Texts that come later get another one.
    ///
    /// # Errors
    /// When the store fails; the key may or may not be destroyed.
    pub async fn destroy(&self, tenant: &TenantId) -> Result<bool, VaultError> {
        self.cache.drop_key(tenant);
        let was_kept = self.is_kept(tenant).await?;
        self.objects.delete(&name(tenant)?).await?;
        // One that was taken up in between goes too.
        self.cache.drop_key(tenant);
        Ok(was_kept)
    }

    /// How many keys are unwrapped in memory, for metrics.
    #[must_use]
    pub fn cached(&self) -> usize {
        self.cache.len()
    }

    async fn take_up(&self, tenant: &TenantId, name: &ObjectName, bytes: Bytes) -> Result<Arc<PseudonymKey>, VaultError> {
        let now = self.clock.monotonic_micros();
        if let Some(key) = self.cache.of_tenant(tenant, &bytes, now) {
            return Ok(key);
        }
        let wrapped = read_wrapped(name, &bytes)?;
        if wrapped.context().subject != (WrapSubject::Pseudonyms { tenant: tenant.clone() }) {
            return Err(VaultError::Misplaced { object: name.to_string() });
        }
        let key = Arc::new(PseudonymKey::unwrap(self.wrapper.as_ref(), &wrapped).await?);
        self.cache.keep(&key, bytes, now);
        Ok(key)
    }

    /// Nothing where another was first, or the answer to this very put was lost: the one that is kept counts.
    async fn make(&self, tenant: &TenantId, name: &ObjectName) -> Result<Option<Arc<PseudonymKey>>, VaultError> {
        let key = Arc::new(PseudonymKey::generate(tenant.clone(), &mut OsEntropy)?);
        let bytes = Bytes::from(key.wrap(self.wrapper.as_ref()).await?.encode());
        if self.objects.put_new(name, bytes.clone()).await? == Put::Exists {
            return Ok(None);
        }
        self.cache.keep(&key, bytes, self.clock.monotonic_micros());
        Ok(Some(key))
    }
}

fn name(tenant: &TenantId) -> Result<ObjectName, VaultError> {
    let root: ObjectName = ROOT.parse()?;
    Ok(root.join(&format!("{}{ENDING}", ObjectName::label(tenant.as_str())))?)
}

fn tenant_of(name: &ObjectName) -> Option<TenantId> {
    let label = name.as_str().strip_prefix(ROOT)?.strip_prefix('/')?.strip_suffix(ENDING)?;
    ObjectName::read_label(label)?.parse().ok()
}

impl fmt::Debug for PseudonymKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PseudonymKeys").field("objects", &self.objects).field("cache", &self.cache).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
