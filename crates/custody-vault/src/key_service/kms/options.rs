//! How KMS is asked.

use std::{collections::BTreeMap, time::Duration};

use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_sdk_kms::{
    Client,
    config::{
        Builder,
        endpoint::{self, ResolveEndpoint},
        retry::RetryConfig,
        timeout::TimeoutConfig,
    },
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
        let of_region = address_of_region(&shared).await?;
        let address = self.endpoint.as_ref().map_or(of_region, Url::to_string);
        Ok(client_of(Builder::from(&shared), &address))
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

/// A client with our bounds. The address is pinned, so that nothing in the environment (`AWS_ENDPOINT_URL`, a profile's
/// `endpoint_url`) leads keys elsewhere.
pub(super) fn client_of(config: Builder, address: &str) -> Client {
    let retries = RetryConfig::standard().with_max_attempts(MOST_TRIES);
    let config = config.endpoint_url(address.trim_end_matches('/')).retry_config(retries).timeout_config(limits());
    Client::from_conf(config.build())
}

/// The region's own address by the SDK's rules, which know partitions, FIPS and dual stack.
async fn address_of_region(shared: &SdkConfig) -> Result<String, VaultError> {
    let region = shared.region().ok_or_else(|| {
        let advice = "KMS needs a region: set `region` in [vault.keys], or AWS_REGION";
        VaultError::KeyServiceSettings(advice.to_owned())
    })?;
    let unknown = || VaultError::KeyServiceSettings(format!("region `{region}` has no KMS: use one such as `eu-central-1`"));
    let params = endpoint::Params::builder().region(region.as_ref()).set_use_fips(shared.use_fips());
    let params = params.set_use_dual_stack(shared.use_dual_stack()).build().map_err(|_| unknown())?;
    let found = endpoint::DefaultResolver::new().resolve_endpoint(&params).await.map_err(|_| unknown())?;
    Ok(found.url().to_owned())
}

fn is_name(key: &str) -> bool {
    (1..=2_048).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

fn limits() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT_LIMIT).operation_attempt_timeout(TRY_LIMIT).operation_timeout(CALL_LIMIT).build()
}
