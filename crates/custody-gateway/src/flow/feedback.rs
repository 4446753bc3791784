//! Feedback: what a user says of an answer, in the trail of the request that gave it (LOG-32). Rating and reasons are closed sets;
//! free text is sealed where the capability's rule keeps it, else dropped, and never part of an event.
//!
//! Whether the request exists, and whose it was, this process cannot know: its events may stand in another gateway's journal. Feedback
//! is recorded under the tenant of the key that gives it, so that it joins no other tenant's request.

mod read;

use std::sync::Arc;

use custody_event::{Envelope, Event, Feedback, Kind};
use custody_seal::Part;
use custody_types::{RequestId, SensitiveText, Text};
use serde_json::json;

use self::read::Written;
use super::{
    Stopped,
    case::{Case, size},
    content, identify, receive,
    stop::{not_durable, settle},
};
use crate::{
    content::{CaptureError, Now, SealedText, Subject, feedback_text},
    encode,
    gateway::Inner,
    http::{AnswerHeaders, Arrival, Reply},
    keyed::Purpose,
    refusal::Refusal,
    stage::Stage,
    workspace::{Capability, HandlingRule},
};

/// Feedback that is durable.
struct Taken {
    request_id: Text,
    body: Vec<u8>,
}

/// What became of the free text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Handled {
    NotGiven,
    Dropped,
    Sealed,
}

/// Takes one piece of feedback to its durable end.
pub(crate) async fn feedback(gateway: &Inner, arrival: Arrival, mut reply: Reply) {
    match take(gateway, arrival).await {
        Ok(taken) => reply.answer(&AnswerHeaders { request_id: taken.request_id, ..AnswerHeaders::default() }, taken.body.into()),
        Err(stopped) => settle(gateway, *stopped, &mut reply).await,
    }
}

async fn take(gateway: &Inner, arrival: Arrival) -> Result<Taken, Box<Stopped>> {
    let received = receive::receive(gateway, gateway.ids.request_id(), arrival)?;
    let identified = identify::identify(gateway, received)?;
    let (case, body) = identified.into_parts();
    let mut case = case.begin(gateway, Stage::Understand)?;
    let read = match body.read(gateway).await {
        Ok(body) => read::read(&body, &gateway.workspace.handling.feedback_reasons),
        Err(refusal) => Err(refusal),
    };
    let written = match read.and_then(|written| with_capability(gateway, &mut case, written)) {
        Ok(written) => written,
        Err(refusal) => return Err(case.stop(refusal)),
    };
    match make_durable(gateway, &mut case, written).await {
        Ok(body) => Ok(Taken { request_id: Arc::clone(&case.id_text), body }),
        Err(refusal) => Err(case.stop(refusal)),
    }
}

/// The capability that is named decides what becomes of the text; naming one needs the right to invoke it.
fn with_capability(gateway: &Inner, case: &mut Case, written: Written) -> Result<Written, Refusal> {
    if let Some(user) = &written.user {
        case.user_pseudonym = Some(case.hasher.hash(Purpose::User, user.expose().as_bytes()));
    }
    let (Some(name), Some(key)) = (&written.model, case.key.clone()) else { return Ok(written) };
    let capability = gateway.workspace.capabilities.get(name.as_str()).map(Arc::clone);
    let capability = capability.ok_or_else(|| {
        let message = "`model` names no capability of this gateway; GET /v1/models lists those you may use";
        Refusal::invalid(404, "unknown_capability", message).at("model")
    })?;
    if !gateway.verdicts.may_invoke(&gateway.workspace, &key, &capability).allowed {
        let message = "no policy permits this API key to invoke this capability";
        return Err(Refusal::forbidden("capability_denied", message).at("model"));
    }
    case.capability = Some(capability);
    Ok(written)
}

/// The text first, then the events that say what became of it.
async fn make_durable(gateway: &Inner, case: &mut Case, mut written: Written) -> Result<Vec<u8>, Refusal> {
    let comment = written.comment.take();
    let sealed = match &comment {
        Some(comment) => keep(gateway, case, &written, comment).await.map_err(|error| {
            content::tell(case, &error);
            Refusal::uncaptured(&error)
        })?,
        None => None,
    };
    let handled = match (&comment, &sealed) {
        (None, _) => Handled::NotGiven,
        (Some(_), None) => Handled::Dropped,
        (Some(_), Some(_)) => Handled::Sealed,
    };
    let feedback_id = Text::from(gateway.ids.event_id().to_string());
    let fact = Feedback {
        feedback_id: Arc::clone(&feedback_id),
        rating: written.rating.map(Text::from),
        reasons: written.reasons.clone(),
        comment_bytes: comment.as_ref().map(|comment| size(comment.len())),
        comment_handling: handled.word().map(Text::from),
    };
    let kinds = sealed.into_iter().map(|text| Kind::Content(text.fact)).chain([Kind::Feedback(fact)]);
    let events = in_the_trail_of(gateway, case, written.request_id, kinds);
    let records = encode::all(&events).map_err(|_| Refusal::defect())?;
    gateway.recorder.append(records).await.map_err(|error| not_durable(case, Some(&error), false))?;
    let told = json!({
        "id": &*feedback_id, "object": "feedback", "request_id": written.request_id.to_string(), "comment": handled.word(),
    });
    Ok(told.to_string().into_bytes())
}

/// Seals the text and makes it durable, where the rule of the capability keeps feedback.
async fn keep(gateway: &Inner, case: &mut Case, written: &Written, comment: &SensitiveText) -> Result<Option<SealedText>, CaptureError> {
    let Some((rule, capability)) = case.rule(gateway).zip(case.capability.clone()) else { return Ok(None) };
    let Some(capture) = rule.captures(Part::Feedback) else { return Ok(None) };
    let content = gateway.content.as_ref().ok_or(CaptureError::NoVault)?;
    let subject = subject(gateway, case, written.request_id, rule, capability);
    let Some(subject) = subject else { return Ok(None) };
    let now = Now { clock: gateway.clock.as_ref(), ids: gateway.ids.as_ref() };
    let text = feedback_text(comment.expose());
    let sealed = content.seal(now, &subject, capture, text, content.claim_above).await?;
    content.recorder.append(vec![sealed.record.clone()]).await?;
    Ok(Some(sealed))
}

fn subject(gateway: &Inner, case: &mut Case, request: RequestId, rule: &Arc<HandlingRule>, capability: Arc<Capability>) -> Option<Subject> {
    let tenant = case.key.as_ref()?.record.tenant.clone();
    let person = case.envelope(gateway).user_pseudonym.as_ref().and_then(|person| person.parse().ok());
    Some(Subject { request, tenant, person, capability, rule: Arc::clone(rule) })
}

/// The events of feedback stand under the request that it is about, with who gave it.
fn in_the_trail_of(gateway: &Inner, case: &mut Case, request: RequestId, kinds: impl Iterator<Item = Kind>) -> Vec<Event> {
    let own = case.envelope(gateway);
    let envelope = Arc::new(Envelope { request_id: Some(Text::from(request.to_string())), ..Envelope::clone(&own) });
    let event = |kind| Event {
        event_id: Text::from(gateway.ids.event_id().to_string()),
        time: gateway.clock.now(),
        envelope: Arc::clone(&envelope),
        kind,
    };
    kinds.map(event).collect()
}

impl Handled {
    const fn word(self) -> Option<&'static str> {
        match self {
            Self::NotGiven => None,
            Self::Dropped => Some("dropped"),
            Self::Sealed => Some("sealed"),
        }
    }
}
