//! Deleting a tenant's own key in KMS, where nothing else needs it.
//!
//! ```text
//! DescribeKey of the name in the settings ─▶ its ARN: two names may mean one key, and deletion takes no alias
//!   is its deletion scheduled already? ─▶ that time: an erasure that was cut off comes here twice
//!   does something in the vault name it, or do the settings by another name? ─▶ it stays
//!   ScheduleKeyDeletion of the ARN
//! ```

use std::collections::BTreeSet;

use aws_sdk_kms::primitives::DateTime;
use custody_seal::wrap::{WrapError, WrappingKeyName};
use custody_types::{TenantId, Timestamp};

use super::{super::KeyDeletion, KmsKeys};
use crate::error::VaultError;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// A key as KMS describes it.
struct Described {
    arn: WrappingKeyName,
    /// When it is deleted, where that is scheduled.
    goes_at: Option<Timestamp>,
}

impl KmsKeys {
    pub(super) async fn end_key_of(
        &self,
        tenant: &TenantId,
        days: u8,
        in_use: &BTreeSet<WrappingKeyName>,
    ) -> Result<KeyDeletion, VaultError> {
        let none = || VaultError::KeyServiceSettings(format!("tenant `{tenant}` has no KMS key of its own in [vault.keys.tenants]"));
        let asked = self.options.tenants.get(tenant).ok_or_else(none)?;
        let Described { arn: key, goes_at } = self.described(asked).await?.ok_or(WrapError::UnknownKey)?;
        if let Some(at) = goes_at {
            return Ok(KeyDeletion::Scheduled { key, at });
        }
        if in_use.iter().any(|name| is_called(&key, name.as_str()) || name.as_str() == asked) {
            return Ok(KeyDeletion::Refused { key, why: "keys that are kept are wrapped by it".to_owned() });
        }
        if let Some(why) = self.who_else(tenant, &key).await? {
            return Ok(KeyDeletion::Refused { key, why });
        }
        let request = self.client.schedule_key_deletion().key_id(key.as_str()).pending_window_in_days(i32::from(days));
        let answer = request.send().await.map_err(|error| self.failed("scheduling a key's deletion", &error))?;
        Ok(KeyDeletion::Scheduled { key, at: time(answer.deletion_date()).unwrap_or(Timestamp::from_micros(0)) })
    }

    /// Who else's name in the settings means this key.
    async fn who_else(&self, tenant: &TenantId, key: &WrappingKeyName) -> Result<Option<String>, VaultError> {
        let of_others = self.options.tenants.iter().filter(|(other, _)| *other != tenant);
        let of_others = of_others.map(|(other, name)| (name, format!("tenant `{other}` uses it too")));
        let default_key = (&self.options.default_key, "it is the default key, which wraps for days and for other tenants".to_owned());
        for (name, why) in std::iter::once(default_key).chain(of_others) {
            // A name that KMS does not know means no key at all.
            if self.described(name).await?.is_some_and(|described| described.arn == *key) {
                return Ok(Some(why));
            }
        }
        Ok(None)
    }

    async fn described(&self, name: &str) -> Result<Option<Described>, VaultError> {
        let answer = match self.client.describe_key().key_id(name).send().await {
            Ok(answer) => answer,
            Err(error) => {
                return match self.failed("describing a key", &error) {
                    WrapError::UnknownKey => Ok(None),
                    error => Err(error.into()),
                };
            }
        };
        let found = answer.key_metadata().and_then(|key| Some((key.arn()?.parse().ok()?, time(key.deletion_date()))));
        let (arn, goes_at) = found.ok_or(WrapError::NotAuthentic)?;
        Ok(Some(Described { arn, goes_at }))
    }
}

/// By its ARN or its id, as records of before may name it.
fn is_called(key: &WrappingKeyName, name: &str) -> bool {
    key.as_str() == name || key.as_str().rsplit_once(":key/").is_some_and(|(_, id)| id == name)
}

fn time(date: Option<&DateTime>) -> Option<Timestamp> {
    date.map(|date| Timestamp::from_micros(date.secs().saturating_mul(MICROS_PER_SECOND)))
}
