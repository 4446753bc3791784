//! The texts of one request that its rule keeps: before the call its prompt, with room for the rest; at its end what the model said.
//! Where the rule keeps nothing, nothing of this runs.

use bytes::Bytes;
use custody_event::{Event, Kind};
use custody_log::AppendError;
use custody_seal::{Part, SealError};
use custody_types::{Fault, LogPosition, PersonPseudonym};

use super::{case::Case, measure::Attempt, route::Plan};
use crate::{
    content::{CLOSE_INLINE, CaptureError, Content, Now, PlainText, SealedText, Subject, answer_texts, end_record, prompt_text},
    gateway::Inner,
    recorder::{Ack, OpenRecord, Unconfirmed},
    refusal::Refusal,
    workspace::CaptureRule,
};

/// A request whose texts are kept, between its intent and its end.
pub(super) struct OpenContent {
    open: Box<dyn OpenRecord>,
    subject: Subject,
    answered: Vec<PlainText>,
}

/// What is sealed before the call, and not durable yet.
pub(super) struct Begun {
    subject: Subject,
    records: Vec<Bytes>,
    pub(super) events: Vec<Event>,
}

/// Texts that are durable: their events, and the place after them.
pub(super) struct Kept {
    pub(super) events: Vec<Event>,
    pub(super) end: LogPosition,
}

/// Seals the prompt; nothing where the rule keeps none of the request's texts.
pub(super) async fn begin(gateway: &Inner, case: &mut Case, plan: &Plan) -> Result<Option<Begun>, CaptureError> {
    let Some(rule) = case.rule(gateway) else { return Ok(None) };
    let Some(capture) = rule.capture.as_ref().filter(|capture| keeps_a_call(capture)) else { return Ok(None) };
    let content = gateway.content.as_ref().ok_or(CaptureError::NoVault)?;
    let subject = Subject {
        request: case.id,
        tenant: plan.key.record.tenant.clone(),
        person: person(gateway, case),
        capability: plan.capability.clone(),
        rule: rule.clone(),
    };
    let mut begun = Begun { subject, records: Vec::new(), events: Vec::new() };
    if rule.captures(Part::Prompt).is_some() {
        let prompt = prompt_text(&plan.chat);
        let SealedText { record, fact } = content.seal(now(gateway), &begun.subject, capture, prompt, content.claim_above).await?;
        begun.records.push(record);
        begun.events.push(case.event(gateway, Kind::Content(fact)));
    } else {
        begun.records.push(end_record(case.id, now(gateway))?);
    }
    Ok(Some(begun))
}

/// Feedback comes later, in a request of its own.
fn keeps_a_call(capture: &CaptureRule) -> bool {
    [Part::Prompt, Part::Response, Part::ToolArguments].iter().any(|part| capture.parts.contains(part))
}

fn person(gateway: &Inner, case: &mut Case) -> Option<PersonPseudonym> {
    case.envelope(gateway).user_pseudonym.as_ref()?.parse().ok()
}

fn now(gateway: &Inner) -> Now<'_> {
    Now { clock: gateway.clock.as_ref(), ids: gateway.ids.as_ref() }
}

impl Begun {
    /// Makes it durable, and reserves room for what the model will say.
    pub(super) async fn admit(self, gateway: &Inner) -> Result<OpenContent, CaptureError> {
        let Self { subject, records, .. } = self;
        let content = gateway.content.as_ref().ok_or(CaptureError::NoVault)?;
        let open = content.recorder.admit(subject.request.key(), records).await?;
        Ok(OpenContent { open, subject, answered: Vec::new() })
    }
}

impl OpenContent {
    /// The place after what is durable so far.
    pub(super) fn end(&self) -> LogPosition {
        self.open.end()
    }

    /// Takes what the model said in an attempt, in place of what an earlier one said and nobody saw.
    pub(super) fn take_answer(&mut self, number: i32, attempt: &Attempt) {
        let ordinal = u32::try_from(number.saturating_sub(1)).unwrap_or(0);
        self.answered = answer_texts(&self.subject.rule, &attempt.answer, ordinal);
    }

    /// Seals what the model said and makes it durable; the request's texts end here.
    async fn close(self, gateway: &Inner, content: &Content) -> Result<(Vec<SealedText>, LogPosition), CaptureError> {
        let Self { open, subject, answered } = self;
        let mut sealed = Vec::with_capacity(answered.len());
        let mut room = CLOSE_INLINE.min(content.claim_above);
        for text in answered {
            let Some(capture) = subject.rule.captures(text.part) else { continue };
            let bytes = text.bytes.len();
            sealed.push(content.seal(now(gateway), &subject, capture, text, room).await?);
            room = room.checked_sub(bytes).unwrap_or(room);
        }
        let mut records: Vec<Bytes> = sealed.iter().map(|text| text.record.clone()).collect();
        if records.is_empty() {
            records.push(end_record(subject.request, now(gateway))?);
        }
        let closed = open.close(records).await?;
        Ok((sealed, closed.end))
    }
}

impl Case {
    /// Makes the rest of the request's texts durable, before its outcome is. Nothing where none are kept.
    pub(super) async fn keep_texts(&mut self, gateway: &Inner) -> Result<Option<Kept>, Refusal> {
        let (Some(open), Some(content)) = (self.content.take(), gateway.content.as_ref()) else { return Ok(None) };
        match open.close(gateway, content).await {
            Ok((sealed, end)) => {
                let events = sealed.into_iter().map(|text| self.event(gateway, Kind::Content(text.fact))).collect();
                Ok(Some(Kept { events, end }))
            }
            Err(error) => {
                tell(self, &error);
                Err(Refusal::uncaptured_answer(&error))
            }
        }
    }
}

/// A full journal, a missing key and a text that is too long are counted by their codes: callers must not be able to fill the log, and
/// who looks after the keys has warned. All else is for a person.
pub(super) fn tell(case: &Case, error: &CaptureError) {
    let (request_id, code) = (&*case.id_text, error.code());
    match error {
        CaptureError::Append(AppendError::Full { .. })
        | CaptureError::NoVault
        | CaptureError::Seal(SealError::NoEdgeKey | SealError::EdgeKeyUnusable | SealError::TooLong { .. }) => {
            tracing::debug!(request_id, code, "a text was not kept");
        }
        CaptureError::Seal(SealError::NoEntropy(_) | SealError::EdgeKeyOver | SealError::KeyExhausted | SealError::WrongUnit) => {
            tracing::warn!(request_id, code, "a text that must be kept was not");
        }
        CaptureError::Claim(_) | CaptureError::Append(_) | CaptureError::Encode(_) | CaptureError::Ended => {
            tracing::error!(request_id, code, "a text that must be kept could not be made durable");
        }
    }
}

/// Waits until the log has a request's texts, where `ack` wants it.
pub(super) async fn confirm(gateway: &Inner, end: Option<LogPosition>, ack: Ack) -> Result<(), Unconfirmed> {
    match (end, &gateway.content) {
        (Some(end), Some(content)) => content.recorder.confirm(end, ack).await,
        _ => Ok(()),
    }
}
