//! Recorded: the intent is durable, and only now may the attempt leave. What cannot be recorded does not proceed (PATH-13).

use std::sync::Arc;

use custody_event::Event;
use custody_model::protection::Admission;

use super::{
    Stopped,
    case::Case,
    measure::{self, Attempt},
    route::{Plan, Routed},
};
use crate::{encode, gateway::Inner, recorder::OpenRecord, refusal::Refusal, stage::Stage, workspace::RouteConfig};

/// A request whose intent is durable.
pub(super) struct Recorded {
    pub(super) case: Case,
    pub(super) plan: Plan,
    pub(super) route: Arc<RouteConfig>,
    pub(super) leave: Option<Admission>,
    pub(super) open: Box<dyn OpenRecord>,
    _private: (),
}

pub(super) async fn record(gateway: &Inner, routed: Routed) -> Result<Recorded, Box<Stopped>> {
    let Routed { mut case, plan, route, leave, mut pending, open, .. } = routed;
    case.enter(gateway, Stage::Record);
    if gateway.is_off(Stage::Record) {
        forget_attempt(&mut case, &mut pending, open.is_none());
        return Err(Box::new(Stopped { case, refusal: Refusal::switched_off("record"), open, pending }));
    }
    let first = open.is_none();
    if first {
        pending.insert(0, case.request_event(gateway));
    }
    let Ok(records) = encode::all(&pending) else {
        return Err(Box::new(Stopped { case, refusal: Refusal::defect(), open, pending: Vec::new() }));
    };
    let recorded = match open {
        None => gateway.recorder.admit(case.id.key(), records).await.map_err(|error| (error, None)),
        Some(mut open) => match open.record(records).await {
            Ok(_) => Ok(open),
            Err(error) => Err((error, Some(open))),
        },
    };
    match recorded {
        Ok(open) => confirmed(gateway, Recorded { case, plan, route, leave, open, _private: () }).await,
        Err((error, open)) => {
            forget_attempt(&mut case, &mut pending, first);
            Err(Box::new(Stopped { case, refusal: Refusal::unrecorded(&error), open, pending }))
        }
    }
}

/// Where the control level wants the intent to survive the machine, the attempt waits until the log has it too (D2).
async fn confirmed(gateway: &Inner, recorded: Recorded) -> Result<Recorded, Box<Stopped>> {
    let ack = gateway.workspace.settings.recording.ack(recorded.plan.capability.policy.facts().control_level);
    let Err(unconfirmed) = gateway.recorder.confirm(recorded.open.end(), ack).await else { return Ok(recorded) };
    let Recorded { mut case, route, open, .. } = recorded;
    let refusal = Refusal::unconfirmed(unconfirmed);
    let attempt = Attempt::not_sent(gateway, refusal.code);
    let pending = vec![measure::invocation(gateway, &mut case, &route, &attempt)];
    Err(Box::new(Stopped { case, refusal, open: Some(open), pending }))
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
