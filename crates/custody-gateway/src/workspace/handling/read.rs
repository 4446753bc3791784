//! `data-handling.toml`: from what is written to what is meant. Text that nobody gave a reason or an end for is refused here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    str::FromStr,
    sync::Arc,
};

use custody_config::{Mistakes, Reader};
use custody_redact::{Redactor, Rules};
use custody_seal::Part;
use custody_types::{CapabilityName, Feature, Purpose, RetentionClass, TenantId, Text};
use toml::{Table, Value};

use super::{CLAIM_ABOVE, CaptureRule, DEFAULT_REDACTION, DataHandling, HandlingRule, NO_RULE, Retention, RevealRule, RuleScope, label};
use crate::workspace::{Capability, Tenant};

pub(in crate::workspace) const FILE: &str = "data-handling.toml";

/// What one person needs for a day's work on complaints, and too few to read a customer base.
pub(super) const PER_HOUR: u32 = 20;

/// Ten years, the longest that a law we know of asks for.
const MOST_DAYS: u64 = 3660;

const ACCEPTED_RULES: &str = "use entities = [kinds], actions = { kind = \"mask\", \"last_four\" or \"pseudonym\" }, \
                              words = [{ name, word }] and patterns = [{ name, pattern }]";

/// What rules may name.
pub(in crate::workspace) struct Known<'a> {
    pub(in crate::workspace) tenants: &'a BTreeMap<TenantId, Tenant>,
    pub(in crate::workspace) capabilities: &'a BTreeMap<CapabilityName, Arc<Capability>>,
}

/// Reads the file, if there is one.
pub(in crate::workspace) fn read(table: Option<&Table>, known: &Known<'_>, mistakes: &Mistakes) -> DataHandling {
    let Some(table) = table else { return DataHandling::default() };
    let root = Reader::new(FILE, table, mistakes);
    let mut handling = DataHandling::new(read_version(&root));
    let most = u64::try_from(CLAIM_ABOVE).unwrap_or(u64::MAX);
    handling.claim_above_bytes = usize::try_from(root.number("claim_above_bytes", 1024..=most, most)).unwrap_or(CLAIM_ABOVE);
    handling.feedback_reasons = read_reasons(root.section("feedback"));
    handling.retention = read_retention(&root);
    handling.redactions.extend(read_redactions(&root, table));
    let mut names = BTreeSet::new();
    for section in root.sections("rule") {
        if let Some(rule) = read_rule(&section, &handling, known) {
            if names.insert(Arc::clone(&rule.name)) {
                handling.rules.push(Arc::new(rule));
            } else {
                section.mistake("name", format!("is `{}` a second time", rule.name), "use every name once");
            }
        }
        section.finish();
    }
    root.finish();
    handling
}

fn read_version(root: &Reader<'_>) -> u64 {
    if !root.has("version") {
        root.mistake("version", "is missing", "use a whole number, and raise it with every change");
    }
    root.number("version", 1..=u64::from(u32::MAX), 1)
}

fn read_reasons(section: Reader<'_>) -> BTreeSet<Text> {
    let reasons = section.list::<Feature>("reasons", "labels such as wrong").iter().map(Feature::text).collect();
    section.finish();
    reasons
}

fn read_retention(root: &Reader<'_>) -> BTreeMap<RetentionClass, u32> {
    let mut classes = BTreeMap::new();
    for (name, section) in root.named_sections("retention") {
        if !section.has("days") {
            section.mistake("days", "is missing", format!("use a whole number from 1 to {MOST_DAYS}"));
        }
        let days = u32::try_from(section.number("days", 1..=MOST_DAYS, 1)).unwrap_or(1);
        match name.parse::<RetentionClass>() {
            Ok(class) => drop(classes.insert(class, days)),
            Err(error) => root.mistake(&format!("retention.{name}"), error.to_string(), "use a label such as short"),
        }
        section.finish();
    }
    classes
}

/// Words and patterns may be confidential, so that a mistake names them and does not quote them.
fn read_redactions(root: &Reader<'_>, table: &Table) -> BTreeMap<Text, Rules> {
    let mut redactions = BTreeMap::new();
    drop(root.section("redaction"));
    for (name, value) in table.get("redaction").and_then(Value::as_table).into_iter().flatten() {
        let key = format!("redaction.{name}");
        if let Err(error) = name.parse::<Feature>() {
            root.mistake(&key, error.to_string(), "use a label such as strict");
        }
        let rules = match value.clone().try_into::<Rules>() {
            Ok(rules) => rules,
            // What the reader of values says quotes them.
            Err(_) => {
                root.mistake(&key, "cannot be read", ACCEPTED_RULES);
                continue;
            }
        };
        match Redactor::new(&rules) {
            Ok(_) => drop(redactions.insert(Text::from(name.as_str()), rules)),
            Err(error) => root.mistake(&key, error.to_string(), "correct the word or pattern of that name"),
        }
    }
    redactions
}

fn read_rule(section: &Reader<'_>, handling: &DataHandling, known: &Known<'_>) -> Option<HandlingRule> {
    let name = read_name(section);
    let scope = read_scope(section, known);
    let reveal = read_reveal(section.section("reveal"));
    let capture = read_capture(section, handling);
    let name = name?;
    Some(HandlingRule { label: label(&name, handling.version), name, scope, capture, reveal })
}

/// Events say `<name>@<version>`.
fn read_name(section: &Reader<'_>) -> Option<Text> {
    let name: Feature = section.parsed("name", "a label such as support-quality")?;
    if name.as_str() == NO_RULE || name.as_str().contains('@') {
        section.mistake("name", format!("is `{name}`"), format!("use a label without `@` other than `{NO_RULE}`"));
        return None;
    }
    Some(name.text())
}

fn read_scope(section: &Reader<'_>, known: &Known<'_>) -> RuleScope {
    let scope = RuleScope {
        tenants: read_list(section, "tenant", "tenant ids"),
        capabilities: read_list(section, "capability", "capability names"),
        control_levels: read_list(section, "control_level", "internal, customer, regulated or high_control"),
        data_classes: read_list(section, "data_class", "public, internal, confidential or restricted"),
    };
    for tenant in scope.tenants.iter().flatten().filter(|tenant| !known.tenants.contains_key(*tenant)) {
        section.mistake("tenant", format!("names `{tenant}`, which tenants.toml does not list"), "use listed tenants");
    }
    for name in scope.capabilities.iter().flatten().filter(|name| !known.capabilities.contains_key(*name)) {
        section.mistake("capability", format!("names `{name}`, which no file of capabilities/ defines"), "use a capability's name");
    }
    scope
}

/// A list that is there and empty would hold for nothing, which nobody means.
fn read_list<T: FromStr<Err: Display> + Ord>(section: &Reader<'_>, key: &'static str, meaning: &str) -> Option<BTreeSet<T>> {
    if !section.has(key) {
        return None;
    }
    let list: Vec<T> = section.list(key, meaning);
    if list.is_empty() {
        section.mistake(key, "names nothing", format!("use a list of {meaning}, or leave it out"));
    }
    Some(list.into_iter().collect())
}

fn read_capture(section: &Reader<'_>, handling: &DataHandling) -> Option<CaptureRule> {
    if !section.has("capture") {
        section.mistake("capture", "is missing", "use a list of parts; an empty one forbids");
    }
    let parts = read_parts(section);
    let purpose: Option<Purpose> = section.optional_parsed("purpose", "a label such as quality-review");
    let retention = read_class(section, "retention", handling);
    let retrieved_text = read_class(section, "retrieved_text_retention", handling);
    let redaction = read_redaction(section, handling);
    if parts.is_empty() {
        return None;
    }
    if !section.has("purpose") {
        section.mistake("purpose", "is missing: text is kept for a reason or not at all", "use a label such as quality-review");
    }
    if !section.has("retention") {
        section.mistake("retention", "is missing: text is kept for a time or not at all", "use a class of [retention]");
    }
    let retention = retention?;
    let retrieved_text = retrieved_text.unwrap_or_else(|| retention.clone());
    if retrieved_text.days > retention.days {
        let problem = format!("keeps retrieved text for {} days and prompts for {}", retrieved_text.days, retention.days);
        section.mistake("retrieved_text_retention", problem, "use a class that is no longer than `retention`");
    }
    Some(CaptureRule { parts, purpose: purpose?, retention, retrieved_text, redaction: redaction? })
}

fn read_parts(section: &Reader<'_>) -> BTreeSet<Part> {
    let accepted = Part::ALL.map(Part::as_str).join(", ");
    let mut parts = BTreeSet::new();
    for word in section.list::<String>("capture", &accepted) {
        match Part::ALL.into_iter().find(|part| part.as_str() == word) {
            Some(part) => drop(parts.insert(part)),
            None => section.mistake("capture", format!("names `{word}`, which is no part"), format!("use {accepted}")),
        }
    }
    parts
}

fn read_class(section: &Reader<'_>, key: &'static str, handling: &DataHandling) -> Option<Retention> {
    let class: RetentionClass = section.optional_parsed(key, "a class of [retention]")?;
    let days = handling.retention.get(&class).copied();
    if days.is_none() {
        section.mistake(key, format!("is `{class}`, which [retention] does not define"), "use a class of [retention]");
    }
    Some(Retention { class, days: days? })
}

fn read_redaction(section: &Reader<'_>, handling: &DataHandling) -> Option<Text> {
    let name = section.optional_text("redaction", "a name of [redaction]").unwrap_or(DEFAULT_REDACTION);
    let found = handling.redactions.get_key_value(name).map(|(name, _)| Arc::clone(name));
    if found.is_none() {
        let shown: String = name.chars().take(64).collect();
        section.mistake("redaction", format!("is `{shown}`, which [redaction] does not define"), "use a name of [redaction], or `default`");
    }
    found
}

fn read_reveal(section: Reader<'_>) -> RevealRule {
    let reveal = RevealRule {
        groups: section.list("groups", "groups of API keys").into_iter().collect(),
        second_person: section.flag("second_person", true),
        per_hour: u32::try_from(section.number("per_hour", 1..=10_000, u64::from(PER_HOUR))).unwrap_or(PER_HOUR),
    };
    section.finish();
    reveal
}
