//! A vault in memory: objects that survive their clients and can fail at any operation, and a key service that can be away.

use std::{
    collections::BTreeMap,
    fmt,
    future::poll_fn,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::Poll,
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use custody_seal::{
    SecretKey,
    wrap::{KeyFile, KeyFileError, KeyFileWrapper, KeyOwner, KeyWrapper, WrapContext, WrapError, WrappedKey},
};
use custody_types::{TenantId, Timestamp};
use custody_vault::{ObjectName, Objects, OsEntropy, Put, Replaced, VaultError};

/// Objects in memory.
#[derive(Debug, Default)]
pub struct MemoryObjects {
    objects: Mutex<BTreeMap<ObjectName, Bytes>>,
    operations: AtomicU64,
    /// Operations from this one on fail; 0: none do.
    dies_at: AtomicU64,
    /// Whether the first that fails has its effect nevertheless.
    unheard: AtomicBool,
    /// Reads that are under way.
    reading: AtomicU64,
    /// The most of them at once.
    busiest: AtomicU64,
}

impl MemoryObjects {
    /// Operations since [`MemoryObjects::die_at`] was called, or ever.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.operations.load(Ordering::SeqCst)
    }

    /// The most reads that were under way at once since this was asked last.
    pub fn busiest(&self) -> u64 {
        self.busiest.swap(0, Ordering::SeqCst)
    }

    /// The `n`-th operation from now, from 1, and all after it fail. `unheard`: that one does its work and only the answer is lost.
    pub fn die_at(&self, n: u64, unheard: bool) {
        self.operations.store(0, Ordering::SeqCst);
        self.dies_at.store(n, Ordering::SeqCst);
        self.unheard.store(unheard, Ordering::SeqCst);
    }

    /// From now on nothing fails. Says whether anything had.
    pub fn revive(&self) -> bool {
        let died_at = self.dies_at.swap(0, Ordering::SeqCst);
        died_at > 0 && self.operations.load(Ordering::SeqCst) >= died_at
    }

    /// The names of all objects.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.lock().keys().map(ToString::to_string).collect()
    }

    /// Every byte of every object.
    #[must_use]
    pub fn contents(&self) -> Vec<Bytes> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ObjectName, Bytes>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn does<T>(&self, work: impl FnOnce(&mut BTreeMap<ObjectName, Bytes>) -> T) -> Result<T, VaultError> {
        let operation = self.operations.fetch_add(1, Ordering::SeqCst) + 1;
        let dies_at = self.dies_at.load(Ordering::SeqCst);
        let failed = || VaultError::Storage { doing: "asking the simulated store", source: "it failed".into() };
        if dies_at > 0 && operation == dies_at && self.unheard.load(Ordering::SeqCst) {
            work(&mut self.lock());
            return Err(failed());
        }
        if dies_at > 0 && operation >= dies_at {
            return Err(failed());
        }
        Ok(work(&mut self.lock()))
    }
}

#[async_trait]
impl Objects for MemoryObjects {
    async fn get(&self, name: &ObjectName) -> Result<Option<Bytes>, VaultError> {
        let reading = self.reading.fetch_add(1, Ordering::SeqCst) + 1;
        self.busiest.fetch_max(reading, Ordering::SeqCst);
        give_way().await;
        let found = self.does(|objects| objects.get(name).cloned());
        self.reading.fetch_sub(1, Ordering::SeqCst);
        found
    }

    async fn put(&self, name: &ObjectName, bytes: Bytes) -> Result<(), VaultError> {
        self.does(|objects| drop(objects.insert(name.clone(), bytes)))
    }

    async fn put_new(&self, name: &ObjectName, bytes: Bytes) -> Result<Put, VaultError> {
        self.does(|objects| {
            if objects.contains_key(name) {
                return Put::Exists;
            }
            objects.insert(name.clone(), bytes);
            Put::Created
        })
    }

    async fn replace(&self, name: &ObjectName, was: &[u8], bytes: Bytes) -> Result<Replaced, VaultError> {
        self.does(|objects| {
            if objects.get(name).is_none_or(|kept| kept != was) {
                return Replaced::Changed;
            }
            objects.insert(name.clone(), bytes);
            Replaced::Done
        })
    }

    async fn delete(&self, name: &ObjectName) -> Result<(), VaultError> {
        self.does(|objects| drop(objects.remove(name)))
    }

    async fn list(&self, folder: &ObjectName) -> Result<Vec<ObjectName>, VaultError> {
        let prefix = format!("{folder}/");
        self.does(|objects| objects.keys().filter(|name| name.as_str().starts_with(&prefix)).cloned().collect())
    }
}

/// Lets other work of the same thread go first.
async fn give_way() {
    let mut gave = false;
    poll_fn(move |context| {
        if gave {
            return Poll::Ready(());
        }
        gave = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A key service that can be away, silent, or refuse.
pub struct SwitchedKeys {
    inner: KeyFileWrapper,
    is_away: AtomicBool,
    refuses: AtomicBool,
    is_silent: AtomicBool,
    silent_for: Mutex<Option<TenantId>>,
    /// What calls for one tenant's keys are answered with.
    of_tenant: Mutex<Option<(TenantId, WrapError)>>,
    calls: AtomicU64,
}

impl SwitchedKeys {
    /// With a key of the product and one of each tenant.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn of(tenants: &[TenantId]) -> Result<Self, KeyFileError> {
        let mut file = KeyFile::new();
        let owners = std::iter::once(KeyOwner::Product).chain(tenants.iter().cloned().map(KeyOwner::Tenant));
        for owner in owners {
            file.add(owner, Timestamp::from_micros(0), &mut OsEntropy)?;
        }
        let inner = KeyFileWrapper::new(file, Box::new(OsEntropy));
        Ok(Self {
            inner,
            is_away: AtomicBool::new(false),
            refuses: AtomicBool::new(false),
            is_silent: AtomicBool::new(false),
            silent_for: Mutex::default(),
            of_tenant: Mutex::default(),
            calls: AtomicU64::new(0),
        })
    }

    /// Goes away, or comes back.
    pub fn set_away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::SeqCst);
    }

    /// Refuses access, or grants it again.
    pub fn set_refusing(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::SeqCst);
    }

    /// Answers nothing for as long as this is set: calls wait.
    pub fn set_silent(&self, is_silent: bool) {
        self.is_silent.store(is_silent, Ordering::SeqCst);
    }

    /// The same for calls for the keys of one tenant.
    pub fn set_silent_for(&self, tenant: Option<TenantId>) {
        *self.silent_for.lock().unwrap_or_else(PoisonError::into_inner) = tenant;
    }

    fn is_silent(&self, tenant: Option<&TenantId>) -> bool {
        let silent_for = self.silent_for.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_silent.load(Ordering::SeqCst) || (silent_for.is_some() && silent_for.as_ref() == tenant)
    }

    /// Answers calls for the keys of one tenant with an error, and all others as always.
    pub fn set_of_tenant(&self, answer: Option<(TenantId, WrapError)>) {
        *self.of_tenant.lock().unwrap_or_else(PoisonError::into_inner) = answer;
    }

    /// How often it was asked.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    async fn answer(&self, context: &WrapContext) -> Result<(), WrapError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        while self.is_silent(context.tenant()) {
            give_way().await;
        }
        if let Some((tenant, error)) = &*self.of_tenant.lock().unwrap_or_else(PoisonError::into_inner)
            && context.tenant() == Some(tenant)
        {
            return Err(*error);
        }
        if self.is_away.load(Ordering::SeqCst) {
            return Err(WrapError::Unavailable { retry_after: Duration::from_millis(1) });
        }
        if self.refuses.load(Ordering::SeqCst) { Err(WrapError::Refused) } else { Ok(()) }
    }
}

#[async_trait]
impl KeyWrapper for SwitchedKeys {
    async fn wrap(&self, key: &SecretKey, context: &WrapContext) -> Result<WrappedKey, WrapError> {
        self.answer(context).await?;
        self.inner.wrap(key, context).await
    }

    async fn unwrap(&self, wrapped: &WrappedKey) -> Result<SecretKey, WrapError> {
        self.answer(wrapped.context()).await?;
        self.inner.unwrap(wrapped).await
    }
}

impl fmt::Debug for SwitchedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SwitchedKeys").field("is_away", &self.is_away).finish_non_exhaustive()
    }
}
