//! What AWS says is behind an inference profile, and which geography its Regions make.
//!
//! ```text
//! models[].modelArn   arn:aws:bedrock:eu-central-1::foundation-model/maker.model    runs in eu-central-1
//!                     arn:aws:bedrock:eu-west-1::foundation-model/maker.model       and in eu-west-1; the model must be the same
//!                     arn:aws:bedrock:::foundation-model/maker.model                and anywhere (a `global` profile)
//! ```

use std::collections::BTreeSet;

use custody_types::{ModelName, Text, is_region};

use super::{LookUpError, Target, TargetKind};

/// A profile holds five models at most; one answer more is no profile.
const MAX_MODELS: usize = 5;

/// The model behind a profile, and where it may run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileFacts {
    /// The model.
    pub model: ModelName,
    /// The Regions that are named.
    pub regions: BTreeSet<Text>,
    /// Whether it may also run in Regions that are not named.
    pub anywhere: bool,
}

/// How far a set of Regions reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Nothing is known of it.
    Unknown,
    /// One Region: nothing leaves it.
    OneRegion,
    /// Several Regions of one geography, or `global`.
    Within(&'static str),
    /// Several Regions that no geography holds for sure.
    Mixed,
}

/// Geographies by how their Regions' names begin. Three are told by their Regions
/// alone, before the wider one that holds them too.
const BY_REGION: [(&str, &[&str]); 9] = [
    ("jp", &["ap-northeast-1", "ap-northeast-3"]),
    ("au", &["ap-southeast-2", "ap-southeast-4"]),
    ("in", &["ap-south-1", "ap-south-2"]),
    ("us-gov", &["us-gov-"]),
    ("us", &["us-east-", "us-west-"]),
    ("eu", &["eu-"]),
    ("apac", &["ap-"]),
    ("ca", &["ca-"]),
    ("sa", &["sa-"]),
];

impl ProfileFacts {
    /// Reads the ARNs of `models[]`.
    ///
    /// # Errors
    /// [`LookUpError::Garbage`] where a Region's name can be none: it would stand in the log and in events.
    /// [`LookUpError::NoSingleModel`] where they are none, too many, no models, or not one and the same model.
    pub fn of_models<'a>(arns: impl IntoIterator<Item = &'a str>) -> Result<Self, LookUpError> {
        let mut facts: Option<Self> = None;
        for (place, arn) in arns.into_iter().enumerate() {
            let (model, region) = model_and_region(arn).ok_or(LookUpError::NoSingleModel)?;
            if region.as_deref().is_some_and(|region| !is_region(region)) {
                return Err(LookUpError::Garbage);
            }
            let known = facts.get_or_insert_with(|| Self { model: model.clone(), regions: BTreeSet::new(), anywhere: false });
            if known.model != model || place >= MAX_MODELS {
                return Err(LookUpError::NoSingleModel);
            }
            match region {
                Some(region) => drop(known.regions.insert(region.into())),
                None => known.anywhere = true,
            }
        }
        facts.ok_or(LookUpError::NoSingleModel)
    }

    /// The Regions where it may run; empty where not all of them are known.
    #[must_use]
    pub fn runs_in(&self) -> Vec<Text> {
        if self.anywhere { Vec::new() } else { self.regions.iter().cloned().collect() }
    }

    /// How far it reaches.
    #[must_use]
    pub fn reach(&self) -> Reach {
        if self.anywhere { Reach::Within("global") } else { Reach::of(self.regions.iter().map(AsRef::as_ref)) }
    }
}

/// What a foundation model's ARN names; a Region is told as it stands there.
fn model_and_region(arn: &str) -> Option<(ModelName, Option<String>)> {
    let target = Target::parse(arn).ok().filter(|target| target.kind == TargetKind::Model && arn.starts_with("arn:"))?;
    Some((target.model?.parse().ok()?, target.region))
}

impl Reach {
    /// How far these Regions reach.
    #[must_use]
    pub fn of<'a>(regions: impl IntoIterator<Item = &'a str>) -> Self {
        let regions: BTreeSet<&str> = regions.into_iter().collect();
        match regions.len() {
            0 => Self::Unknown,
            1 => Self::OneRegion,
            _ => {
                let holds = |names: &[&str]| regions.iter().all(|region| names.iter().any(|name| region.starts_with(name)));
                let found = BY_REGION.iter().find(|(_, names)| holds(names));
                found.map_or(Self::Mixed, |(geography, _)| Self::Within(geography))
            }
        }
    }

    /// Whether a geography that an operator states can be this one. Regions in Asia belong to one of their own and to a wider one.
    #[must_use]
    pub fn allows(self, geography: &str) -> bool {
        let wide = |name: &str| if ["jp", "au", "in"].contains(&name) { "apac".to_owned() } else { name.to_owned() };
        match self {
            Self::Unknown | Self::Mixed => true,
            Self::OneRegion => false,
            Self::Within(known) => wide(known) == wide(geography),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arn(region: &str, model: &str) -> String {
        format!("arn:aws:bedrock:{region}::foundation-model/{model}")
    }

    fn read(arns: &[String]) -> Result<ProfileFacts, LookUpError> {
        ProfileFacts::of_models(arns.iter().map(String::as_str))
    }

    #[test]
    fn the_model_is_the_same_in_every_region_or_nothing_is_known() {
        let facts = read(&[arn("eu-west-1", "a.b-v1:0"), arn("eu-central-1", "a.b-v1:0"), arn("eu-west-1", "a.b-v1:0")]).unwrap();
        assert_eq!((facts.model.as_str(), facts.runs_in().join(" ")), ("a.b-v1:0", "eu-central-1 eu-west-1".to_owned()));
        for arns in [
            vec![arn("eu-west-1", "a.b"), arn("eu-central-1", "a.c")],
            Vec::new(),
            vec![arn("eu-west-1", "a.b"); 6],
            vec!["a.b".to_owned()],
            vec!["arn:aws:bedrock:eu-west-1:1:inference-profile/eu.a.b".to_owned()],
            vec![arn("eu-west-1", "")],
        ] {
            assert_eq!(read(&arns), Err(LookUpError::NoSingleModel), "{arns:?}");
        }
    }

    #[test]
    fn what_can_name_no_region_is_garbage() {
        for region in ["eu west 1", "EU-WEST-1", "eu\nERROR forged line", "<b>", &"e".repeat(33), &"e".repeat(60_000)] {
            assert_eq!(read(&[arn("eu-west-1", "a.b"), arn(region, "a.b")]), Err(LookUpError::Garbage), "{region}");
        }
        assert_eq!(read(&[arn(&"e".repeat(32), "a.b")]).unwrap().regions.len(), 1);
    }

    #[test]
    fn a_model_without_a_region_may_run_anywhere() {
        let facts = read(&[arn("eu-central-1", "a.b"), arn("", "a.b")]).unwrap();
        assert_eq!((facts.runs_in().len(), facts.reach()), (0, Reach::Within("global")));
    }

    #[test]
    fn a_stated_geography_is_not_against_the_regions() {
        assert!(Reach::Mixed.allows("us") && Reach::Within("eu").allows("eu") && Reach::Within("jp").allows("apac"));
        assert!(!Reach::OneRegion.allows("eu") && !Reach::Within("global").allows("eu") && !Reach::Within("eu").allows("us"));
    }

    #[test]
    fn regions_make_a_geography_where_one_holds_them_all() {
        for (regions, reach) in [
            (&[][..], Reach::Unknown),
            (&["eu-west-1", "eu-west-1"], Reach::OneRegion),
            (&["eu-west-1", "eu-central-1"], Reach::Within("eu")),
            (&["us-east-1", "us-west-2"], Reach::Within("us")),
            (&["us-gov-east-1", "us-gov-west-1"], Reach::Within("us-gov")),
            (&["ap-northeast-1", "ap-northeast-3"], Reach::Within("jp")),
            (&["ap-southeast-2", "ap-southeast-4"], Reach::Within("au")),
            (&["ap-northeast-1", "ap-southeast-2"], Reach::Within("apac")),
            (&["ca-central-1", "us-east-1"], Reach::Mixed),
            (&["us-east-1", "us-gov-west-1"], Reach::Mixed),
        ] {
            assert_eq!(Reach::of(regions.iter().copied()), reach, "{regions:?}");
        }
    }
}
