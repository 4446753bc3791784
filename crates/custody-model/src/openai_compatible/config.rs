//! What an operator writes about a server, and what is meant by it.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use custody_types::{Fault, FaultOwner, Retry, SensitiveText};
use hyper::{
    Uri,
    header::{HeaderName, HeaderValue},
};
use serde::Deserialize;

use super::{OpenAiCompatible, client::Client, headers, tls};
use crate::{
    egress::Egress,
    timeouts::{TimeoutConfig, Timeouts},
};

/// A server, as written in the configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenAiConfig {
    /// Such as `https://api.openai.com/v1`; `/chat/completions` is added.
    pub base_url: String,
    /// Where the key lies; no key is sent where it is absent.
    #[serde(default)]
    pub api_key: Option<KeyReference>,
    /// Headers of every request, which are no secrets.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// A file of certificates (PEM): the server's must be signed by one of them, and no other authority is trusted for it.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Hosts that may be called. The server's host must be among them, unless it is this machine: a slip in `base_url` then
    /// can't send a conversation anywhere.
    #[serde(default)]
    pub egress_hosts: Vec<String>,
    /// Allows `http` to a host that is not this machine. Off, because the conversation would cross a network in the clear.
    #[serde(default)]
    pub allow_plaintext: bool,
    /// Sends `max_tokens` instead of `max_completion_tokens`. Off, as the API's newer name is; older servers need it.
    #[serde(default)]
    pub old_max_tokens: bool,
    /// Bounds in time.
    #[serde(default)]
    pub timeouts: TimeoutConfig,
    /// Longest answer in bytes over the wire.
    #[serde(default = "default_max_answer_bytes")]
    pub max_answer_bytes: usize,
    /// Connections kept open while idle.
    #[serde(default = "default_idle_connections")]
    pub idle_connections: usize,
}

/// Where a secret lies; never the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyReference {
    /// An environment variable: `{ env = "OPENAI_API_KEY" }`.
    Env(String),
    /// A file: `{ file = "/run/secrets/openai" }`.
    File(PathBuf),
}

/// The configuration of a server is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .mistakes.join("; "))]
pub struct BuildModelError {
    /// Every mistake, one sentence each.
    pub mistakes: Vec<String>,
}

/// What is meant: checked, and nothing left to decide.
pub(super) struct Settings {
    pub(super) addresses: Addresses,
    pub(super) authorization: Option<HeaderValue>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) old_max_tokens: bool,
    pub(super) timeouts: Timeouts,
    pub(super) max_answer_bytes: usize,
}

/// Where a server answers what.
pub(super) struct Addresses {
    pub(super) chat: Uri,
    pub(super) models: Uri,
    /// Beside the API, at the root of the server, as vLLM has it.
    pub(super) metrics: Uri,
}

/// Hundred times the longest answer a model gives today.
const fn default_max_answer_bytes() -> usize {
    32 << 20
}

/// As many as one gateway has calls in flight on an ordinary day; more only cost a handshake.
const fn default_idle_connections() -> usize {
    256
}

impl OpenAiConfig {
    /// A server with defaults for all but its address.
    #[must_use]
    pub fn new(base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            api_key: None,
            headers: BTreeMap::new(),
            ca_file: None,
            egress_hosts: Vec::new(),
            allow_plaintext: false,
            old_max_tokens: false,
            timeouts: TimeoutConfig::default(),
            max_answer_bytes: default_max_answer_bytes(),
            idle_connections: default_idle_connections(),
        }
    }

    /// Builds the client. `key` is what [`OpenAiConfig::api_key`] refers to, read by the caller.
    ///
    /// # Errors
    /// Every mistake in the configuration.
    pub fn build(&self, key: Option<&SensitiveText>) -> Result<OpenAiCompatible, BuildModelError> {
        self.build_with(key, &BTreeMap::new())
    }

    /// Builds a client that also sends headers which are secrets, read by the caller.
    ///
    /// # Errors
    /// Every mistake in the configuration.
    pub fn build_with(
        &self,
        key: Option<&SensitiveText>,
        secret_headers: &BTreeMap<String, SensitiveText>,
    ) -> Result<OpenAiCompatible, BuildModelError> {
        let mut mistakes = Vec::new();
        let addresses = self.addresses(&mut mistakes);
        let authorization = self.authorization(key, &mut mistakes);
        let headers = headers::read(&self.headers, secret_headers, &mut mistakes);
        let timeouts = self.timeouts.check(&mut mistakes);
        if self.max_answer_bytes == 0 {
            mistakes.push("max_answer_bytes: must be at least 1".to_owned());
        }
        let plain = addresses.as_ref().is_some_and(|addresses| addresses.chat.scheme_str() == Some("http"));
        let client = self.client(plain, timeouts.connect).map_err(|mistake| mistakes.push(mistake)).ok();
        let (Some(addresses), Some(client), true) = (addresses, client, mistakes.is_empty()) else {
            return Err(BuildModelError { mistakes });
        };
        let (old_max_tokens, max_answer_bytes) = (self.old_max_tokens, self.max_answer_bytes);
        let settings = Settings { addresses, authorization, headers, old_max_tokens, timeouts, max_answer_bytes };
        Ok(OpenAiCompatible { client, settings: std::sync::Arc::new(settings) })
    }

    fn client(&self, plain: bool, connect: Duration) -> Result<Client, String> {
        if !plain {
            return Ok(Client::tls(tls::config(self.ca_file.as_deref())?, connect, self.idle_connections));
        }
        if self.ca_file.is_some() {
            return Err("ca_file: stands beside a base_url without TLS".to_owned());
        }
        Ok(Client::plain(connect, self.idle_connections))
    }

    fn addresses(&self, mistakes: &mut Vec<String>) -> Option<Addresses> {
        let egress = Egress { hosts: &self.egress_hosts, plaintext: self.allow_plaintext };
        let url = egress.read("base_url", &self.base_url, "https://api.openai.com/v1", mistakes)?;
        let base = url.as_str().trim_end_matches('/');
        let mut parse = |text: String| text.parse().map_err(|_| mistakes.push(format!("base_url: `{url}` can't be called"))).ok();
        let chat = parse(format!("{base}/chat/completions"));
        let models = parse(format!("{base}/models"));
        let metrics = parse(format!("{}/metrics", url.origin().ascii_serialization()));
        Some(Addresses { chat: chat?, models: models?, metrics: metrics? })
    }

    fn authorization(&self, key: Option<&SensitiveText>, mistakes: &mut Vec<String>) -> Option<HeaderValue> {
        let Some(key) = key else {
            if self.api_key.is_some() {
                mistakes.push("api_key: what it refers to could not be read".to_owned());
            }
            return None;
        };
        let value = HeaderValue::from_str(&format!("Bearer {}", key.expose().trim()));
        let mut value = value.map_err(|_| mistakes.push("api_key: has characters that can't be sent".to_owned())).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl Fault for BuildModelError {
    fn owner(&self) -> FaultOwner {
        FaultOwner::Operator
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn code(&self) -> &'static str {
        "invalid_model_configuration"
    }
}
