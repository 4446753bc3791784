//! A tenant's wrapping keys at its erasure.
//!
//! ```text
//! key file   new wrapping key ─▶ the keys that are left, wrapped anew ─▶ older ones removed: a copy of the key store opens no more
//! KMS        a key of the tenant's own: named to the operator, or its deletion scheduled where asked and nothing needs it
//! ```
//! A process that looked at the key file just before the new key came into it wraps with an older one, and its put may take as long as the
//! store's client tries. Older keys are removed after that time, by a look at what they wrap then.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use custody_seal::wrap::WrappingKeyName;
use custody_types::{TenantId, fault_point};
use custody_vault::{KeyDeletion, KeyProvider, Objects, Rewrapper, VaultError};

use super::{
    error::PortError,
    ports::{Retired, WrappingKeys},
};

/// The wrapping keys of a vault's key service.
pub struct TenantKeys {
    objects: Arc<dyn Objects>,
    keys: Arc<dyn KeyProvider>,
    /// In how many days a tenant's own KMS key is to be deleted, where that is asked for.
    delete_in_days: Option<u8>,
    /// How long a put of the store may take.
    longest_put: Duration,
}

impl TenantKeys {
    /// Over a vault's store and key service.
    #[must_use]
    pub fn new(objects: Arc<dyn Objects>, keys: Arc<dyn KeyProvider>, delete_in_days: Option<u8>, longest_put: Duration) -> Self {
        Self { objects, keys, delete_in_days, longest_put }
    }

    /// With a key file.
    async fn replace(&self, tenant: &TenantId) -> Result<Retired, VaultError> {
        self.keys.rotate(Some(tenant)).await?;
        fault_point("erasure.wrapping_key.added");
        tracing::info!(seconds = self.longest_put.as_secs(), "waiting for keys that other processes may be putting into the store");
        tokio::time::sleep(self.longest_put).await;
        let rewrapper = Rewrapper::new(Arc::clone(&self.objects), Arc::clone(&self.keys));
        let report = rewrapper.rewrap_all(false, &mut |_| {}).await?;
        for (name, error) in &report.failed {
            tracing::error!(object = %name, error = error as &dyn std::error::Error, "a key could not be wrapped anew");
        }
        fault_point("erasure.wrapping_key.rewrapped");
        let ended = self.keys.end_unused(tenant, &self.in_use(&rewrapper).await?).await?;
        let mut did: Vec<String> = ended.removed.iter().map(|name| format!("wrapping key {name} removed from the key file")).collect();
        did.extend((report.rewrapped > 0).then(|| format!("{} keys that are left are wrapped by a new wrapping key", report.rewrapped)));
        let stays =
            |name: &WrappingKeyName| format!("wrapping key {name} stays in the key file: keys that it wraps could not be wrapped anew");
        did.extend(ended.still_in_use.iter().map(stays));
        Ok(Retired { did, all: ended.still_in_use.is_empty() })
    }

    async fn in_use(&self, rewrapper: &Rewrapper) -> Result<BTreeSet<WrappingKeyName>, VaultError> {
        Ok(rewrapper.in_use().await?.into_keys().collect())
    }

    async fn end_in_kms(&self, tenant: &TenantId, key: &str, left: usize) -> Result<Retired, VaultError> {
        let Some(days) = self.delete_in_days else {
            return Ok(stays(format!("KMS key {key} of the tenant stays: its deletion is the operator's (--schedule-kms-deletion)")));
        };
        if left > 0 {
            return Ok(stays(format!("KMS key {key} of the tenant stays: {left} keys need it, which are held or newer")));
        }
        let rewrapper = Rewrapper::new(Arc::clone(&self.objects), Arc::clone(&self.keys));
        match self.keys.schedule_deletion(tenant, days, &self.in_use(&rewrapper).await?).await? {
            KeyDeletion::Scheduled { key, at } => {
                let did = vec![format!("deletion of KMS key {key} is scheduled for {}", super::shown_time(at))];
                Ok(Retired { did, all: true })
            }
            KeyDeletion::Refused { key, why } => Ok(stays(format!("KMS key {key} of the tenant stays: {why}"))),
        }
    }

    async fn has_own_in_file(&self, tenant: &TenantId) -> Result<bool, VaultError> {
        Ok(self.keys.tenants().await?.contains(tenant))
    }
}

fn stays(why: String) -> Retired {
    Retired { did: vec![why], all: false }
}

#[async_trait]
impl WrappingKeys for TenantKeys {
    async fn retire(&self, tenant: &TenantId, left: usize) -> Result<Retired, PortError> {
        let did = match self.keys.kept_elsewhere(tenant) {
            Some(key) => self.end_in_kms(tenant, &key, left).await,
            None if self.keys.is_kms() => {
                Ok(stays("the tenant has no KMS key of its own: the default key wraps the keys of other tenants too and stays".to_owned()))
            }
            None => match self.has_own_in_file(tenant).await {
                Ok(true) => self.replace(tenant).await,
                Ok(false) => Ok(Retired { did: Vec::new(), all: true }),
                Err(error) => Err(error),
            },
        };
        did.map_err(|error| PortError::of(&error))
    }

    fn key_store_window(&self, retired: bool) -> String {
        let sentence = match (self.keys.is_kms(), retired) {
            (false, true) => "now, where no copy of the key file itself was taken; with one, never (keep the key file out of copies)",
            (false, false) => {
                "once the tenant's wrapping key is replaced (`custody vault rotate --tenant`, an hour later `custody vault rewrap`), \
                 where no copy of the key file itself was taken"
            }
            (true, true) => "once the KMS key that wrapped it is deleted: 7 to 30 days after its deletion is scheduled",
            (true, false) => "once the KMS key that wrapped it is deleted; rotation inside KMS keeps older material",
        };
        sentence.to_owned()
    }
}

#[cfg(test)]
mod tests;
