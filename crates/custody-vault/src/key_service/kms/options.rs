//! How KMS is asked.

use std::{collections::BTreeMap, time::Duration};

use aws_config::{AppName, BehaviorVersion, Region};
use aws_sdk_kms::{
    Client,
    config::{Builder, retry::RetryConfig, timeout::TimeoutConfig},
};
use custody_types::TenantId;
use url::Url;

use crate::{error::VaultError, root::check_endpoint};

/// The SDK's own tries of one call; callers repeat with pauses of their own.
const MOST_TRIES: u32 = 3;
const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// Of one try, and of all.
const TRY_LIMIT: Duration = Duration::from_secs(5);
const CALL_LIMIT: Duration = Duration::from_secs(15);

/// Which keys of KMS, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsOptions {
    /// Id, ARN or alias of the key for edge keys and for tenants without one of their own.
    pub default_key: String,
    /// Keys of tenants.
    pub tenants: BTreeMap<TenantId, String>,
    /// The region; the environment's where none is named.
    pub region: Option<String>,
    /// The service's address, where it is not the region's own. `http` is for this machine only.
    pub endpoint: Option<Url>,
}

impl KmsOptions {
    /// The key that wraps for a tenant, or for the product.
    pub(super) fn key_of(&self, tenant: Option<&TenantId>) -> &str {
        tenant.and_then(|tenant| self.tenants.get(tenant)).unwrap_or(&self.default_key)
    }

    pub(super) async fn client(&self) -> Result<Client, VaultError> {
        self.check()?;
        let mut loader = aws_config::defaults(BehaviorVersion::latest());
        if let Some(region) = &self.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Ok(name) = AppName::new("custody") {
            loader = loader.app_name(name);
        }
        let shared = loader.load().await;
        if shared.region().is_none() {
            let advice = "KMS needs a region: set `region` in [vault.keys], or AWS_REGION";
            return Err(VaultError::KeyServiceSettings(advice.to_owned()));
        }
        let mut config =
            Builder::from(&shared).retry_config(RetryConfig::standard().with_max_attempts(MOST_TRIES)).timeout_config(limits());
        if let Some(endpoint) = &self.endpoint {
            config = config.endpoint_url(endpoint.as_str().trim_end_matches('/'));
        }
        Ok(Client::from_conf(config.build()))
    }

    /// Says what makes no sense, without asking anyone.
    ///
    /// # Errors
    /// When an address would be asked in the clear over a network, or a key has no name.
    pub fn check(&self) -> Result<(), VaultError> {
        if let Some(endpoint) = &self.endpoint {
            check_endpoint(endpoint).map_err(|error| VaultError::KeyServiceSettings(error.to_string()))?;
        }
        let unnamed = std::iter::once(&self.default_key).chain(self.tenants.values()).any(|key| !is_name(key));
        if unnamed {
            let advice = "a KMS key is named by its id, ARN or alias (`alias/…`), without spaces";
            return Err(VaultError::KeyServiceSettings(advice.to_owned()));
        }
        Ok(())
    }
}

fn is_name(key: &str) -> bool {
    (1..=2_048).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

fn limits() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT_LIMIT).operation_attempt_timeout(TRY_LIMIT).operation_timeout(CALL_LIMIT).build()
}
