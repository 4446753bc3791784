//! What a route calls at Bedrock, as far as its name tells.
//!
//! ```text
//! name                                            kind                model    where it runs
//! anthropic.claude-…                              model               known    the Region that is called
//! eu.anthropic.claude-… (us., apac., global., …)  system profile      known    any of several Regions
//! arn:…:foundation-model/anthropic.claude-…       model               known    its Region
//! arn:…:inference-profile/eu.anthropic.claude-…   system profile      known    any of several Regions
//! arn:…:application-inference-profile/…           application profile unknown  one Region or several
//! arn:…:provisioned-model/…                       provisioned         unknown  its Region
//! arn:…:custom-model/…, …:custom-model-deployment/… custom            unknown  its Region
//! arn:…:prompt-router/…, …:default-prompt-router/…  prompt router     unknown  one Region or several
//! arn:…:sagemaker:…:endpoint/…                    endpoint            unknown  its Region
//! ```
//! What is unknown the operator states: the model that prices it, and the Regions it may run in (REFERENCE 2). An imported model
//! does not speak Converse, and a managed prompt takes no system text, which every prompt of the registry is.

use custody_types::split_profile_id;

/// What is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What it is.
    pub kind: TargetKind,
    /// The model behind it, where its name tells.
    pub model: Option<String>,
    /// The geography that a system profile's id begins with.
    pub geography: Option<String>,
    /// The Region in its ARN.
    pub region: Option<String>,
}

/// What a name names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// A model in one Region.
    Model,
    /// A profile of AWS over several Regions.
    SystemProfile,
    /// A profile of the account.
    ApplicationProfile,
    /// Bought capacity.
    Provisioned,
    /// A customised model.
    Custom,
    /// A router that chooses the model.
    PromptRouter,
    /// An endpoint of the marketplace.
    Endpoint,
}

/// A name that can't be called by Converse here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownTargetError {
    /// An imported model.
    #[error("names an imported model, which Converse does not serve")]
    Imported,
    /// A managed prompt.
    #[error("names a managed prompt, which takes no system text; the prompt of a capability stands in its own file")]
    Prompt,
    /// Something else.
    #[error("is no ARN of a model, profile, router or endpoint")]
    Other,
}

impl Target {
    /// Reads a model id or an ARN.
    ///
    /// # Errors
    /// What can't be called.
    pub fn parse(name: &str) -> Result<Self, UnknownTargetError> {
        if !name.starts_with("arn:") {
            return Ok(Self::of_id(name, None));
        }
        let mut fields = name.splitn(6, ':').skip(2);
        let (service, region, _account, resource) = (fields.next(), fields.next(), fields.next(), fields.next());
        let (kind, id) = resource.and_then(|resource| resource.split_once('/')).ok_or(UnknownTargetError::Other)?;
        let region = region.filter(|region| !region.is_empty());
        let opaque = |kind| Ok(Self { kind, model: None, geography: None, region: region.map(str::to_owned) });
        match (service, kind) {
            (Some("bedrock"), "foundation-model" | "inference-profile") => Ok(Self::of_id(id, region)),
            (Some("bedrock"), "application-inference-profile") => opaque(TargetKind::ApplicationProfile),
            (Some("bedrock"), "provisioned-model") => opaque(TargetKind::Provisioned),
            (Some("bedrock"), "custom-model" | "custom-model-deployment") => opaque(TargetKind::Custom),
            (Some("bedrock"), "prompt-router" | "default-prompt-router") => opaque(TargetKind::PromptRouter),
            (Some("sagemaker"), "endpoint") => opaque(TargetKind::Endpoint),
            (Some("bedrock"), "imported-model") => Err(UnknownTargetError::Imported),
            (Some("bedrock"), "prompt") => Err(UnknownTargetError::Prompt),
            _ => Err(UnknownTargetError::Other),
        }
    }

    fn of_id(id: &str, region: Option<&str>) -> Self {
        let behind = split_profile_id(id);
        let (kind, model) = behind.map_or((TargetKind::Model, id), |(_, model)| (TargetKind::SystemProfile, model));
        let geography = behind.map(|(geography, _)| geography.to_owned());
        Self { kind, model: Some(model.to_owned()), geography, region: region.map(str::to_owned) }
    }

    /// The name under which it has a price: a system profile's id, without the ARN around it, or the model's.
    #[must_use]
    pub fn priced_name(&self) -> Option<String> {
        let model = self.model.as_ref()?;
        Some(self.geography.as_ref().map_or_else(|| model.clone(), |geography| format!("{geography}.{model}")))
    }

    /// Whether AWS can be asked where it runs (`GetInferenceProfile`).
    #[must_use]
    pub const fn is_inference_profile(&self) -> bool {
        matches!(self.kind, TargetKind::SystemProfile | TargetKind::ApplicationProfile)
    }

    /// Whether it may run in Regions that its name does not tell.
    #[must_use]
    pub const fn may_roam(&self) -> bool {
        matches!(self.kind, TargetKind::SystemProfile | TargetKind::ApplicationProfile | TargetKind::PromptRouter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_what_it_can() {
        let arn = |rest: &str| format!("arn:aws:bedrock:eu-central-1:123456789012:{rest}");
        let cases = [
            ("anthropic.claude-x-v1:0".to_owned(), TargetKind::Model, Some("anthropic.claude-x-v1:0"), None),
            ("eu.anthropic.claude-x-v1:0".to_owned(), TargetKind::SystemProfile, Some("anthropic.claude-x-v1:0"), None),
            ("us-gov.meta.llama".to_owned(), TargetKind::SystemProfile, Some("meta.llama"), None),
            ("us.model".to_owned(), TargetKind::Model, Some("us.model"), None),
            (arn("inference-profile/global.anthropic.c"), TargetKind::SystemProfile, Some("anthropic.c"), Some("eu-central-1")),
            (arn("application-inference-profile/ab12"), TargetKind::ApplicationProfile, None, Some("eu-central-1")),
            (arn("provisioned-model/ab12"), TargetKind::Provisioned, None, Some("eu-central-1")),
            (arn("default-prompt-router/anthropic.claude:1"), TargetKind::PromptRouter, None, Some("eu-central-1")),
            ("arn:aws:bedrock:us-east-1::foundation-model/a.b".to_owned(), TargetKind::Model, Some("a.b"), Some("us-east-1")),
            ("arn:aws:sagemaker:us-east-1:1:endpoint/x".to_owned(), TargetKind::Endpoint, None, Some("us-east-1")),
        ];
        for (name, kind, model, region) in cases {
            let target = Target::parse(&name).unwrap();
            assert_eq!((target.kind, target.model.as_deref(), target.region.as_deref()), (kind, model, region), "{name}");
        }
        let priced = |name: &str| Target::parse(name).unwrap().priced_name();
        assert_eq!(priced(&arn("inference-profile/eu.anthropic.c")).as_deref(), Some("eu.anthropic.c"));
        assert_eq!(priced("anthropic.c").as_deref(), Some("anthropic.c"));
        assert_eq!(priced(&arn("application-inference-profile/ab12")), None);
        assert_eq!(Target::parse(&arn("imported-model/x")), Err(UnknownTargetError::Imported));
        assert_eq!(Target::parse(&arn("prompt/x")), Err(UnknownTargetError::Prompt));
        assert_eq!(Target::parse("arn:aws:s3:::bucket"), Err(UnknownTargetError::Other));
    }
}
