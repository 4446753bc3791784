//! What becomes of one text, and the row that says so.

use std::collections::BTreeMap;

use custody_lake::{ContentRow, TextState};
use custody_seal::{
    TextContext,
    rest::{ShredUnit, UnitKeyId},
};
use custody_types::{Fault, Retry, Timestamp};
use custody_vault::VaultError;

use super::texts::SealedText;

/// A row, and what must be so for it to be made.
#[derive(Debug, Clone)]
pub(super) struct SettledText {
    pub(super) row: ContentRow,
    /// Whose bytes stand in it or beside it, and when they were made; nothing where no byte does.
    pub(super) holds: Option<(TextContext, Timestamp)>,
    /// What sealed it.
    pub(super) key: Option<(ShredUnit, UnitKeyId)>,
    /// Where it lay as it came; no longer needed once the row is there.
    pub(super) edge_claim: Option<String>,
    pub(super) redactions: BTreeMap<String, u64>,
}

/// The vault can't do now what the text needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trouble {
    /// The stable code of what failed.
    pub(super) code: &'static str,
    /// Whether waiting may help.
    pub(super) is_passing: bool,
}

/// A text that waits, and why.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) text: SealedText,
    pub(super) trouble: Trouble,
}

/// What became of some texts.
#[derive(Debug, Default)]
pub(super) struct Settled {
    pub(super) texts: Vec<SettledText>,
    pub(super) waiting: Vec<Waiting>,
}

impl Trouble {
    pub(super) fn of(error: &impl Fault) -> Self {
        Self { code: error.code(), is_passing: error.retry() != Retry::Never }
    }
}

impl From<VaultError> for Trouble {
    fn from(error: VaultError) -> Self {
        tracing::debug!(error = &error as &dyn std::error::Error, "the vault can't do what a text needs");
        Self::of(&error)
    }
}

impl Settled {
    pub(super) fn settle(&mut self, text: SettledText) {
        self.texts.push(text);
    }

    pub(super) fn wait(&mut self, text: SealedText, trouble: impl Into<Trouble>) {
        self.waiting.push(Waiting { text, trouble: trouble.into() });
    }

    pub(super) fn add(&mut self, more: Self) {
        self.texts.extend(more.texts);
        self.waiting.extend(more.waiting);
    }
}

impl SettledText {
    /// The text was forgotten, or its time was over, before it came: its facts stand here and no byte of it.
    pub(super) fn forgotten(text: &SealedText, reason: &'static str) -> Self {
        let row = ContentRow { reason: Some(reason.to_owned()), ..row(text, TextState::Forgotten) };
        Self { row, holds: None, key: None, edge_claim: claim(text), redactions: BTreeMap::new() }
    }

    /// The text never opens. The bytes stand here as they came, where they came in the record.
    pub(super) fn unopened(text: &SealedText, reason: &'static str) -> Self {
        let sealed = text.record.sealed.as_ref().map(|sealed| sealed.0.clone());
        let row = ContentRow { reason: Some(reason.to_owned()), sealed, ..row(text, TextState::Unopened) };
        Self { row, holds: facts(text), key: None, edge_claim: None, redactions: BTreeMap::new() }
    }

    /// The text is kept; its bytes are still to be added.
    pub(super) fn kept(text: &SealedText, key: (ShredUnit, UnitKeyId), redactions: BTreeMap<String, u64>) -> Self {
        let row = ContentRow {
            unit_key: Some(key.1.to_string()),
            unit_month: Some(key.0.month.number()),
            redactions: Some(json(&redactions)),
            ..row(text, TextState::Kept)
        };
        Self { row, holds: facts(text), key: Some(key), edge_claim: claim(text), redactions }
    }
}

fn facts(text: &SealedText) -> Option<(TextContext, Timestamp)> {
    Some((text.context.clone(), text.record.time))
}

fn claim(text: &SealedText) -> Option<String> {
    text.record.claim.as_ref().map(ToString::to_string)
}

/// Names are of capitals, digits and `_`, so they need no escape.
fn json(counts: &BTreeMap<String, u64>) -> String {
    let pairs: Vec<String> = counts.iter().map(|(name, count)| format!("\"{name}\":{count}")).collect();
    format!("{{{}}}", pairs.join(","))
}

fn row(text: &SealedText, state: TextState) -> ContentRow {
    let record = text.record.as_ref();
    ContentRow {
        content_id: record.content_id.to_string(),
        request_id: record.request_id.to_string(),
        time: record.time,
        tenant: record.tenant.to_string(),
        person: record.person.as_ref().map(ToString::to_string),
        part: record.part.to_string(),
        ordinal: record.ordinal,
        purpose: record.purpose.to_string(),
        retention_class: record.retention_class.to_string(),
        expires_on: record.expires_on,
        capability: record.capability.to_string(),
        data_class: record.data_class.to_string(),
        handling_rule: record.handling_rule.to_string(),
        redaction: record.redaction.to_string(),
        bytes: record.bytes,
        commitment: record.commitment.0.clone(),
        state,
        reason: None,
        unit_key: None,
        unit_month: None,
        sealed: None,
        redacted_sealed: None,
        claim: None,
        redactions: None,
        log_partition: text.partition.to_string(),
        position: text.position,
        source: text.source,
        seq: text.seq,
    }
}
