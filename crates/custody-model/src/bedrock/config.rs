//! What an operator writes about Bedrock, and the client that is made of it.

use std::time::Duration;

use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_sdk_bedrockruntime::{
    Client,
    config::{Builder, ProvideCredentials, SharedHttpClient, StalledStreamProtectionConfig, retry::RetryConfig, timeout},
};
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};

use super::{BedrockClient, ProfileClient, endpoint};
use crate::{
    BuildModelError,
    egress::Egress,
    timeouts::{TimeoutConfig, Timeouts},
};

/// Idle connections are dropped before AWS drops theirs, so that a request seldom meets a dead one.
const IDLE: Duration = Duration::from_secs(45);

/// The chain's slowest member is the machine's own role, which answers within a second or is not there.
const CREDENTIALS_BY: Duration = Duration::from_secs(15);

/// The AWS chain knows this key for Bedrock; where it is set, nothing is signed and no other credential is needed.
const BEARER_TOKEN: &str = "AWS_BEARER_TOKEN_BEDROCK";

/// A Region's Bedrock, as written in the configuration.
#[derive(Debug, Clone)]
pub struct BedrockConfig {
    /// The Region that is called, such as `eu-central-1`.
    pub region: String,
    /// Another address than the Region's own: a private endpoint, or a stub on this machine.
    pub endpoint_url: Option<String>,
    /// Another address than the Region's own for the service that tells about profiles.
    pub control_endpoint_url: Option<String>,
    /// The profile of the shared AWS configuration that credentials come from; the default chain where absent.
    pub profile: Option<String>,
    /// Hosts that may be called. The endpoint's host must be among them, unless it is this machine.
    pub egress_hosts: Vec<String>,
    /// Bounds in time.
    pub timeouts: TimeoutConfig,
    /// Longest answer in bytes over the wire.
    pub max_answer_bytes: usize,
}

impl BedrockConfig {
    /// A Region with defaults for everything else.
    #[must_use]
    pub fn new(region: impl Into<String>) -> Self {
        Self {
            region: region.into(),
            endpoint_url: None,
            control_endpoint_url: None,
            profile: None,
            egress_hosts: Vec::new(),
            timeouts: TimeoutConfig::default(),
            // Hundred times the longest answer a model gives today.
            max_answer_bytes: 32 << 20,
        }
    }

    /// Builds the client. Credentials are looked for once, so that their absence is told now and not to the first caller; they are
    /// renewed as they expire.
    ///
    /// # Errors
    /// Every mistake in the configuration, or that there are no credentials.
    pub async fn build(&self) -> Result<BedrockClient, BuildModelError> {
        self.build_on(&self.shared().await).await
    }

    pub(super) async fn build_on(&self, shared: &SdkConfig) -> Result<BedrockClient, BuildModelError> {
        let mut mistakes = Vec::new();
        let timeouts = self.timeouts.check(&mut mistakes);
        if self.max_answer_bytes == 0 {
            mistakes.push("max_answer_bytes: must be at least 1".to_owned());
        }
        let egress = Egress { hosts: &self.egress_hosts, plaintext: false };
        let url = endpoint::settle(&self.region, self.endpoint_url.as_deref(), shared, egress, &mut mistakes).await;
        if mistakes.is_empty() {
            mistakes.extend(missing_credentials(shared).await);
        }
        match url {
            Some(url) if mistakes.is_empty() => {
                let client = client(shared, &url, &timeouts);
                Ok(BedrockClient::new(client, self.region.clone(), url, timeouts, self.max_answer_bytes))
            }
            _ => Err(BuildModelError { mistakes }),
        }
    }

    /// Builds the client that asks about profiles.
    ///
    /// # Errors
    /// Every mistake in the configuration, or that there are no credentials.
    pub async fn build_profiles(&self) -> Result<ProfileClient, BuildModelError> {
        self.build_profiles_on(&self.shared().await).await
    }

    pub(super) async fn build_profiles_on(&self, shared: &SdkConfig) -> Result<ProfileClient, BuildModelError> {
        let mut mistakes = Vec::new();
        let egress = Egress { hosts: &self.egress_hosts, plaintext: false };
        let url = endpoint::settle_control(&self.region, self.control_endpoint_url.as_deref(), shared, egress, &mut mistakes).await;
        if mistakes.is_empty() {
            mistakes.extend(missing_credentials(shared).await);
        }
        match url {
            Some(url) if mistakes.is_empty() => Ok(ProfileClient::new(shared, &url, http())),
            _ => Err(BuildModelError { mistakes }),
        }
    }

    async fn shared(&self) -> SdkConfig {
        let mut loader = aws_config::defaults(BehaviorVersion::latest()).region(Region::new(self.region.clone()));
        if let Some(profile) = &self.profile {
            loader = loader.profile_name(profile);
        }
        if let Ok(name) = AppName::new("custody") {
            loader = loader.app_name(name);
        }
        loader.load().await
    }
}

/// One call is one attempt: each is recorded, so the SDK repeats none (D2). Its guard against slow streams is off because the
/// pauses are bounded here, and proxies of the environment are not used because the egress list could not see through them.
fn client(shared: &SdkConfig, url: &str, timeouts: &Timeouts) -> Client {
    let config = Builder::from(shared)
        .endpoint_url(url)
        .use_fips(false)
        .use_dual_stack(false)
        .http_client(http())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeout::TimeoutConfig::builder().connect_timeout(timeouts.connect).build())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    Client::from_conf(config.build())
}

fn http() -> SharedHttpClient {
    let http = aws_smithy_http_client::Builder::new().pool_idle_timeout(IDLE);
    http.tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc)).build_https()
}

/// Says what is missing, and never what was found.
async fn missing_credentials(shared: &SdkConfig) -> Option<String> {
    if std::env::var_os(BEARER_TOKEN).is_some() {
        return None;
    }
    let advice = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a `profile` of the AWS configuration, or give this machine a role";
    let Some(provider) = shared.credentials_provider() else {
        return Some(format!("credentials: there is no way to get any: {advice}"));
    };
    match tokio::time::timeout(CREDENTIALS_BY, provider.provide_credentials()).await {
        Ok(Ok(_)) => None,
        Ok(Err(_)) => Some(format!("credentials: the AWS default chain gave none: {advice}")),
        Err(_) => Some(format!("credentials: the AWS default chain gave none in {} s: {advice}", CREDENTIALS_BY.as_secs())),
    }
}
