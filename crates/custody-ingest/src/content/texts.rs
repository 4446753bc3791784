//! Texts as they came, with their places: the rows of the loop before the vault step.

use std::sync::Arc;

use custody_event::ContentRecord;
use custody_lake::RowKey;
use custody_seal::{Part, TextContext, edge::EdgeTerms};
use custody_types::{LogPosition, LogRecord, Seq, Source};

use crate::KeyedRows;

/// A sealed text, where it stands, and what it is bound to.
#[derive(Debug, Clone)]
pub struct SealedText {
    /// As the gateway wrote it.
    pub record: Arc<ContentRecord>,
    /// What it must open for, stated anew from the record.
    pub context: TextContext,
    /// The log partition.
    pub partition: Arc<str>,
    /// Its place there.
    pub position: LogPosition,
    /// Who wrote it.
    pub source: Source,
    /// Its place within the source.
    pub seq: Seq,
}

/// Texts in log order.
#[derive(Debug, Clone, Default)]
pub struct SealedTexts(pub Vec<SealedText>);

impl SealedText {
    /// A record that holds a text; nothing where its facts can't be those of a text.
    pub(super) fn of(record: ContentRecord, partition: &Arc<str>, place: &LogRecord) -> Option<Self> {
        let context = context_of(&record)?;
        let LogRecord { position, source, seq, .. } = *place;
        Some(Self { record: Arc::new(record), context, partition: Arc::clone(partition), position, source, seq })
    }

    /// On which terms its record says that it is kept.
    pub(super) fn terms(&self) -> EdgeTerms {
        terms_of(&self.record)
    }

    pub(super) fn key(&self) -> RowKey {
        let event_id = self.record.content_id.to_string();
        RowKey { position: self.position, source: self.source, seq: self.seq, event_id }
    }
}

pub(super) fn terms_of(record: &ContentRecord) -> EdgeTerms {
    EdgeTerms {
        content_id: Arc::clone(&record.content_id),
        time: record.time,
        expires_on: record.expires_on,
        capability: Arc::clone(&record.capability),
        data_class: Arc::clone(&record.data_class),
        handling_rule: Arc::clone(&record.handling_rule),
        redaction: Arc::clone(&record.redaction),
    }
}

fn context_of(record: &ContentRecord) -> Option<TextContext> {
    Some(TextContext {
        tenant: record.tenant.parse().ok()?,
        person: record.person.as_ref().map(|person| person.parse()).transpose().ok()?,
        request: record.request_id.parse().ok()?,
        part: Part::ALL.into_iter().find(|part| part.as_str() == &*record.part)?,
        ordinal: u32::try_from(record.ordinal).ok()?,
        purpose: record.purpose.parse().ok()?,
        retention: record.retention_class.parse().ok()?,
    })
}

impl KeyedRows for SealedTexts {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn keys(&self) -> Vec<RowKey> {
        self.0.iter().map(SealedText::key).collect()
    }

    fn retain(&mut self, keep: &dyn Fn(&RowKey) -> bool) {
        self.0.retain(|text| keep(&text.key()));
    }

    fn append(&mut self, more: Self) {
        self.0.extend(more.0);
    }
}
