//! Data handling: which texts of a request are kept, why, how long, how they are redacted, and who may see them (D4, D5, LOG-18 to
//! LOG-22, LOG-33). Nothing is kept unless a rule says so.
//!
//! ```text
//! tenant, capability ──▶ the rules in their order, the first that matches ──▶ its parts, or nothing
//!                        none matches                                     ──▶ rule `none`: nothing
//! ```

mod read;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use custody_policy::GroupName;
use custody_redact::Rules;
use custody_seal::Part;
use custody_types::{CapabilityName, ControlLevel, DataClass, Purpose, RetentionClass, TenantId, Text};

use super::Capability;

pub(super) use read::{FILE, Known, read};

/// The redaction rules that a rule has which names none.
pub const DEFAULT_REDACTION: &str = "default";

/// The rule in force where none matches.
const NO_RULE: &str = "none";

/// A text up to this size stands in the content stream, where nothing else is written.
const CLAIM_ABOVE: usize = 256 << 10;

/// What `data-handling.toml` says, checked.
#[derive(Debug, Clone)]
pub struct DataHandling {
    /// The file's own version; 0 where there is no file.
    pub version: u64,
    /// Days by retention class.
    pub retention: BTreeMap<RetentionClass, u32>,
    /// Redaction rules by name; `default` is always there.
    pub redactions: BTreeMap<Text, Rules>,
    /// Rules in the order in which they are asked.
    pub rules: Vec<Arc<HandlingRule>>,
    /// Labels that feedback may give as reasons.
    pub feedback_reasons: BTreeSet<Text>,
    /// A larger text goes to the vault's store, and only its name into the content stream.
    pub claim_above_bytes: usize,
    none: Arc<HandlingRule>,
}

/// One rule.
#[derive(Debug, Clone)]
pub struct HandlingRule {
    /// Its name.
    pub name: Text,
    /// `<name>@<version of the file>`, as events say it.
    pub label: Text,
    /// What it holds for.
    pub scope: RuleScope,
    /// What it keeps; nothing where it forbids.
    pub capture: Option<CaptureRule>,
    /// Who may see what it keeps.
    pub reveal: RevealRule,
}

/// What a rule holds for; a list that is absent holds for everything.
#[derive(Debug, Clone, Default)]
pub struct RuleScope {
    /// Tenants.
    pub tenants: Option<BTreeSet<TenantId>>,
    /// Capabilities.
    pub capabilities: Option<BTreeSet<CapabilityName>>,
    /// Control levels.
    pub control_levels: Option<BTreeSet<ControlLevel>>,
    /// Data classes.
    pub data_classes: Option<BTreeSet<DataClass>>,
}

/// What is kept, and under which conditions.
#[derive(Debug, Clone)]
pub struct CaptureRule {
    /// Which texts; never empty.
    pub parts: BTreeSet<Part>,
    /// Why (LOG-22).
    pub purpose: Purpose,
    /// How long (LOG-21).
    pub retention: Retention,
    /// How long retrieved text is kept: never longer than the rest (LOG-31).
    pub retrieved_text: Retention,
    /// The name of the redaction rules for what analysts see.
    pub redaction: Text,
}

/// A retention class and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// Its name.
    pub class: RetentionClass,
    /// Days from the text's own, after which it is no longer kept.
    pub days: u32,
}

/// Who may see what a rule keeps (LOG-20); nobody where no group is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevealRule {
    /// Groups whose members may ask.
    pub groups: BTreeSet<GroupName>,
    /// Whether a second person must agree.
    pub second_person: bool,
    /// Texts that one person may see within an hour.
    pub per_hour: u32,
}

impl Default for DataHandling {
    /// Nothing is kept.
    fn default() -> Self {
        Self::new(0)
    }
}

impl DataHandling {
    fn new(version: u64) -> Self {
        let none = HandlingRule {
            name: Text::from(NO_RULE),
            label: label(NO_RULE, version),
            scope: RuleScope::default(),
            capture: None,
            reveal: RevealRule::default(),
        };
        Self {
            version,
            retention: BTreeMap::new(),
            redactions: BTreeMap::from([(Text::from(DEFAULT_REDACTION), Rules::default())]),
            rules: Vec::new(),
            feedback_reasons: BTreeSet::new(),
            claim_above_bytes: CLAIM_ABOVE,
            none: Arc::new(none),
        }
    }

    /// The rule for a request: the first that matches. What is not known matches no list.
    #[must_use]
    pub fn rule(&self, tenant: &TenantId, capability: Option<&Capability>) -> &Arc<HandlingRule> {
        self.rules.iter().find(|rule| rule.scope.holds_for(tenant, capability)).unwrap_or(&self.none)
    }

    /// The rule of that name as it is now, whatever the version in which a text was kept under it.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Arc<HandlingRule>> {
        self.rules.iter().find(|rule| &*rule.name == name)
    }

    /// The rule that an event or a kept text names as `<name>@<version>`, as it is now.
    #[must_use]
    pub fn labelled(&self, label: &str) -> Option<&Arc<HandlingRule>> {
        self.named(label.rsplit_once('@')?.0)
    }

    /// Whether any rule keeps anything.
    #[must_use]
    pub fn captures(&self) -> bool {
        self.rules.iter().any(|rule| rule.capture.is_some())
    }
}

impl HandlingRule {
    /// Whether this text of a request is kept, and how.
    #[must_use]
    pub fn captures(&self, part: Part) -> Option<&CaptureRule> {
        self.capture.as_ref().filter(|capture| capture.parts.contains(&part))
    }
}

impl CaptureRule {
    /// How long this text is kept.
    #[must_use]
    pub fn retention_of(&self, part: Part) -> &Retention {
        match part {
            Part::RetrievedText => &self.retrieved_text,
            Part::Prompt | Part::Response | Part::ToolArguments | Part::Feedback => &self.retention,
        }
    }
}

impl RuleScope {
    fn holds_for(&self, tenant: &TenantId, capability: Option<&Capability>) -> bool {
        holds(self.tenants.as_ref(), Some(tenant))
            && holds(self.capabilities.as_ref(), capability.map(|capability| &capability.name))
            && holds(self.control_levels.as_ref(), capability.map(|capability| &capability.control_level))
            && holds(self.data_classes.as_ref(), capability.map(|capability| &capability.data_class))
    }
}

impl Default for RevealRule {
    /// Nobody; and whoever is added needs a second person.
    fn default() -> Self {
        Self { groups: BTreeSet::new(), second_person: true, per_hour: read::PER_HOUR }
    }
}

fn holds<T: Ord>(list: Option<&BTreeSet<T>>, found: Option<&T>) -> bool {
    list.is_none_or(|list| found.is_some_and(|found| list.contains(found)))
}

fn label(name: &str, version: u64) -> Text {
    Text::from(format!("{name}@{version}"))
}

#[cfg(test)]
mod tests;
