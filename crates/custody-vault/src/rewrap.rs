//! Wrapping every kept key anew, so that old wrapping keys can go.
//!
//! ```text
//! for each key of `edge/`, `units/` and `pseudonyms/`:  read ─▶ wrapped by the current key? skip ─▶ rewrap ─▶ replace what was read
//! ```
//! The replacement is refused where the key was destroyed in between, so nothing that was forgotten comes back. Each key is at
//! every moment wrapped by one key or the other: readers go on, and a run that was cut short is repeated and skips what is done.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use custody_seal::wrap::{WrappedKey, WrappingKeyName};
use custody_types::fault_point;
use futures::{StreamExt, stream};

use crate::{
    error::VaultError,
    key_service::KeyProvider,
    objects::{ObjectName, Objects, Replaced},
    unit_keys::read_wrapped,
};

const FOLDERS: [&str; 3] = ["edge", "units", "pseudonyms"];
const KEY: &str = ".key";
/// Enough to hide the way to KMS, far below its quota.
const AT_ONCE: usize = 8;

/// Wraps kept keys anew.
#[derive(Debug, Clone)]
pub struct Rewrapper {
    objects: Arc<dyn Objects>,
    keys: Arc<dyn KeyProvider>,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RewrapProgress {
    /// Keys looked at.
    pub done: usize,
    /// Keys that there are.
    pub of: usize,
}

/// What a run did.
#[derive(Debug, Default)]
pub struct RewrapReport {
    /// Keys that the current wrapping key wrapped before.
    pub current: usize,
    /// Keys that were wrapped anew.
    pub rewrapped: usize,
    /// Keys that were destroyed, or wrapped anew by another, while this ran.
    pub changed: usize,
    /// Keys that could not be wrapped anew, and why: altered ones, or ones whose wrapping key is gone.
    pub failed: Vec<(ObjectName, VaultError)>,
}

enum Outcome {
    Current,
    Rewrapped,
    Changed,
    Failed(ObjectName, VaultError),
}

impl Rewrapper {
    /// Over a store and a key service.
    #[must_use]
    pub fn new(objects: Arc<dyn Objects>, keys: Arc<dyn KeyProvider>) -> Self {
        Self { objects, keys }
    }

    /// Wraps every key anew that another than the current wrapping key wrapped; with `everything` the others too, as after a
    /// rotation inside KMS, which keeps the name.
    ///
    /// # Errors
    /// When the store or the key service is away. What was done stays.
    pub async fn rewrap_all(
        &self,
        everything: bool,
        progress: &mut (dyn FnMut(RewrapProgress) + Send),
    ) -> Result<RewrapReport, VaultError> {
        let names = self.names().await?;
        let of = names.len();
        let mut report = RewrapReport::default();
        let mut outcomes = stream::iter(names).map(|name| self.rewrap(name, everything)).buffer_unordered(AT_ONCE);
        let mut done = 0;
        while let Some(outcome) = outcomes.next().await {
            report.add(outcome?);
            done += 1;
            progress(RewrapProgress { done, of });
        }
        fault_point("rewrap.wrapped");
        Ok(report)
    }

    async fn rewrap(&self, name: ObjectName, everything: bool) -> Result<Outcome, VaultError> {
        let Some(bytes) = self.objects.get(&name).await? else { return Ok(Outcome::Changed) };
        let wrapped = match read_wrapped(&name, &bytes) {
            Ok(wrapped) => wrapped,
            Err(error) => return Ok(Outcome::Failed(name, error)),
        };
        if !everything && self.keys.is_current(&wrapped).await {
            return Ok(Outcome::Current);
        }
        let anew = match self.keys.rewrap(&wrapped).await.map_err(VaultError::from) {
            Ok(anew) => anew,
            Err(error) if error.is_passing() => return Err(error),
            Err(error) => return Ok(Outcome::Failed(name, error)),
        };
        if anew.context() != wrapped.context() {
            return Ok(Outcome::Failed(name.clone(), VaultError::Misplaced { object: name.to_string() }));
        }
        match self.objects.replace(&name, &bytes, anew.encode().into()).await? {
            Replaced::Done => {
                fault_point("rewrap.key");
                Ok(Outcome::Rewrapped)
            }
            Replaced::Changed => Ok(Outcome::Changed),
        }
    }

    /// The wrapping keys that still wrap something, and how many keys each.
    ///
    /// # Errors
    /// When the store fails or a key can't be read: which wrapping key it needs is then unknown.
    pub async fn in_use(&self) -> Result<BTreeMap<WrappingKeyName, usize>, VaultError> {
        let mut in_use = BTreeMap::new();
        let mut kept = stream::iter(self.names().await?).map(|name| self.wrapped(name)).buffer_unordered(AT_ONCE);
        while let Some(wrapped) = kept.next().await {
            if let Some(wrapped) = wrapped? {
                *in_use.entry(wrapped.wrapping_key().clone()).or_insert(0) += 1;
            }
        }
        Ok(in_use)
    }

    /// Removes the wrapping keys that wrap nothing any more, and says which.
    ///
    /// # Errors
    /// When store or key service fail; then none may be missing.
    pub async fn remove_unused(&self) -> Result<Vec<WrappingKeyName>, VaultError> {
        let in_use: BTreeSet<WrappingKeyName> = self.in_use().await?.into_keys().collect();
        self.keys.remove_unused(&in_use).await
    }

    async fn wrapped(&self, name: ObjectName) -> Result<Option<WrappedKey>, VaultError> {
        let bytes = self.objects.get(&name).await?;
        bytes.map(|bytes| read_wrapped(&name, &bytes)).transpose()
    }

    async fn names(&self) -> Result<Vec<ObjectName>, VaultError> {
        let mut names = Vec::new();
        for folder in FOLDERS {
            names.extend(self.objects.list(&folder.parse()?).await?);
        }
        names.retain(|name| name.as_str().ends_with(KEY));
        Ok(names)
    }
}

impl RewrapReport {
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Current => self.current += 1,
            Outcome::Rewrapped => self.rewrapped += 1,
            Outcome::Changed => self.changed += 1,
            Outcome::Failed(name, error) => self.failed.push((name, error)),
        }
    }
}

#[cfg(test)]
mod tests;
