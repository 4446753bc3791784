//! What a provider says about an answer besides the answer: facts that may stand in an event, never text of it.

use std::collections::BTreeMap;

use custody_types::Text;

/// As long as the name of a topic may be.
const MAX_WORD: usize = 100;

/// A provider's remarks on one answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AnswerDetails {
    /// Milliseconds the provider says it took.
    pub latency_ms: Option<u64>,
    /// The price class it was served in, where it is a valid label.
    pub service_tier: Option<Text>,
    /// The speed it was served at, where it is a valid label.
    pub latency: Option<Text>,
    /// The model that the provider's router chose, where it is a valid label.
    pub invoked_model: Option<Text>,
    /// What guardrails at the provider found.
    pub guardrails: Vec<GuardrailAssessment>,
}

/// What one guardrail found on one side of the model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GuardrailAssessment {
    /// Which side it looked at.
    pub side: GuardrailSide,
    /// The guardrail's id.
    pub guardrail: Option<Text>,
    /// Its version.
    pub version: Option<Text>,
    /// Who demanded it: REQUEST, ACCOUNT_ENFORCED, ORGANIZATION_ENFORCED.
    pub origins: Vec<Text>,
    /// What it found.
    pub findings: Vec<GuardrailFinding>,
    /// Milliseconds it took.
    pub latency_ms: Option<u64>,
    /// Policy units it is billed by, as its provider names them.
    pub units: BTreeMap<Text, u64>,
    /// How much it looked at, as its provider names it; a part of a part behind a dot.
    pub coverage: BTreeMap<Text, u64>,
}

/// The side of the model that a guardrail looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GuardrailSide {
    /// What went in.
    #[default]
    Input,
    /// What came out.
    Output,
}

/// One kind of finding, and how often it was made. The text that matched is never kept: it is the very text to protect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardrailFinding {
    /// The policy that made it.
    pub policy: GuardrailPolicy,
    /// Its name or type, as the guardrail's owner or AWS calls it: a topic, a filter, a kind of personal data, an expression's name.
    pub name: Option<Text>,
    /// What was done: BLOCKED, ANONYMIZED or NONE.
    pub action: Option<Text>,
    /// Whether it was there; with the action NONE it may have been (REFERENCE 1.6).
    pub detected: Option<bool>,
    /// How sure the guardrail is: NONE, LOW, MEDIUM or HIGH.
    pub confidence: Option<Text>,
    /// How often.
    pub count: u32,
}

/// A policy of a guardrail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuardrailPolicy {
    /// Denied topics.
    Topic,
    /// Harmful content and prompt attacks.
    Content,
    /// Words on a list.
    Word,
    /// Personal data and expressions.
    SensitiveInformation,
    /// Whether the answer rests on its sources.
    Grounding,
    /// Whether the answer keeps to formal rules.
    AutomatedReasoning,
}

impl GuardrailAssessment {
    /// Adds findings; those that say the same are counted.
    pub fn add(&mut self, finding: GuardrailFinding) {
        let same = |other: &&mut GuardrailFinding| GuardrailFinding { count: finding.count, ..GuardrailFinding::clone(other) } == finding;
        match self.findings.iter_mut().find(same) {
            Some(other) => other.count = other.count.saturating_add(finding.count),
            None => self.findings.push(finding),
        }
    }
}

/// A word of a guardrail's owner or of AWS, where it has the alphabet that a guardrail's names have; else nothing, because anything
/// else could be payload.
#[must_use]
pub fn guardrail_word(word: &str) -> Option<Text> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_- !?.".contains(&byte);
    ((1..=MAX_WORD).contains(&word.len()) && word.bytes().all(allowed)).then(|| Text::from(word))
}

impl GuardrailSide {
    /// The side's name in events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
        }
    }
}

impl GuardrailPolicy {
    /// The policy's name in events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Content => "content",
            Self::Word => "word",
            Self::SensitiveInformation => "sensitive_information",
            Self::Grounding => "grounding",
            Self::AutomatedReasoning => "automated_reasoning",
        }
    }
}
