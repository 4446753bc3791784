//! What a price depends on beside the counts.

use custody_types::{ModelName, Text, Timestamp};

use crate::{class::ServiceTier, provider::Provider};

/// Geographies that Bedrock's system profiles put before a model's name. `global` may run anywhere.
const GEOGRAPHIES: [&str; 10] = ["us", "us-gov", "eu", "apac", "jp", "au", "ca", "in", "sa", "global"];

/// The facts of one request that choose its prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Who serves the model.
    pub provider: Provider,
    /// The model as it was asked for; on Bedrock also a profile's id, such as `eu.some.model`.
    pub model: ModelName,
    /// When it was asked.
    pub at: Timestamp,
    /// The Region that was called.
    pub region: Option<Text>,
    /// The geography of the cross-Region profile, where the model's name does not say it.
    pub geography: Option<Text>,
    /// What the provider prices apart under one model name: an endpoint, a commitment, a picture's size.
    pub variant: Option<Text>,
    /// The tier that answered, which may be another than was asked for.
    pub service: ServiceTier,
}

impl Facts {
    /// A request on demand, of which nothing special is known.
    #[must_use]
    pub const fn on_demand(provider: Provider, model: ModelName, at: Timestamp) -> Self {
        Self { provider, model, at, region: None, geography: None, variant: None, service: ServiceTier::Standard }
    }

    /// The geography of a profile's id and the model behind it; only Bedrock names profiles so.
    pub(crate) fn profile(&self) -> Option<(&str, ModelName)> {
        if self.provider != Provider::Bedrock {
            return None;
        }
        let (geography, model) = self.model.as_str().split_once('.')?;
        is_geography(geography).then(|| model.parse().ok().map(|model| (geography, model)))?
    }
}

pub(crate) fn is_geography(name: &str) -> bool {
    GEOGRAPHIES.contains(&name)
}
