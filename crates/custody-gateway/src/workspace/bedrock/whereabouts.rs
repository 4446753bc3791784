//! Where a route's model may run and what prices it: as the route says, and as AWS says where it is asked.
//!
//! ```text
//! target                model behind it                 where it runs                     geography of its price
//! model, custom, …      its name, or `priced_as`        the Region that is called         none
//! system profile        its name                        stated, or AWS                    its name
//! application profile   stated, or AWS                  stated, or AWS                    stated, or that of the Regions
//! prompt router         stated; each answer tells       stated                            stated, or that of the Regions
//! ```
//! What is stated must agree with what AWS says. `priced_as` is the last word on the price: beside it no geography counts.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use custody_model::bedrock::{ProfileFacts, Reach, Target, TargetKind};
use custody_types::{ModelName, Text};

/// What a route says of its target.
#[derive(Debug, Clone)]
pub struct Stated {
    /// The route's `model`.
    pub(super) name: ModelName,
    /// What that is.
    pub(super) target: Target,
    /// The Region that is called.
    pub(super) called: Text,
    /// `priced_as`.
    pub(super) price: Option<ModelName>,
    /// `inference_profile.model`.
    pub(super) model: Option<ModelName>,
    /// `inference_profile.regions`; empty where there are none.
    pub(super) regions: Vec<Text>,
    /// `inference_profile.geography`.
    pub(super) geography: Option<Text>,
    /// `region`.
    pub(super) region: Option<Text>,
    /// `allowed_regions`.
    pub(super) allowed: Option<Vec<Text>>,
}

/// Where the model may run, and what prices it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Whereabouts {
    /// The Regions where it may run; empty where they are not known or not named.
    pub runs_in: Vec<Text>,
    /// The model that prices a call, where the route's own name is not it.
    pub priced_as: Option<ModelName>,
    /// The geography that prices a call, where the model's name does not say it.
    pub geography: Option<Text>,
    /// Whether the provider chooses the model: only then does its answer tell which one is priced.
    pub is_router: bool,
}

/// Something that a route says and that can't be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub(crate) key: &'static str,
    pub(crate) problem: String,
    pub(crate) accepted: &'static str,
}

/// A profile that AWS is to be asked about before the route may be used.
#[derive(Debug, Clone)]
pub struct AskedProfile {
    pub(crate) stated: Stated,
    usable: Arc<AtomicBool>,
}

impl Whereabouts {
    /// The model that prices a call of the route's `model`, and the geography where that model's name does not say it: the one that a
    /// router says it `invoked`, else the one behind the profile, else the route's. A router names a profile by the profile's own id.
    pub(crate) fn priced(&self, model: &ModelName, invoked: Option<&str>) -> (ModelName, Option<Text>) {
        let invoked = invoked.filter(|_| self.is_router).and_then(|name| Target::parse(name).ok());
        if let Some(invoked) = invoked
            && let Some(chosen) = invoked.priced_name().and_then(|name| name.parse().ok())
        {
            let tells_no_place = invoked.geography.is_none() && invoked.region.is_none();
            return (chosen, self.geography.clone().filter(|_| tells_no_place));
        }
        (self.priced_as.clone().unwrap_or_else(|| model.clone()), self.geography.clone())
    }
}

impl AskedProfile {
    pub(super) fn new(stated: Stated) -> Self {
        Self { stated, usable: Arc::new(AtomicBool::new(false)) }
    }

    /// Whether AWS's last answer agrees with the route.
    pub(crate) fn is_usable(&self) -> bool {
        self.usable.load(Ordering::Acquire)
    }

    pub(crate) fn set_usable(&self, usable: bool) {
        self.usable.store(usable, Ordering::Release);
    }
}

impl Stated {
    /// Whether only AWS can tell the model or the Regions.
    pub(super) fn leaves_open(&self) -> bool {
        let model = self.model.is_some() || self.target.model.is_some();
        self.target.is_inference_profile() && (!model || self.regions.is_empty())
    }

    /// What holds, by what the route says and, where it was asked, by what AWS told.
    ///
    /// # Errors
    /// Everything that can't be.
    pub(crate) fn settle(&self, told: Option<&ProfileFacts>) -> Result<Whereabouts, Vec<Problem>> {
        let mut problems: Vec<Problem> = told.map(|told| self.disagreements(told)).unwrap_or_default();
        let runs_in = self.runs_in(told);
        problems.extend(self.region_problem(&runs_in));
        problems.extend(self.residency_problems(&runs_in));
        let reach = told.map_or_else(|| Reach::of(runs_in.iter().map(AsRef::as_ref)), ProfileFacts::reach);
        let geography = self.price_geography(reach).map_err(|problem| problems.push(problem)).unwrap_or_default();
        let behind = self.model.clone().or_else(|| told.map(|told| told.model.clone()).filter(|_| self.target.model.is_none()));
        let named = || self.target.priced_name().filter(|name| name != self.name.as_str()).and_then(|name| name.parse().ok());
        let priced_as = self.price.clone().or(behind).or_else(named);
        if problems.is_empty() {
            Ok(Whereabouts { runs_in, priced_as, geography, is_router: self.target.kind == TargetKind::PromptRouter })
        } else {
            Err(problems)
        }
    }

    fn runs_in(&self, told: Option<&ProfileFacts>) -> Vec<Text> {
        match told {
            _ if !self.target.may_roam() => vec![self.called.clone()],
            Some(told) => told.runs_in(),
            None => self.regions.clone(),
        }
    }

    fn disagreements(&self, told: &ProfileFacts) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let Some(model) = self.model.as_ref().filter(|model| **model != told.model) {
            let problem = format!("is `{model}`, and AWS says `{}`", told.model);
            problems.push(Problem { key: "inference_profile.model", problem, accepted: "use what AWS says, or leave it out" });
        }
        if let Some(model) = self.target.model.as_deref().filter(|model| *model != told.model.as_str()) {
            let problem = format!("names `{model}`, and AWS says that `{}` is behind it", told.model);
            problems.push(Problem { key: "model", problem, accepted: "use the profile of the model that is meant" });
        }
        let stated: BTreeSet<&Text> = self.regions.iter().collect();
        if !stated.is_empty() && (told.anywhere || stated != told.regions.iter().collect()) {
            let problem = format!("are {}, and AWS says {}", self.regions.join(", "), shown(told));
            problems.push(Problem { key: "inference_profile.regions", problem, accepted: "list what AWS says, or leave them out" });
        }
        problems
    }

    /// Policies read a route's `region`; it must not promise what the target does not keep.
    fn region_problem(&self, runs_in: &[Text]) -> Option<Problem> {
        let stated = self.region.as_ref()?;
        if runs_in.is_empty() {
            let accepted =
                "list the profile's Regions as inference_profile.regions, set lookup_profiles on the provider, or leave `region` out";
            return Some(Problem { key: "region", problem: format!("is `{stated}`, and the profile may run elsewhere"), accepted });
        }
        let accepted = "leave `region` out, or use a target that stays there";
        let problem = || format!("is `{stated}`, and the model may run in {}", runs_in.join(", "));
        runs_in.iter().any(|region| region != stated).then(|| Problem { key: "region", problem: problem(), accepted })
    }

    /// What can't be known to stay is refused.
    fn residency_problems(&self, runs_in: &[Text]) -> Vec<Problem> {
        let Some(allowed) = &self.allowed else { return Vec::new() };
        let key = "allowed_regions";
        if runs_in.is_empty() {
            let accepted = "list the profile's Regions as inference_profile.regions, set lookup_profiles on the provider, or use a model of one Region";
            return vec![Problem { key, problem: "is stated, and where the profile runs is not".to_owned(), accepted }];
        }
        let outside = runs_in.iter().filter(|region| !allowed.contains(region));
        let problem = |region| format!("does not hold {region}, where the model may run");
        outside.map(|region| Problem { key, problem: problem(region), accepted: "use a target that stays inside" }).collect()
    }

    /// The geography that prices a call.
    fn price_geography(&self, reach: Reach) -> Result<Option<Text>, Problem> {
        let key = "inference_profile.geography";
        if self.target.kind == TargetKind::SystemProfile {
            if self.geography.is_some() {
                let problem = "stands beside a system profile, whose name says it".to_owned();
                return Err(Problem { key, problem, accepted: "remove it" });
            }
            let named = self.target.geography.as_deref().filter(|_| self.model.is_some() && self.price.is_none());
            return Ok(named.map(Text::from));
        }
        if let Some(stated) = self.geography.as_ref().filter(|stated| !reach.allows(stated)) {
            let problem = format!("is `{stated}`, and the profile's Regions make another, or none");
            return Err(Problem { key, problem, accepted: "leave it out" });
        }
        match (reach, &self.geography) {
            _ if self.price.is_some() || !self.target.may_roam() => Ok(None),
            (_, Some(stated)) => Ok(Some(stated.clone())),
            (Reach::Within(geography), None) => Ok(Some(Text::from(geography))),
            (Reach::Unknown | Reach::OneRegion, None) => Ok(None),
            (Reach::Mixed, None) => {
                let problem = "is missing: no geography holds all of the profile's Regions".to_owned();
                Err(Problem { key, problem, accepted: "state the geography whose prices hold, or `priced_as`" })
            }
        }
    }
}

/// The Regions that AWS tells, in words.
pub(crate) fn shown(told: &ProfileFacts) -> String {
    if told.anywhere { "any Region".to_owned() } else { told.runs_in().join(", ") }
}
