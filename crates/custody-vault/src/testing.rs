//! Stores, clocks and key services for tests.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;
use custody_seal::{
    SecretKey,
    rest::{Month, ShredUnit},
    wrap::{KeyWrapper, WrapContext, WrapError, WrappedKey},
};
use custody_types::{Clock, Timestamp};
use tempfile::TempDir;

use crate::{FileKeys, ObjectName, Objects, Put, Replaced, VaultError, VaultRoot, open_objects};

/// 2026-11-21T12:00:00Z.
pub(crate) const NOON: Timestamp = Timestamp::from_micros(1_795_262_400_000_000);

/// A clock that moves when it is told to.
pub(crate) struct HandClock(AtomicI64);

/// A store in a folder that goes away with it.
pub(crate) struct TestFolder {
    pub(crate) objects: Arc<dyn Objects>,
    pub(crate) folder: TempDir,
}

/// A key service that can be switched off.
#[derive(Debug)]
pub(crate) struct Switched {
    inner: Arc<dyn KeyWrapper>,
    off: Mutex<Option<WrapError>>,
}

/// Fails at one operation and at all after it, as a process that is killed there: before the operation is done, or after it.
#[derive(Debug)]
pub(crate) struct DyingObjects {
    inner: Arc<dyn Objects>,
    left: AtomicU64,
    last_is_done: bool,
}

impl HandClock {
    pub(crate) fn at(now: Timestamp) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(now.micros())))
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }

    fn monotonic_micros(&self) -> u64 {
        u64::try_from(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

impl TestFolder {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let objects = open_objects(&VaultRoot::folder(folder.path().join("vault"))).await.unwrap();
        Self { objects, folder }
    }

    pub(crate) fn shared(&self) -> Arc<dyn Objects> {
        Arc::clone(&self.objects)
    }

    /// A key file beside the store.
    pub(crate) async fn keys(&self, clock: &Arc<HandClock>) -> Arc<FileKeys> {
        let path = self.folder.path().join("vault.key");
        Arc::new(FileKeys::open(path, None, Arc::clone(clock) as Arc<dyn Clock>).await.unwrap())
    }
}

impl Switched {
    pub(crate) fn new(inner: Arc<dyn KeyWrapper>) -> Arc<Self> {
        Arc::new(Self { inner, off: Mutex::new(None) })
    }

    pub(crate) fn turn(&self, off: Option<WrapError>) {
        *self.off.lock().unwrap() = off;
    }

    fn is_on(&self) -> Result<(), WrapError> {
        self.off.lock().unwrap().map_or(Ok(()), Err)
    }
}

#[async_trait]
impl KeyWrapper for Switched {
    async fn wrap(&self, key: &SecretKey, context: &WrapContext) -> Result<WrappedKey, WrapError> {
        self.is_on()?;
        self.inner.wrap(key, context).await
    }

    async fn unwrap(&self, wrapped: &WrappedKey) -> Result<SecretKey, WrapError> {
        self.is_on()?;
        self.inner.unwrap(wrapped).await
    }
}

impl DyingObjects {
    /// Does `steps` operations. The next one is done or not, and answers with an error; so do all after it.
    pub(crate) fn after(inner: Arc<dyn Objects>, steps: u64, last_is_done: bool) -> Arc<Self> {
        Arc::new(Self { inner, left: AtomicU64::new(steps), last_is_done })
    }

    /// Whether the operation may be done, and whether it may answer.
    fn step(&self) -> (bool, bool) {
        let before = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(1)));
        match before.unwrap() {
            0 => (false, false),
            1 => (self.last_is_done, false),
            _ => (true, true),
        }
    }

    async fn run<T>(&self, operation: impl Future<Output = Result<T, VaultError>> + Send) -> Result<T, VaultError> {
        let dead = || VaultError::storage("dying")("killed here");
        match self.step() {
            (true, true) => operation.await,
            (true, false) => operation.await.and_then(|_| Err(dead())),
            (false, _) => Err(dead()),
        }
    }
}

#[async_trait]
impl Objects for DyingObjects {
    async fn get(&self, name: &ObjectName) -> Result<Option<Bytes>, VaultError> {
        self.run(self.inner.get(name)).await
    }

    async fn put(&self, name: &ObjectName, bytes: Bytes) -> Result<(), VaultError> {
        self.run(self.inner.put(name, bytes)).await
    }

    async fn put_new(&self, name: &ObjectName, bytes: Bytes) -> Result<Put, VaultError> {
        self.run(self.inner.put_new(name, bytes)).await
    }

    async fn replace(&self, name: &ObjectName, was: &[u8], bytes: Bytes) -> Result<Replaced, VaultError> {
        self.run(self.inner.replace(name, was, bytes)).await
    }

    async fn delete(&self, name: &ObjectName) -> Result<(), VaultError> {
        self.run(self.inner.delete(name)).await
    }

    async fn list(&self, folder: &ObjectName) -> Result<Vec<ObjectName>, VaultError> {
        self.run(self.inner.list(folder)).await
    }
}

pub(crate) fn unit(tenant: &str, person: Option<&str>) -> ShredUnit {
    let person = person.map(|person| person.parse().unwrap());
    ShredUnit { tenant: tenant.parse().unwrap(), person, purpose: "quality".parse().unwrap(), month: Month::of(NOON) }
}

/// Everything in a store.
pub(crate) async fn all(objects: &dyn Objects) -> Vec<(ObjectName, Bytes)> {
    let mut found = Vec::new();
    for folder in ["edge", "units", "pseudonyms", "claims", "parked", "forgotten", "holds"] {
        for name in objects.list(&folder.parse().unwrap()).await.unwrap() {
            let bytes = objects.get(&name).await.unwrap().unwrap();
            found.push((name, bytes));
        }
    }
    found
}
