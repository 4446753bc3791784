//! From the workspace's routes to models that can be called.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Context, Result};
use custody_gateway::{
    Models,
    workspace::{ProviderKind, SecretReference, Workspace},
};
use custody_model::{KeyReference, Model, OpenAiConfig, Simulator};
use custody_types::SensitiveText;

/// The model of each route. Routes of one provider share its connections.
pub fn of(workspace: &Workspace) -> Result<Models> {
    let mut by_provider: BTreeMap<&str, Arc<dyn Model>> = BTreeMap::new();
    let mut models = Models::new();
    for (name, route) in &workspace.routes {
        let provider = route.provider_name.as_ref();
        let model = match by_provider.get(provider) {
            Some(model) => Arc::clone(model),
            None => connect(&route.provider).with_context(|| format!("providers.{provider}"))?,
        };
        by_provider.insert(provider, Arc::clone(&model));
        models.insert(name.clone(), model);
    }
    Ok(models)
}

fn connect(provider: &ProviderKind) -> Result<Arc<dyn Model>> {
    match provider {
        ProviderKind::Simulator => Ok(Arc::new(Simulator)),
        ProviderKind::OpenAiCompatible { base_url, api_key } => {
            let mut config = OpenAiConfig::new(base_url);
            config.egress_hosts = host_of(base_url).into_iter().collect();
            config.api_key = api_key.as_ref().map(reference);
            let key = config.api_key.as_ref().map(secret).transpose()?;
            Ok(Arc::new(config.build(key.as_ref())?))
        }
    }
}

fn host_of(base_url: &str) -> Option<String> {
    base_url.parse::<hyper::Uri>().ok()?.host().map(str::to_owned)
}

fn reference(reference: &SecretReference) -> KeyReference {
    match reference {
        SecretReference::Environment(name) => KeyReference::Env(name.clone()),
        SecretReference::File(path) => KeyReference::File(path.into()),
    }
}

/// Secrets are read here, once, from where the workspace says they are.
#[expect(clippy::disallowed_methods, reason = "a secret in an environment variable is read where the program is assembled")]
fn secret(reference: &KeyReference) -> Result<SensitiveText> {
    let text = match reference {
        KeyReference::Env(name) => std::env::var(name).with_context(|| format!("the environment variable `{name}` is not set"))?,
        KeyReference::File(path) => {
            std::fs::read_to_string(path).with_context(|| format!("the key file `{}` cannot be read", path.display()))?
        }
    };
    Ok(SensitiveText::new(text.trim()))
}
