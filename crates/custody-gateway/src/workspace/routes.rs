//! Providers and routes: the ways to models. Credentials are references, never values.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use custody_config::Reader;
use custody_model::bedrock::{Target, TargetKind};
use custody_policy::{FactsError, Route as PolicyRoute, RouteFacts, TenantScope};
use custody_types::{DataClass, ModelName, RouteName, TenantId, Text};

use super::{
    bedrock::{self, AskedProfile, BedrockCall, BedrockProvider, Whereabouts},
    openai::{self, OpenAiProvider},
    registry::{self, Registry},
    serving,
};

/// One way to one model.
#[derive(Debug)]
pub struct RouteConfig {
    /// Its name.
    pub name: RouteName,
    /// Name of its provider in `custody.toml`.
    pub provider_name: Text,
    /// What the provider is.
    pub provider: ProviderKind,
    /// The model to ask for.
    pub model: ModelName,
    /// Where the model runs.
    pub region: Option<Text>,
    /// The most sensitive data that may take it (PRN-13).
    pub data_class_ceiling: DataClass,
    /// What Bedrock is to be told with each call; for routes to Bedrock only.
    pub bedrock: Option<BedrockCall>,
    /// What is stated of the model behind it, for the events of its attempts (PAT-03, PAT-04).
    pub serving: BTreeMap<Text, Text>,
    /// The same facts as policies see them.
    pub policy: PolicyRoute,
}

/// What a provider is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderKind {
    /// The built-in simulator, which says in every answer what it is.
    Simulator,
    /// A server that speaks OpenAI's chat completions.
    OpenAiCompatible(OpenAiProvider),
    /// Amazon Bedrock in one Region.
    Bedrock(BedrockProvider),
}

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretReference {
    /// In an environment variable.
    Environment(String),
    /// In a file.
    File(String),
}

impl RouteConfig {
    /// Whether everything is known of it that its use depends on: AWS's last answer about its profile agrees with it.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.bedrock.as_ref().and_then(|call| call.asked.as_ref()).is_none_or(AskedProfile::is_usable)
    }

    /// The same route with what AWS told; policies see its Region from now on.
    pub(crate) fn settle(&mut self, whereabouts: Whereabouts) -> Result<(), FactsError> {
        let Some(call) = &mut self.bedrock else { return Ok(()) };
        call.whereabouts = whereabouts;
        self.region = self.region.take().or_else(|| call.only_region().cloned());
        let region = self.region.as_deref().map(str::to_owned);
        self.policy = PolicyRoute::new(RouteFacts { region, ..self.policy.facts().clone() })?;
        if let Some(asked) = &call.asked {
            asked.set_usable(true);
        }
        Ok(())
    }
}

impl ProviderKind {
    /// The provider's kind as events carry it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Simulator => "simulator",
            Self::OpenAiCompatible(_) => "openai_compatible",
            Self::Bedrock(_) => "bedrock",
        }
    }

    /// Whether it is told whom a call is for and what for (PATH-11, LOG-36).
    #[must_use]
    pub const fn takes_labels(&self) -> bool {
        match self {
            Self::Simulator => false,
            Self::OpenAiCompatible(server) => server.labels,
            Self::Bedrock(_) => true,
        }
    }
}

pub(super) fn read(root: &Reader<'_>) -> BTreeMap<RouteName, Arc<RouteConfig>> {
    let providers: BTreeMap<&str, ProviderKind> =
        root.named_sections("providers").into_iter().filter_map(|(name, section)| Some((name, read_provider(section)?))).collect();
    let registry = registry::read(root);
    let routes = root.named_sections("routes").into_iter().filter_map(|(name, section)| read_route(name, section, &providers, &registry));
    routes.map(|route| (route.name.clone(), Arc::new(route))).collect()
}

fn read_provider(reader: Reader<'_>) -> Option<ProviderKind> {
    let kind = match reader.text("kind", "simulator, openai_compatible or bedrock")? {
        "simulator" => Some(ProviderKind::Simulator),
        "openai_compatible" => openai::read_provider(&reader).map(ProviderKind::OpenAiCompatible),
        "bedrock" => bedrock::read_provider(&reader).map(ProviderKind::Bedrock),
        other => {
            reader.mistake("kind", format!("is `{other}`"), "use simulator, openai_compatible or bedrock");
            None
        }
    };
    reader.finish();
    kind
}

/// Prompts leave this machine only under TLS.
pub(super) fn read_url(reader: &Reader<'_>, key: &'static str, meaning: &str) -> Option<String> {
    let text = reader.text(key, meaning)?;
    let refuse = |problem: &str| {
        reader.mistake(key, problem, format!("use {meaning}"));
        None
    };
    let Ok(uri) = text.parse::<hyper::Uri>() else { return refuse("is not a URL") };
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return refuse("carries a credential");
    }
    match (uri.scheme_str(), uri.host()) {
        (Some("https"), Some(_)) => Some(text.trim_end_matches('/').to_owned()),
        (Some("http"), Some(host)) if is_local(host) => Some(text.trim_end_matches('/').to_owned()),
        (Some("http"), Some(_)) => refuse("would send prompts off this machine without TLS"),
        _ => refuse("is neither http nor https"),
    }
}

fn is_local(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

pub(super) fn read_secret(reader: &Reader<'_>) -> Option<SecretReference> {
    let variable = reader.optional_text("api_key_env", "the name of an environment variable");
    let file = reader.optional_text("api_key_file", "the path of a file");
    if variable.is_some() && file.is_some() {
        reader.mistake("api_key_file", "stands beside `api_key_env`", "use one of them");
    }
    variable.map(|name| SecretReference::Environment(name.to_owned())).or_else(|| file.map(|path| SecretReference::File(path.to_owned())))
}

fn read_route(name: &str, reader: Reader<'_>, providers: &BTreeMap<&str, ProviderKind>, registry: &Registry) -> Option<RouteConfig> {
    let parsed_name: Option<RouteName> =
        name.parse().map_err(|error: custody_types::InvalidLabelError| reader.mistake("", error.to_string(), "use a label")).ok();
    let provider_name = reader.text("provider", "the name of a provider");
    let model: Option<ModelName> = reader.parsed("model", "the model's name at the provider");
    let region = reader.optional_parsed::<custody_types::Feature>("region", "a label such as eu-central-1").map(|region| region.text());
    let ceiling: Option<DataClass> = reader.parsed("data_class_ceiling", "public, internal, confidential or restricted");
    let tenants: BTreeSet<TenantId> = reader.list("tenants", "tenant ids").into_iter().collect();
    let provider = provider_name.and_then(|name| providers.get(name).cloned());
    if let (Some(name), None) = (provider_name, &provider) {
        let accepted = format!("use one of {}", providers.keys().copied().collect::<Vec<_>>().join(", "));
        reader.mistake("provider", format!("is `{name}`, which has no usable [providers.{name}]"), accepted);
    }
    let serving = serving::read(&reader, model.as_ref(), target_kind(provider.as_ref(), model.as_ref()), registry);
    let bedrock = match (&provider, &model, ceiling) {
        (Some(ProviderKind::Bedrock(provider)), Some(model), Some(ceiling)) => {
            Some(bedrock::read_call(&reader, provider, model, region.as_ref(), ceiling)?)
        }
        _ => None,
    };
    let region = region.or_else(|| bedrock.as_ref()?.only_region().cloned());
    let scope = if reader.has("tenants") { TenantScope::Only(tenants) } else { TenantScope::All };
    let facts = RouteFacts {
        name: parsed_name.clone()?,
        provider: provider.as_ref()?.as_str().to_owned(),
        model: model.clone()?,
        region: region.as_deref().map(str::to_owned),
        data_class_ceiling: ceiling?,
        tenants: scope,
    };
    let policy = PolicyRoute::new(facts).map_err(|error| reader.mistake("", error.to_string(), "use plain labels")).ok()?;
    reader.finish();
    Some(RouteConfig {
        name: parsed_name?,
        provider_name: provider_name?.into(),
        provider: provider?,
        model: model?,
        region,
        data_class_ceiling: ceiling?,
        bedrock,
        serving,
        policy,
    })
}

fn target_kind(provider: Option<&ProviderKind>, model: Option<&ModelName>) -> Option<TargetKind> {
    let bedrock = matches!(provider?, ProviderKind::Bedrock(_));
    if bedrock { Some(Target::parse(model?.as_str()).ok()?.kind) } else { None }
}
