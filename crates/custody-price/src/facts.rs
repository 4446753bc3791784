//! What a price depends on beside the counts.

use custody_types::{ModelName, Text, Timestamp, split_profile_id};

use crate::{class::ServiceTier, provider::Provider};

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
        let (geography, model) = split_profile_id(self.model.as_str())?;
        model.parse().ok().map(|model| (geography, model))
    }

    /// The id of the system profile that reaches the same Regions, where the model's own name does not say it.
    pub(crate) fn profile_id(&self) -> Option<ModelName> {
        if self.provider != Provider::Bedrock || split_profile_id(self.model.as_str()).is_some() {
            return None;
        }
        format!("{}.{}", self.geography.as_deref()?, self.model).parse().ok()
    }
}
