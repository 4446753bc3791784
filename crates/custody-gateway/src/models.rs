//! From the workspace's routes to models that can be called.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use custody_model::{Model, OpenAiConfig, Simulator};
use custody_types::{Fault, FaultOwner, Retry, RouteName, SensitiveText, Text};

use crate::{
    gateway::Models,
    workspace::{ProviderKind, RouteConfig, SecretReference, Workspace},
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
pub fn build_models(
    workspace: &Workspace,
    secret: impl Fn(&SecretReference) -> Result<SensitiveText, String>,
) -> Result<Models, BuildModelsError> {
    let mut by_provider: BTreeMap<Text, Arc<dyn Model>> = BTreeMap::new();
    let mut models: BTreeMap<RouteName, Arc<dyn Model>> = BTreeMap::new();
    for (name, route) in &workspace.routes {
        let model = match by_provider.get(&route.provider_name) {
            Some(known) => Arc::clone(known),
            None => {
                build(workspace, route, &secret).map_err(|problem| BuildModelsError { provider: route.provider_name.clone(), problem })?
            }
        };
        by_provider.insert(route.provider_name.clone(), Arc::clone(&model));
        models.insert(name.clone(), model);
    }
    Ok(models)
}

fn build(
    workspace: &Workspace,
    route: &RouteConfig,
    secret: &impl Fn(&SecretReference) -> Result<SensitiveText, String>,
) -> Result<Arc<dyn Model>, String> {
    let ProviderKind::OpenAiCompatible { base_url, api_key } = &route.provider else {
        return Ok(Arc::new(Simulator));
    };
    let key = api_key.as_ref().map(secret).transpose()?;
    let limits = &workspace.settings.limits;
    let mut config = OpenAiConfig::new(base_url.clone());
    config.egress_hosts.clone_from(&workspace.settings.egress_hosts);
    config.timeouts.total_ms = u64::try_from(limits.attempt_timeout.as_millis()).unwrap_or(u64::MAX);
    config.timeouts.first_token_ms = config.timeouts.first_token_ms.min(config.timeouts.total_ms);
    config.timeouts.idle_ms = config.timeouts.idle_ms.min(config.timeouts.total_ms);
    config.timeouts.connect_ms = config.timeouts.connect_ms.min(config.timeouts.total_ms);
    config.max_answer_bytes = usize::try_from(limits.max_answer_bytes).unwrap_or(usize::MAX);
    config.api_key = api_key.as_ref().map(|reference| match reference {
        SecretReference::Environment(name) => custody_model::KeyReference::Env(name.clone()),
        SecretReference::File(path) => custody_model::KeyReference::File(path.into()),
    });
    let model = config.build(key.as_ref()).map_err(|error| error.to_string())?;
    Ok(Arc::new(model))
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
            .map_err(|_| format!("environment variable `{name}` is not set; set it to the provider's key")),
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
