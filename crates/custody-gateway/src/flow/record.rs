//! Recorded: the intent is durable, and only now may the attempt leave. What cannot be recorded does not proceed (PATH-13), nor does
//! what must be kept and cannot be.

use std::sync::Arc;

use bytes::Bytes;
use custody_event::Event;
use custody_log::AppendError;
use custody_model::protection::Admission;

use super::{
    Stopped,
    case::Case,
    content::{self, Begun},
    measure::{self, Attempt},
    route::{Plan, Routed},
};
use crate::{content::CaptureError, encode, gateway::Inner, recorder::OpenRecord, refusal::Refusal, stage::Stage, workspace::RouteConfig};

/// A request whose intent is durable.
pub(super) struct Recorded {
    pub(super) case: Case,
    pub(super) plan: Plan,
    pub(super) route: Arc<RouteConfig>,
    pub(super) leave: Option<Admission>,
    pub(super) open: Box<dyn OpenRecord>,
    _private: (),
}

/// Why no intent is durable, and the open record of earlier attempts.
type Unrecorded = (AppendError, Option<Box<dyn OpenRecord>>);

/// The first attempt's intent has the request event before it and the content event behind the prompt's.
const PROMPT_TEXT_AT: usize = 2;

pub(super) async fn record(gateway: &Inner, routed: Routed) -> Result<Recorded, Box<Stopped>> {
    let Routed { mut case, plan, route, leave, mut pending, open, .. } = routed;
    case.enter(gateway, Stage::Record);
    if gateway.is_off(Stage::Record) {
        forget_attempt(&mut case, &mut pending, open.is_none());
        return Err(Box::new(Stopped { case, refusal: Refusal::switched_off("record"), open, pending }));
    }
    let first = open.is_none();
    let mut begun = None;
    if first {
        begun = match content::begin(gateway, &mut case, &plan).await {
            Ok(begun) => begun,
            Err(error) => {
                content::tell(&case, &error);
                forget_attempt(&mut case, &mut pending, first);
                return Err(Box::new(Stopped { case, refusal: Refusal::uncaptured(&error), open, pending }));
            }
        };
        pending.insert(0, case.request_event(gateway));
        if let Some(begun) = &mut begun {
            let at = PROMPT_TEXT_AT.min(pending.len());
            pending.splice(at..at, begun.events.drain(..));
        }
    }
    let Ok(records) = encode::all(&pending) else {
        return Err(Box::new(Stopped { case, refusal: Refusal::defect(), open, pending: Vec::new() }));
    };
    let (recorded, kept) = match (open, begun) {
        (None, Some(begun)) => admit_with_texts(gateway, &mut case, records, begun).await,
        (None, None) => (gateway.recorder.admit(case.id.key(), records).await.map_err(|error| (error, None)), Ok(())),
        (Some(open), _) => (record_again(open, records).await, Ok(())),
    };
    match (recorded, kept) {
        (Ok(open), Ok(())) => confirmed(gateway, Recorded { case, plan, route, leave, open, _private: () }).await,
        (Ok(open), Err(error)) => {
            content::tell(&case, &error);
            let recorded = Recorded { case, plan, route, leave, open, _private: () };
            Err(not_sent(gateway, recorded, Refusal::uncaptured(&error)))
        }
        (Err((error, open)), _) => {
            forget_attempt(&mut case, &mut pending, first);
            Err(Box::new(Stopped { case, refusal: Refusal::unrecorded(&error), open, pending }))
        }
    }
}

/// The two journals sync beside each other. Texts whose intent is not durable are ended when the request is settled.
async fn admit_with_texts(
    gateway: &Inner,
    case: &mut Case,
    records: Vec<Bytes>,
    begun: Begun,
) -> (Result<Box<dyn OpenRecord>, Unrecorded>, Result<(), CaptureError>) {
    let (recorded, kept) = tokio::join!(gateway.recorder.admit(case.id.key(), records), begun.admit(gateway));
    let kept = kept.map(|open| case.content = Some(open));
    (recorded.map_err(|error| (error, None)), kept)
}

async fn record_again(mut open: Box<dyn OpenRecord>, records: Vec<Bytes>) -> Result<Box<dyn OpenRecord>, Unrecorded> {
    match open.record(records).await {
        Ok(_) => Ok(open),
        Err(error) => Err((error, Some(open))),
    }
}

/// Where the control level wants the intent to survive the machine, the attempt waits until the log has it too (D2).
async fn confirmed(gateway: &Inner, recorded: Recorded) -> Result<Recorded, Box<Stopped>> {
    let ack = gateway.workspace.settings.recording.ack(recorded.plan.capability.policy.facts().control_level);
    let texts = recorded.case.content.as_ref().map(content::OpenContent::end);
    let confirmed = tokio::try_join!(gateway.recorder.confirm(recorded.open.end(), ack), content::confirm(gateway, texts, ack));
    let Err(unconfirmed) = confirmed else { return Ok(recorded) };
    Err(not_sent(gateway, recorded, Refusal::unconfirmed(unconfirmed)))
}

/// The intent is durable, and the attempt does not leave.
fn not_sent(gateway: &Inner, recorded: Recorded, refusal: Refusal) -> Box<Stopped> {
    let Recorded { mut case, route, open, .. } = recorded;
    let attempt = Attempt::not_sent(gateway, refusal.code);
    let pending = vec![measure::invocation(gateway, &mut case, &route, &attempt)];
    Box::new(Stopped { case, refusal, open: Some(open), pending })
}

/// The attempt does not leave: what was said of it is no fact. A failed attempt before it stays one.
fn forget_attempt(case: &mut Case, pending: &mut Vec<Event>, first: bool) {
    case.attempts -= 1;
    if first {
        pending.clear();
    } else {
        pending.pop();
    }
}
