//! Capabilities: what callers may ask for (D9), with everything that holds for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use custody_config::{Mistakes, Reader};
use custody_dialect::SensitiveJson;
use custody_policy::{Capability as PolicyCapability, CapabilityFacts, TenantScope};
use custody_types::{CapabilityName, ControlLevel, DataClass, Feature, Handling, PromptId, RouteName, TenantId, Text, Workflow};
use sha2::{Digest, Sha256};
use toml::Table;

use super::{
    BedrockCall, RouteConfig,
    prompt::{PromptVersion, Prompts},
};

/// What a caller may ask for.
#[derive(Debug)]
pub struct Capability {
    /// Its name, which stands in the `model` field of a request.
    pub name: CapabilityName,
    /// Who answers for it (PRN-16).
    pub owner: Text,
    /// How much control it needs (PRN-15).
    pub control_level: ControlLevel,
    /// Its product feature, a cost dimension.
    pub feature: Feature,
    /// Its business workflow, a cost dimension.
    pub workflow: Workflow,
    /// The most sensitive data it may carry.
    pub data_class: DataClass,
    /// What its answers are for (PRN-14).
    pub handling: Handling,
    /// Its prompt.
    pub prompt: PromptVersion,
    /// Routes in order of preference.
    pub routes: Vec<RouteName>,
    /// How answers are checked.
    pub validation: ValidationRule,
    /// Bounds of one request.
    pub limits: Limits,
    /// What becomes of system text that the caller sends.
    pub caller_system: CallerSystem,
    /// The same facts as policies see them.
    pub policy: PolicyCapability,
}

/// How answers are checked before anyone sees them (PATH-12).
#[derive(Debug)]
pub struct ValidationRule {
    /// An answer without text and without tool calls is invalid.
    pub non_empty: bool,
    /// An answer must follow this schema.
    pub schema: Option<OutputSchema>,
    /// What happens to an invalid answer.
    pub on_invalid: OnInvalid,
}

/// A compiled JSON schema and its hash.
#[derive(Debug)]
pub struct OutputSchema {
    /// Compiled once at load.
    pub validator: jsonschema::Validator,
    /// SHA-256 of the schema's text, hex.
    pub hash: Text,
    /// The same schema as the model is asked to follow it; it replaces what the caller asked for.
    pub response_format: Option<SensitiveJson>,
}

/// What happens to an invalid answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnInvalid {
    /// It is not delivered.
    Refuse,
    /// It is delivered, and its record says that it failed.
    Flag,
}

/// Bounds of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most output tokens; also sent when the caller states none.
    pub max_output_tokens: u64,
    /// Most bytes of request body.
    pub max_input_bytes: u64,
}

/// What becomes of system text that the caller sends; it never joins the registry's own system text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerSystem {
    /// It is sent as a user message.
    Demote,
    /// The request is refused.
    Refuse,
}

pub(super) fn read(file: &str, table: &Table, mistakes: &Mistakes, prompts: &Prompts) -> Option<Capability> {
    let reader = Reader::new(file, table, mistakes);
    let name: Option<CapabilityName> = reader.parsed("name", "a label such as support.answer");
    let owner = reader.text("owner", "the team that answers for the capability");
    let control_level: Option<ControlLevel> = reader.parsed("control_level", "internal, customer, regulated or high_control");
    let feature: Option<Feature> = reader.parsed("feature", "a label such as help-centre");
    let workflow: Option<Workflow> = reader.parsed("workflow", "a label such as answer-question");
    let data_class: Option<DataClass> = reader.parsed("data_class", "public, internal, confidential or restricted");
    let handling: Option<Handling> = reader.parsed("handling", "display, human_review or machine_action");
    let scope = read_scope(&reader);
    let routes: Vec<RouteName> = reader.list("routes", "route names from custody.toml");
    if routes.is_empty() {
        reader.mistake("routes", "names no route", "use a list of route names from custody.toml, best first");
    }
    let prompt = read_prompt(&reader.section("prompt"), prompts);
    let validation = read_validation(reader.section("validation"), handling.unwrap_or(Handling::MachineAction));
    let limits = read_limits(reader.section("limits"));
    let caller_system = read_caller_system(&reader);
    let _ = reader.has("scope");
    let facts = CapabilityFacts {
        name: name.clone()?,
        owner: owner?.to_owned(),
        control_level: control_level?,
        data_class: data_class?,
        handling: handling?,
        feature: feature.clone(),
        workflow: workflow.clone(),
        tenants: scope,
    };
    let policy = PolicyCapability::new(facts).map_err(|error| reader.mistake("name", error.to_string(), "use plain labels")).ok()?;
    reader.finish();
    Some(Capability {
        name: name?,
        owner: owner?.into(),
        control_level: control_level?,
        feature: feature?,
        workflow: workflow?,
        data_class: data_class?,
        handling: handling?,
        prompt: prompt?,
        routes,
        validation,
        limits,
        caller_system,
        policy,
    })
}

/// `scope = "all"`, or a list of tenants.
fn read_scope(reader: &Reader<'_>) -> TenantScope {
    if reader.is_text("scope", "all") {
        return TenantScope::All;
    }
    let tenants: BTreeSet<TenantId> = reader.list("scope", "tenant ids").into_iter().collect();
    if tenants.is_empty() {
        reader.mistake("scope", "names no tenant", "use \"all\" or a list of tenant ids");
    }
    TenantScope::Only(tenants)
}

fn read_prompt(reader: &Reader<'_>, prompts: &Prompts) -> Option<PromptVersion> {
    let id: PromptId = reader.parsed("id", "a prompt's id")?;
    let version = reader.number("version", 1..=1_000_000, 0);
    let found = prompts.get(&(id.clone(), version)).cloned();
    if found.is_none() {
        reader.mistake(
            "version",
            format!("names prompt `{id}` version {version}, which does not exist"),
            format!("add prompts/{id}/v{version}.toml"),
        );
    }
    found
}

/// A machine acts on what it gets, so its answers are refused when invalid, whatever is written; people are shown a flag by default.
fn read_validation(reader: Reader<'_>, handling: Handling) -> ValidationRule {
    let non_empty = reader.flag("non_empty", true);
    let schema = reader.optional_text("json_schema", "a JSON schema").and_then(|text| compile(&reader, text));
    let on_invalid = match (handling, reader.optional_text("on_invalid", "refuse or flag")) {
        (Handling::MachineAction, Some("flag")) => {
            reader.mistake("on_invalid", "is `flag`, but a machine acts on the answer", "use refuse");
            OnInvalid::Refuse
        }
        (_, Some("refuse")) | (Handling::MachineAction, None) => OnInvalid::Refuse,
        (_, Some("flag") | None) => OnInvalid::Flag,
        (_, Some(other)) => {
            reader.mistake("on_invalid", format!("is `{other}`"), "use refuse or flag");
            OnInvalid::Refuse
        }
    };
    reader.finish();
    ValidationRule { non_empty, schema, on_invalid }
}

fn compile(reader: &Reader<'_>, text: &str) -> Option<OutputSchema> {
    let refuse = |problem: String| reader.mistake("json_schema", problem, "use a JSON schema of draft 2020-12 without remote references");
    let schema: serde_json::Value = serde_json::from_str(text).map_err(|error| refuse(format!("is not JSON: {error}"))).ok()?;
    let validator = jsonschema::validator_for(&schema).map_err(|error| refuse(format!("does not compile: {error}"))).ok()?;
    let format = serde_json::json!({"type": "json_schema", "json_schema": {"name": "answer", "strict": true, "schema": schema}});
    let response_format = serde_json::value::to_raw_value(&format).ok().map(SensitiveJson::new);
    Some(OutputSchema { validator, hash: Text::from(crate::keyed::hex(&Sha256::digest(text))), response_format })
}

fn read_limits(reader: Reader<'_>) -> Limits {
    let limits = Limits {
        // Long enough for an answer to a customer, short enough that a runaway costs cents.
        max_output_tokens: reader.number("max_output_tokens", 1..=1_000_000, 1024),
        // A long conversation; documents come by retrieval and not in the request.
        max_input_bytes: reader.number("max_input_bytes", 1..=(64 << 20), 256 << 10),
    };
    reader.finish();
    limits
}

/// Refused by default: system text from a caller is an attempt to steer what the registry decides.
fn read_caller_system(reader: &Reader<'_>) -> CallerSystem {
    match reader.optional_text("caller_system", "demote or refuse") {
        Some("demote") => CallerSystem::Demote,
        Some("refuse") | None => CallerSystem::Refuse,
        Some(other) => {
            reader.mistake("caller_system", format!("is `{other}`"), "use demote or refuse");
            CallerSystem::Refuse
        }
    }
}

/// The routes that a capability names must exist.
pub(super) fn check_routes(file: &str, capability: &Capability, known: impl Fn(&RouteName) -> bool, mistakes: &Mistakes) {
    for (place, route) in capability.routes.iter().enumerate().filter(|(_, route)| !known(route)) {
        mistakes.add(
            file,
            &format!("routes[{place}]"),
            format!("is `{route}`, which custody.toml does not define"),
            "use a route of custody.toml",
        );
    }
}

/// What is regulated is never shown before its guardrail has seen it.
pub(super) fn check_guardrails(file: &str, capability: &Capability, routes: &BTreeMap<RouteName, Arc<RouteConfig>>, mistakes: &Mistakes) {
    if capability.control_level < ControlLevel::Regulated {
        return;
    }
    for (place, name) in capability.routes.iter().enumerate() {
        let shown_first = routes.get(name).and_then(|route| route.bedrock.as_ref()).is_some_and(BedrockCall::shows_before_it_checks);
        if shown_first {
            let problem = format!("is `{name}`, whose guardrail checks a stream after it is shown (guardrail_stream = \"async\")");
            mistakes.add(file, &format!("routes[{place}]"), problem, "use a route with guardrail_stream = \"sync\"");
        }
    }
}
