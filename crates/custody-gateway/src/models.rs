//! From the workspace's routes to models that can be called.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use custody_model::{BedrockClient, BedrockConfig, Model, OpenAiCompatible, OpenAiConfig, Simulator, TimeoutConfig};
use custody_types::{Fault, FaultOwner, Retry, RouteName, SensitiveText, Text};

use crate::{
    gateway::Models,
    workspace::{BedrockCall, BedrockProvider, OpenAiProvider, ProviderKind, RouteConfig, SecretReference, Workspace},
};

/// A provider cannot be used as it is configured.
#[derive(Debug, thiserror::Error)]
#[error("provider `{provider}`: {problem}")]
pub struct BuildModelsError {
    /// The provider's name in `custody.toml`.
    pub provider: Text,
    /// What is wrong; never a secret.
    pub problem: String,
}

impl Fault for BuildModelsError {
    fn owner(&self) -> FaultOwner {
        FaultOwner::Operator
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn code(&self) -> &'static str {
        "provider_unusable"
    }
}

/// One model for each route; routes of one provider share its connections. `secret` reads what a reference names.
///
/// # Errors
/// The first provider that cannot be used.
pub async fn build_models(
    workspace: &Workspace,
    secret: impl Fn(&SecretReference) -> Result<SensitiveText, String>,
) -> Result<Models, BuildModelsError> {
    let mut providers: BTreeMap<Text, Built> = BTreeMap::new();
    let mut models: BTreeMap<RouteName, Arc<dyn Model>> = BTreeMap::new();
    for (name, route) in &workspace.routes {
        let built = match providers.get(&route.provider_name) {
            Some(known) => known.clone(),
            None => {
                let built = build(workspace, &route.provider, &secret).await;
                built.map_err(|problem| BuildModelsError { provider: route.provider_name.clone(), problem })?
            }
        };
        models.insert(name.clone(), built.model(route));
        providers.insert(route.provider_name.clone(), built);
    }
    Ok(models)
}

/// What the routes of one provider share.
#[derive(Clone)]
enum Built {
    /// Every route is called alike.
    Model(Arc<dyn Model>),
    /// Each route adds something of its own.
    Bedrock(BedrockClient),
}

impl Built {
    fn model(&self, route: &RouteConfig) -> Arc<dyn Model> {
        match self {
            Self::Model(model) => Arc::clone(model),
            Self::Bedrock(client) => Arc::new(client.route(route.bedrock.as_ref().map(BedrockCall::additions).unwrap_or_default())),
        }
    }
}

async fn build(
    workspace: &Workspace,
    provider: &ProviderKind,
    secret: &impl Fn(&SecretReference) -> Result<SensitiveText, String>,
) -> Result<Built, String> {
    match provider {
        ProviderKind::Simulator => Ok(Built::Model(Arc::new(Simulator))),
        ProviderKind::OpenAiCompatible(server) => Ok(Built::Model(Arc::new(openai(workspace, server, secret)?))),
        ProviderKind::Bedrock(provider) => bedrock(workspace, provider).await,
    }
}

/// A client of one server.
pub(crate) fn openai(
    workspace: &Workspace,
    server: &OpenAiProvider,
    secret: &impl Fn(&SecretReference) -> Result<SensitiveText, String>,
) -> Result<OpenAiCompatible, String> {
    let key = server.api_key.as_ref().map(secret).transpose()?;
    let secret_headers = server.secret_headers.iter().map(|(name, reference)| Ok((name.clone(), secret(reference)?)));
    let secret_headers: BTreeMap<String, SensitiveText> = secret_headers.collect::<Result<_, String>>()?;
    let mut config = OpenAiConfig::new(&server.base_url);
    config.headers.clone_from(&server.headers);
    config.ca_file.clone_from(&server.ca_file);
    config.egress_hosts.clone_from(&workspace.settings.egress_hosts);
    config.timeouts = TimeoutConfig::within(workspace.settings.limits.attempt_timeout);
    config.max_answer_bytes = max_answer_bytes(workspace);
    config.api_key = server.api_key.as_ref().map(|reference| match reference {
        SecretReference::Environment(name) => custody_model::KeyReference::Env(name.clone()),
        SecretReference::File(path) => custody_model::KeyReference::File(path.into()),
    });
    config.build_with(key.as_ref(), &secret_headers).map_err(|error| error.to_string())
}

async fn bedrock(workspace: &Workspace, provider: &BedrockProvider) -> Result<Built, String> {
    bedrock_config(workspace, provider).build().await.map(Built::Bedrock).map_err(|error| error.to_string())
}

/// A Region's Bedrock, as the workspace has it.
pub(crate) fn bedrock_config(workspace: &Workspace, provider: &BedrockProvider) -> BedrockConfig {
    let mut config = BedrockConfig::new(provider.region.as_ref());
    config.endpoint_url.clone_from(&provider.endpoint_url);
    config.profile.clone_from(&provider.profile);
    config.egress_hosts.clone_from(&workspace.settings.egress_hosts);
    config.timeouts = TimeoutConfig::within(workspace.settings.limits.attempt_timeout);
    config.max_answer_bytes = max_answer_bytes(workspace);
    config
}

fn max_answer_bytes(workspace: &Workspace) -> usize {
    usize::try_from(workspace.settings.limits.max_answer_bytes).unwrap_or(usize::MAX)
}

/// Reads a secret from the environment or a private file.
///
/// # Errors
/// A sentence that names the reference and what to do.
#[expect(clippy::disallowed_methods, reason = "secrets are references; this is where they are read")]
pub fn read_secret(reference: &SecretReference) -> Result<SensitiveText, String> {
    match reference {
        SecretReference::Environment(name) => std::env::var(name)
            .map(SensitiveText::new)
            .map_err(|_| format!("environment variable `{name}` is not set; set it to what the provider asks for")),
        SecretReference::File(path) => {
            let file = Path::new(path);
            let unreadable = |error| format!("key file `{path}` cannot be read: {error}");
            if crate::private_file::is_exposed(file).map_err(unreadable)? {
                return Err(format!("key file `{path}` is readable by other users; run chmod 600 on it"));
            }
            fs::read_to_string(file).map(|text| SensitiveText::new(text.trim())).map_err(unreadable)
        }
    }
}
