//! Bedrock in `custody.toml`: a Region that is called, and what a route adds to its calls.
//!
//! What a target's name does not tell, the operator states: the model that prices it and the Regions it may run in. A route that
//! must stay in certain Regions is refused where that can't be known (REFERENCE 2).

use custody_config::Reader;
use custody_dialect::{LatencyMode, ServiceTier};
use custody_model::bedrock::{BedrockRoute, Guardrail, GuardrailStream, GuardrailTrace, Target, TargetKind};
use custody_types::{DataClass, Feature, ModelName, Text};

use super::routes::read_url;

/// A Region's Bedrock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BedrockProvider {
    /// The Region that is called.
    pub region: Text,
    /// Another address than the Region's own.
    pub endpoint_url: Option<String>,
    /// The profile of the AWS configuration that credentials come from.
    pub profile: Option<String>,
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
    /// The model that prices a call, where the route's own name is not it.
    pub priced_as: Option<ModelName>,
    /// The Regions where the model may run; empty where nobody stated them.
    pub runs_in: Vec<Text>,
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

    /// Whether streamed text goes out before the guardrail has seen it.
    #[must_use]
    pub fn shows_before_it_checks(&self) -> bool {
        self.guardrail.as_ref().is_some_and(|guardrail| guardrail.stream == GuardrailStream::Async)
    }
}

pub(super) fn read_provider(reader: &Reader<'_>) -> Option<BedrockProvider> {
    let region = read_region(reader);
    let profile = reader.optional_text("profile", "the name of a profile of the AWS configuration").map(str::to_owned);
    let meaning = "an https URL, or an http URL on this machine";
    let endpoint_url = if reader.has("endpoint_url") { Some(read_url(reader, "endpoint_url", meaning)?) } else { None };
    Some(BedrockProvider { region: region?, endpoint_url, profile })
}

fn read_region(reader: &Reader<'_>) -> Option<Text> {
    let meaning = "a Region such as eu-central-1";
    let region = reader.text("region", meaning)?;
    if !region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
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
    let stated_price = reader.optional_parsed::<ModelName>("priced_as", "a model of the price book");
    let profile = reader.section("inference_profile");
    let behind = profile.optional_parsed::<ModelName>("model", "the model behind the profile");
    let listed = regions(&profile, "regions");
    profile.finish();
    let allowed = regions(reader, "allowed_regions");
    let target = target?;
    if reader.has("inference_profile") && !target.may_roam() {
        reader.mistake("inference_profile", "stands beside a model that is no profile", "remove it, or name the profile in `model`");
    }
    let runs_in = if target.may_roam() { listed } else { vec![provider.region.clone()] };
    check_region(reader, provider, &target, stated, &runs_in);
    check_residency(reader, &runs_in, &allowed);
    let known = target.model.filter(|known| known != model.as_str() && target.kind != TargetKind::SystemProfile);
    let priced_as = stated_price.or(behind).or_else(|| known.and_then(|known| known.parse().ok()));
    Some(BedrockCall { guardrail, service_tier, latency, extra, called_region: provider.region.clone(), priced_as, runs_in })
}

fn regions(reader: &Reader<'_>, key: &'static str) -> Vec<Text> {
    reader.list::<Feature>(key, "Regions such as eu-central-1").into_iter().map(|region| region.text()).collect()
}

/// Policies read a route's `region`; it must not promise what the target does not keep.
fn check_region(reader: &Reader<'_>, provider: &BedrockProvider, target: &Target, stated: Option<&Text>, runs_in: &[Text]) {
    if let Some(region) = target.region.as_deref().filter(|region| *region != &*provider.region) {
        let accepted = format!("use a provider of {region}");
        reader.mistake("model", format!("is in {region}, and the provider calls {}", provider.region), accepted);
    }
    let Some(stated) = stated else { return };
    if runs_in.is_empty() {
        let accepted = "list the profile's Regions as inference_profile.regions, or leave `region` out";
        reader.mistake("region", format!("is `{stated}`, and the profile may run elsewhere"), accepted);
    } else if runs_in.iter().any(|region| region != stated) {
        let accepted = "leave `region` out, or use a target that stays there";
        reader.mistake("region", format!("is `{stated}`, and the model may run in {}", runs_in.join(", ")), accepted);
    }
}

/// What can't be known to stay is refused.
fn check_residency(reader: &Reader<'_>, runs_in: &[Text], allowed: &[Text]) {
    if !reader.has("allowed_regions") {
        return;
    }
    if runs_in.is_empty() {
        let accepted = "list the profile's Regions as inference_profile.regions, or use a model of one Region";
        return reader.mistake("allowed_regions", "is stated, and where the profile runs is not", accepted);
    }
    for region in runs_in.iter().filter(|region| !allowed.contains(region)) {
        reader.mistake("allowed_regions", format!("does not hold {region}, where the model may run"), "use a target that stays inside");
    }
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
