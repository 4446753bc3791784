//! AWS KMS as key service: Encrypt, Decrypt and ReEncrypt of 32 bytes, bound by the encryption context.
//!
//! A tenant's keys are wrapped by its own KMS key where one is named, else by the default one; so are edge keys. Rotation inside KMS
//! keeps the name; another key is named in the configuration. Either way `rewrap` asks KMS to ReEncrypt, and no key is seen here.

mod answers;
mod deletion;
mod options;

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use aws_sdk_kms::{Client, error::SdkError, primitives::Blob};
use custody_seal::{
    SecretKey,
    wrap::{KeyWrapper, WrapContext, WrapError, WrappedKey, WrappingKeyName},
};
use custody_types::TenantId;
use zeroize::Zeroizing;

use self::answers::{Failure, Kind};
use super::{EndedKeys, KeyCalls, KeyDeletion, KeyProvider, calls::CallCounter};
use crate::error::VaultError;

pub use options::KmsOptions;

/// Wraps with the keys of AWS KMS.
pub struct KmsKeys {
    client: Client,
    options: KmsOptions,
    /// What KMS calls the keys that we call by an id or an alias.
    names: Mutex<HashMap<String, WrappingKeyName>>,
    calls: CallCounter,
}

impl KmsKeys {
    /// Prepares the client. Credentials are those of the environment, a profile, web identity, the container or the instance.
    ///
    /// # Errors
    /// When the settings make no sense.
    pub async fn open(options: &KmsOptions) -> Result<Self, VaultError> {
        Ok(Self::over(options.client().await?, options))
    }

    fn over(client: Client, options: &KmsOptions) -> Self {
        Self { client, options: options.clone(), names: Mutex::default(), calls: CallCounter::default() }
    }

    /// What KMS made, under the name that it gave the key.
    fn wrapped(&self, asked: &str, answered: Option<&str>, context: &WrapContext, made: Option<Blob>) -> Result<WrappedKey, WrapError> {
        let name: WrappingKeyName = answered.unwrap_or(asked).parse().map_err(|_| WrapError::NotAuthentic)?;
        self.names.lock().unwrap_or_else(PoisonError::into_inner).insert(asked.to_owned(), name.clone());
        let made = made.ok_or(WrapError::NotAuthentic)?.into_inner();
        WrappedKey::new(name, context.clone(), made).map_err(|_| WrapError::NotAuthentic)
    }

    fn failed<E>(&self, doing: &'static str, error: &SdkError<E>) -> WrapError
    where
        E: aws_sdk_kms::error::ProvideErrorMetadata,
    {
        let Failure { kind, code } = Failure::of(error);
        match kind {
            Kind::Throttled => self.calls.throttled.add_one(),
            Kind::Unavailable => self.calls.unavailable.add_one(),
            Kind::Denied | Kind::KeyGone | Kind::KeyUnusable | Kind::NotAuthentic => self.calls.refused.add_one(),
        }
        tracing::warn!(doing, code, "KMS did not do what it was asked");
        kind.into()
    }
}

fn pairs(context: &WrapContext) -> HashMap<String, String> {
    context.encryption_context().into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// KMS hands the key back in memory of its own, which is wiped here.
fn read_key(plaintext: Option<Blob>) -> Result<SecretKey, WrapError> {
    let bytes = Zeroizing::new(plaintext.ok_or(WrapError::NotAuthentic)?.into_inner());
    let key: &[u8; 32] = bytes.as_slice().try_into().map_err(|_| WrapError::NotAuthentic)?;
    Ok(SecretKey::from_bytes(key))
}

#[async_trait]
impl KeyWrapper for KmsKeys {
    async fn wrap(&self, key: &SecretKey, context: &WrapContext) -> Result<WrappedKey, WrapError> {
        self.calls.encrypt.add_one();
        let asked = self.options.key_of(context.tenant());
        let request = self.client.encrypt().key_id(asked).plaintext(Blob::new(key.expose().as_slice()));
        let answer = request.set_encryption_context(Some(pairs(context))).send().await;
        let answer = answer.map_err(|error| self.failed("wrapping a key", &error))?;
        self.wrapped(asked, answer.key_id(), context, answer.ciphertext_blob().cloned())
    }

    async fn unwrap(&self, wrapped: &WrappedKey) -> Result<SecretKey, WrapError> {
        self.calls.decrypt.add_one();
        let request = self.client.decrypt().key_id(wrapped.wrapping_key().as_str()).ciphertext_blob(Blob::new(wrapped.wrapped()));
        let answer = request.set_encryption_context(Some(pairs(wrapped.context()))).send().await;
        let answer = answer.map_err(|error| self.failed("unwrapping a key", &error))?;
        read_key(answer.plaintext)
    }

    async fn rewrap(&self, wrapped: &WrappedKey) -> Result<WrappedKey, WrapError> {
        self.calls.reencrypt.add_one();
        let context = wrapped.context();
        let asked = self.options.key_of(context.tenant());
        let request = self
            .client
            .re_encrypt()
            .ciphertext_blob(Blob::new(wrapped.wrapped()))
            .source_key_id(wrapped.wrapping_key().as_str())
            .set_source_encryption_context(Some(pairs(context)))
            .destination_key_id(asked)
            .set_destination_encryption_context(Some(pairs(context)));
        let answer = request.send().await.map_err(|error| self.failed("wrapping a key anew", &error))?;
        self.wrapped(asked, answer.key_id(), context, answer.ciphertext_blob().cloned())
    }
}

#[async_trait]
impl KeyProvider for KmsKeys {
    /// By name: whether KMS has newer material under that name only KMS knows.
    async fn is_current(&self, wrapped: &WrappedKey) -> bool {
        let asked = self.options.key_of(wrapped.context().tenant());
        let name = wrapped.wrapping_key();
        let learnt = self.names.lock().unwrap_or_else(PoisonError::into_inner).get(asked) == Some(name);
        learnt || name.as_str() == asked || name.as_str().ends_with(&format!(":key/{asked}"))
    }

    async fn rotate(&self, _: Option<&TenantId>) -> Result<WrappingKeyName, VaultError> {
        let advice = "keys of KMS are rotated in KMS, or by naming another key in [vault.keys]; then run `custody vault rewrap`";
        Err(VaultError::KeyServiceSettings(advice.to_owned()))
    }

    /// Nothing is removed from KMS: that is its operator's, after a look at what is in use.
    async fn remove_unused(&self, _: &BTreeSet<WrappingKeyName>) -> Result<Vec<WrappingKeyName>, VaultError> {
        Ok(Vec::new())
    }

    async fn end_unused(&self, _: &TenantId, _: &BTreeSet<WrappingKeyName>) -> Result<EndedKeys, VaultError> {
        Ok(EndedKeys::default())
    }

    fn is_kms(&self) -> bool {
        true
    }

    fn kept_elsewhere(&self, tenant: &TenantId) -> Option<String> {
        self.options.tenants.get(tenant).cloned()
    }

    async fn schedule_deletion(&self, tenant: &TenantId, days: u8, in_use: &BTreeSet<WrappingKeyName>) -> Result<KeyDeletion, VaultError> {
        self.end_key_of(tenant, days, in_use).await
    }

    async fn tenants(&self) -> Result<BTreeSet<TenantId>, VaultError> {
        Ok(self.options.tenants.keys().cloned().collect())
    }

    fn calls(&self) -> KeyCalls {
        self.calls.read()
    }

    fn describe(&self) -> String {
        format!("AWS KMS, default key {}, {} tenants with their own", self.options.default_key, self.options.tenants.len())
    }
}

impl fmt::Debug for KmsKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KmsKeys").field("options", &self.options).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
