//! Bedrock in `custody.toml`: a Region that is called, and what a route adds to its calls.
//!
//! What a target's name does not tell, the operator states or lets AWS be asked for: the model that prices it and the Regions it may
//! run in. A route that must stay in certain Regions is refused where that can't be known (REFERENCE 2).

mod whereabouts;

use std::time::Duration;

use custody_config::Reader;
use custody_dialect::{LatencyMode, ServiceTier};
use custody_model::bedrock::{BedrockRoute, Guardrail, GuardrailStream, GuardrailTrace, Target};
use custody_types::{DataClass, Feature, GEOGRAPHIES, ModelName, Text, is_geography, is_region};

pub(crate) use self::whereabouts::shown;
pub use self::whereabouts::{AskedProfile, Problem, Stated, Whereabouts};
use super::routes::read_url;

/// A profile seldom changes; AWS allows few such questions a second.
const USUAL_LOOKUP: u64 = 3_600;

/// A Region's Bedrock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BedrockProvider {
    /// The Region that is called.
    pub region: Text,
    /// Another address than the Region's own.
    pub endpoint_url: Option<String>,
    /// The profile of the AWS configuration that credentials come from.
    pub profile: Option<String>,
    /// How AWS is asked about inference profiles, where it may be.
    pub lookup: Option<Lookup>,
}

/// How AWS is asked about inference profiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// Another address than the Region's own.
    pub control_endpoint_url: Option<String>,
    /// How often it is asked again.
    pub every: Duration,
}

/// What a route adds to its calls, and what is known of its target.
#[derive(Debug, Clone)]
pub struct BedrockCall {
    /// The guardrail around the model.
    pub guardrail: Option<Guardrail>,
    /// The price class of every call.
    pub service_tier: Option<ServiceTier>,
    /// The speed of every call.
    pub latency: Option<LatencyMode>,
    /// Fields of the model's own, a JSON object.
    pub extra: Option<Box<serde_json::value::RawValue>>,
    /// The Region that is called.
    pub called_region: Text,
    /// Where the model may run, and what prices it.
    pub whereabouts: Whereabouts,
    /// What AWS is asked about, where the route leaves it open and the provider may be asked.
    pub asked: Option<AskedProfile>,
}

impl BedrockCall {
    /// What the adapter sends with each call.
    #[must_use]
    pub fn additions(&self) -> BedrockRoute {
        BedrockRoute {
            guardrail: self.guardrail.clone(),
            service_tier: self.service_tier,
            latency: self.latency,
            extra: self.extra.clone(),
        }
    }

    /// The Region where the model runs, where that is one.
    #[must_use]
    pub fn only_region(&self) -> Option<&Text> {
        if let [region] = self.whereabouts.runs_in.as_slice() { Some(region) } else { None }
    }

    /// Whether streamed text goes out before the guardrail has seen it.
    #[must_use]
    pub fn shows_before_it_checks(&self) -> bool {
        self.guardrail.as_ref().is_some_and(|guardrail| guardrail.stream == GuardrailStream::Async)
    }
}

pub(super) fn read_provider(reader: &Reader<'_>) -> Option<BedrockProvider> {
    let region = read_region(reader);
    let profile = reader.optional_text("profile", "the name of a profile of the AWS configuration").map(str::to_owned);
    let endpoint_url = read_endpoint(reader, "endpoint_url");
    let lookup = read_lookup(reader);
    Some(BedrockProvider { region: region?, endpoint_url: endpoint_url?, profile, lookup: lookup? })
}

/// The inner nothing: not stated; the outer: a mistake.
fn read_endpoint(reader: &Reader<'_>, key: &'static str) -> Option<Option<String>> {
    let meaning = "an https URL, or an http URL on this machine";
    if reader.has(key) { read_url(reader, key, meaning).map(Some) } else { Some(None) }
}

fn read_lookup(reader: &Reader<'_>) -> Option<Option<Lookup>> {
    let asks = reader.flag("lookup_profiles", false);
    let control_endpoint_url = read_endpoint(reader, "control_endpoint_url");
    let seconds = reader.number("lookup_every_s", 1..=86_400, USUAL_LOOKUP);
    if !asks {
        let alone = ["control_endpoint_url", "lookup_every_s"].into_iter().filter(|key| reader.has(key));
        alone.for_each(|key| reader.mistake(key, "stands without `lookup_profiles = true`", "allow the look-up, or remove it"));
        return Some(None);
    }
    Some(Some(Lookup { control_endpoint_url: control_endpoint_url?, every: Duration::from_secs(seconds) }))
}

fn read_region(reader: &Reader<'_>) -> Option<Text> {
    let meaning = "a Region such as eu-central-1";
    let region = reader.text("region", meaning)?;
    if !is_region(region) {
        reader.mistake("region", format!("is `{region}`"), format!("use {meaning}"));
        return None;
    }
    Some(region.into())
}

/// Reads a route's own keys. `stated` is where the route says its model runs.
pub(super) fn read_call(
    reader: &Reader<'_>,
    provider: &BedrockProvider,
    model: &ModelName,
    stated: Option<&Text>,
    ceiling: DataClass,
) -> Option<BedrockCall> {
    let target = Target::parse(model.as_str()).map_err(|error| reader.mistake("model", error.to_string(), "use another target")).ok();
    let guardrail = read_guardrail(reader, ceiling);
    let tiers = ServiceTier::ALL.map(|tier| (tier.as_str(), tier));
    let service_tier = choice(reader, "service_tier", &tiers);
    let latency = choice(reader, "latency", &LatencyMode::ALL.map(|mode| (mode.as_str(), mode)));
    let extra = read_extra(reader);
    let called_region = provider.region.clone();
    let stated = read_stated(reader, target, called_region.clone(), model, stated.cloned())?;
    let (whereabouts, asked) = if provider.lookup.is_some() && stated.leaves_open() {
        (Whereabouts::default(), Some(AskedProfile::new(stated)))
    } else {
        let settled = stated.settle(None);
        let told = |problem: Problem| reader.mistake(problem.key, problem.problem, problem.accepted);
        (settled.map_err(|problems| problems.into_iter().for_each(told)).unwrap_or_default(), None)
    };
    Some(BedrockCall { guardrail, service_tier, latency, extra, called_region, whereabouts, asked })
}

/// What the route says of its target. Policies and prices ask for it, so a target in another Region than the provider's is refused.
fn read_stated(reader: &Reader<'_>, target: Option<Target>, called: Text, name: &ModelName, region: Option<Text>) -> Option<Stated> {
    let price = reader.optional_parsed::<ModelName>("priced_as", "a model of the price book");
    let profile = reader.section("inference_profile");
    let model = profile.optional_parsed::<ModelName>("model", "the model behind the profile");
    let regions = read_regions(&profile, "regions");
    let geography = read_geography(&profile);
    profile.finish();
    let allowed = read_regions(reader, "allowed_regions");
    let allowed = reader.has("allowed_regions").then_some(allowed);
    let target = target?;
    if reader.has("inference_profile") && !target.may_roam() {
        reader.mistake("inference_profile", "stands beside a model that is no profile", "remove it, or name the profile in `model`");
    }
    if let Some(other) = target.region.as_deref().filter(|other| *other != &*called) {
        reader.mistake("model", format!("is in {other}, and the provider calls {called}"), format!("use a provider of {other}"));
    }
    Some(Stated { name: name.clone(), target, called, price, model, regions, geography, region, allowed })
}

fn read_geography(profile: &Reader<'_>) -> Option<Text> {
    let names = GEOGRAPHIES.join(", ");
    let text = profile.optional_text("geography", &names)?;
    if !is_geography(text) {
        profile.mistake("geography", format!("is `{text}`"), format!("use one of {names}"));
    }
    Some(Text::from(text))
}

fn read_regions(reader: &Reader<'_>, key: &'static str) -> Vec<Text> {
    reader.list::<Feature>(key, "Regions such as eu-central-1").into_iter().map(|region| region.text()).collect()
}

fn read_guardrail(reader: &Reader<'_>, ceiling: DataClass) -> Option<Guardrail> {
    let version = reader.optional_text("guardrail_version", "a guardrail's version");
    let trace = choice(reader, "guardrail_trace", &GuardrailTrace::ALL.map(|trace| (trace.as_str(), trace)));
    let stream = choice(reader, "guardrail_stream", &GuardrailStream::ALL.map(|stream| (stream.as_str(), stream)));
    let Some(id) = reader.optional_text("guardrail_id", "a guardrail's id or ARN") else {
        let alone = ["guardrail_version", "guardrail_trace", "guardrail_stream"].into_iter().filter(|key| reader.has(key));
        alone.for_each(|key| reader.mistake(key, "stands without `guardrail_id`", "name the guardrail, or remove it"));
        return None;
    };
    let Some(version) = version else {
        reader.mistake("guardrail_version", "is missing", "use a number such as 1, or DRAFT");
        return None;
    };
    let guardrail =
        Guardrail { id: id.to_owned(), version: version.to_owned(), trace: trace.unwrap_or_default(), stream: stream.unwrap_or_default() };
    if let Some(problem) = guardrail.mistake() {
        reader.mistake("guardrail_id", problem, "use an id such as gr1abc2def3 and a version such as 1");
    }
    if guardrail.stream == GuardrailStream::Async && ceiling == DataClass::Restricted {
        reader.mistake("guardrail_stream", "is `async`, which can't mask, on a route for restricted data", "use sync");
    }
    Some(guardrail)
}

fn choice<T: Copy>(reader: &Reader<'_>, key: &'static str, accepted: &[(&str, T)]) -> Option<T> {
    let names = accepted.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let text = reader.optional_text(key, &names)?;
    let found = accepted.iter().find(|(name, _)| *name == text).map(|(_, choice)| *choice);
    if found.is_none() {
        reader.mistake(key, format!("is `{text}`"), format!("use one of {names}"));
    }
    found
}

fn read_extra(reader: &Reader<'_>) -> Option<Box<serde_json::value::RawValue>> {
    let meaning = "a JSON object in a string, such as '{\"top_k\": 40}'";
    let text = reader.optional_text("extra", meaning)?.trim();
    let object = serde_json::from_str::<Box<serde_json::value::RawValue>>(text).ok().filter(|json| json.get().starts_with('{'));
    if object.is_none() {
        reader.mistake("extra", "is no JSON object", format!("use {meaning}"));
    }
    object
}

#[cfg(test)]
mod tests;
