//! One text, sealed: its record in the content stream, and what its event says of it.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use custody_event::{Content as ContentFact, ContentRecord, END_PART, Octets};
use custody_seal::{
    TextContext,
    edge::{EdgeDay, EdgeSealed, EdgeTerms},
};
use custody_types::{Clock, IdSource, PersonPseudonym, RequestId, TenantId, Text, Timestamp};

use super::{Content, error::CaptureError, ports::ClaimError, render::PlainText};
use crate::{
    date,
    workspace::{Capability, CaptureRule, HandlingRule},
};

/// Sealing more than this takes milliseconds, which other requests should not wait for.
const OFF_THREAD: usize = 128 << 10;

/// Longer than an object store's bad minute would have a caller wait.
const CLAIM_PATIENCE: Duration = Duration::from_secs(30);

/// Whose texts they are, and the rule that keeps them.
#[derive(Clone)]
pub(crate) struct Subject {
    pub(crate) request: RequestId,
    pub(crate) tenant: TenantId,
    pub(crate) person: Option<PersonPseudonym>,
    pub(crate) capability: Arc<Capability>,
    pub(crate) rule: Arc<HandlingRule>,
}

/// A sealed text: for the content stream, and for the trail.
pub(crate) struct SealedText {
    pub(crate) record: Bytes,
    pub(crate) fact: ContentFact,
}

/// Where new identifiers and the time come from.
#[derive(Clone, Copy)]
pub(crate) struct Now<'a> {
    pub(crate) clock: &'a dyn Clock,
    pub(crate) ids: &'a dyn IdSource,
}

impl Content {
    /// Seals a text that the subject's rule keeps. One larger than `inline` is stored before its record exists.
    pub(crate) async fn seal(
        &self,
        now: Now<'_>,
        subject: &Subject,
        capture: &CaptureRule,
        text: PlainText,
        inline: usize,
    ) -> Result<SealedText, CaptureError> {
        let time = now.clock.now();
        let content_id = Text::from(now.ids.event_id().to_string());
        let retention = capture.retention_of(text.part);
        let context = TextContext {
            tenant: subject.tenant.clone(),
            person: subject.person.clone(),
            request: subject.request,
            part: text.part,
            ordinal: text.ordinal,
            purpose: capture.purpose.clone(),
            retention: retention.class.clone(),
        };
        let expires_on = i32::try_from(time.utc_day().saturating_add(i64::from(retention.days))).unwrap_or(i32::MAX);
        let terms = EdgeTerms {
            content_id: Arc::clone(&content_id),
            time,
            expires_on,
            capability: subject.capability.name.text(),
            data_class: Text::from(subject.capability.data_class.as_str()),
            handling_rule: Arc::clone(&subject.rule.label),
            redaction: Arc::clone(&capture.redaction),
        };
        let (part, ordinal, bytes) = (text.part, text.ordinal, text.bytes.len());
        let (sealed, day) = self.seal_bytes(context, terms.clone(), text).await?;
        let is_claim = bytes > inline;
        let (kept, claim) =
            if is_claim { (None, Some(self.put_claim(day, &content_id, sealed.bytes).await?)) } else { (Some(sealed.bytes), None) };
        let record = ContentRecord {
            content_id: Arc::clone(&content_id),
            tenant: subject.tenant.text(),
            person: subject.person.as_ref().map(PersonPseudonym::text),
            part: Text::from(part.as_str()),
            ordinal: i32::try_from(ordinal).unwrap_or(i32::MAX),
            purpose: capture.purpose.text(),
            retention_class: retention.class.text(),
            expires_on,
            capability: terms.capability,
            data_class: terms.data_class,
            handling_rule: terms.handling_rule,
            redaction: terms.redaction,
            bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
            commitment: Octets(sealed.commitment.as_bytes().to_vec()),
            sealed: kept.map(Octets),
            claim,
            ..bare_record(subject.request, time)
        };
        let fact = ContentFact {
            content_id,
            part: Arc::clone(&record.part),
            ordinal: record.ordinal,
            bytes: record.bytes,
            commitment: Text::from(sealed.commitment.to_string()),
            purpose: Arc::clone(&record.purpose),
            retention_class: Arc::clone(&record.retention_class),
            expires_on: Text::from(date::of_day(i64::from(expires_on))),
            claim_check: is_claim,
        };
        Ok(SealedText { record: record.encode()?.into(), fact })
    }

    async fn seal_bytes(&self, context: TextContext, terms: EdgeTerms, text: PlainText) -> Result<(EdgeSealed, EdgeDay), CaptureError> {
        if text.bytes.len() <= OFF_THREAD {
            return Ok(self.sealers.seal(&context, &terms, text.bytes.expose(), terms.time)?);
        }
        let sealers = Arc::clone(&self.sealers);
        let sealing = tokio::task::spawn_blocking(move || sealers.seal(&context, &terms, text.bytes.expose(), terms.time));
        Ok(sealing.await.map_err(|_| CaptureError::Ended)??)
    }

    async fn put_claim(&self, day: EdgeDay, content_id: &str, sealed: Vec<u8>) -> Result<Text, CaptureError> {
        let stored = tokio::time::timeout(CLAIM_PATIENCE, self.claims.put(day, content_id, sealed)).await;
        Ok(stored.map_err(|late| ClaimError(late.into()))??)
    }
}

/// The record that holds a request's place in the stream, or ends it. It carries no text, so that nothing of it is kept; only the
/// request is named.
pub(crate) fn end_record(request: RequestId, now: Now<'_>) -> Result<Bytes, CaptureError> {
    let record = ContentRecord { content_id: Text::from(now.ids.event_id().to_string()), ..bare_record(request, now.clock.now()) };
    Ok(record.encode()?.into())
}

fn bare_record(request: RequestId, time: Timestamp) -> ContentRecord {
    ContentRecord {
        content_id: Text::default(),
        request_id: Text::from(request.to_string()),
        time,
        tenant: Text::from("unidentified"),
        person: None,
        part: Text::from(END_PART),
        ordinal: 0,
        purpose: Text::default(),
        retention_class: Text::default(),
        expires_on: i32::try_from(time.utc_day()).unwrap_or(i32::MAX),
        capability: Text::default(),
        data_class: Text::default(),
        handling_rule: Text::default(),
        redaction: Text::default(),
        bytes: 0,
        commitment: Octets::default(),
        sealed: None,
        claim: None,
    }
}
