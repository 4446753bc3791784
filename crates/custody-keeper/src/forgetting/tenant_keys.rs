//! A tenant's wrapping keys at its erasure.
//!
//! ```text
//! key file   new wrapping key ─▶ the keys that are left, wrapped anew ─▶ older ones removed: a copy of the key store opens no more
//! KMS        a key of the tenant's own: named to the operator, or its deletion scheduled where asked and no key needs it
//! ```

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use custody_seal::wrap::WrappingKeyName;
use custody_types::{TenantId, fault_point};
use custody_vault::{KeyProvider, Objects, Rewrapper, VaultError};

use super::{error::PortError, ports::WrappingKeys};

/// A process that looked at the key file just before a new key came into it has put what it wrapped by then.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// The wrapping keys of a vault's key service.
pub struct TenantKeys {
    objects: Arc<dyn Objects>,
    keys: Arc<dyn KeyProvider>,
    /// In how many days a tenant's own KMS key is to be deleted, where that is asked for.
    delete_in_days: Option<u8>,
}

impl TenantKeys {
    /// Over a vault's store and key service.
    #[must_use]
    pub fn new(objects: Arc<dyn Objects>, keys: Arc<dyn KeyProvider>, delete_in_days: Option<u8>) -> Self {
        Self { objects, keys, delete_in_days }
    }

    /// With a key file.
    async fn replace(&self, tenant: &TenantId) -> Result<Vec<String>, VaultError> {
        self.keys.rotate(Some(tenant)).await?;
        fault_point("erasure.wrapping_key.added");
        tokio::time::sleep(SETTLED_AFTER).await;
        let rewrapper = Rewrapper::new(Arc::clone(&self.objects), Arc::clone(&self.keys));
        let report = rewrapper.rewrap_all(false, &mut |_| {}).await?;
        fault_point("erasure.wrapping_key.rewrapped");
        let in_use: BTreeSet<WrappingKeyName> = rewrapper.in_use().await?.into_keys().collect();
        let removed = self.keys.end_unused(tenant, &in_use).await?;
        let mut did: Vec<String> = removed.iter().map(|name| format!("wrapping key {name} removed from the key file")).collect();
        did.extend((report.rewrapped > 0).then(|| format!("{} keys that are left are wrapped by a new wrapping key", report.rewrapped)));
        Ok(did)
    }

    async fn end_in_kms(&self, tenant: &TenantId, key: &str, left: usize) -> Result<Vec<String>, VaultError> {
        let Some(days) = self.delete_in_days else {
            return Ok(vec![format!("KMS key {key} of the tenant stays: its deletion is the operator's (--schedule-kms-deletion)")]);
        };
        if left > 0 {
            return Ok(vec![format!("KMS key {key} of the tenant stays: {left} keys need it, which are held or newer")]);
        }
        let at = self.keys.schedule_deletion(tenant, days).await?;
        Ok(vec![format!("deletion of KMS key {key} is scheduled for {}", super::shown_time(at))])
    }

    async fn has_own_in_file(&self, tenant: &TenantId) -> Result<bool, VaultError> {
        Ok(self.keys.tenants().await?.contains(tenant))
    }
}

#[async_trait]
impl WrappingKeys for TenantKeys {
    async fn retire(&self, tenant: &TenantId, left: usize) -> Result<Vec<String>, PortError> {
        let did = match self.keys.kept_elsewhere(tenant) {
            Some(key) => self.end_in_kms(tenant, &key, left).await,
            None if self.keys.is_kms() => {
                Ok(vec!["the tenant has no KMS key of its own: the default key wraps the keys of other tenants too and stays".to_owned()])
            }
            None => match self.has_own_in_file(tenant).await {
                Ok(true) => self.replace(tenant).await,
                Ok(false) => Ok(Vec::new()),
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
