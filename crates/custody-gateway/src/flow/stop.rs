//! How a request ends that gets no answer: its outcome is made durable, then the caller is told.

use custody_event::{Event, Kind, Outcome};
use custody_log::AppendError;
use custody_types::{Fault, Text};

use super::{
    case::{Case, micros},
    measure,
};
use crate::{
    encode,
    gateway::Inner,
    http::Reply,
    recorder::OpenRecord,
    refusal::{OutcomeClass, Refusal},
    stage::Stage,
};

/// A request that a stage stopped.
pub(crate) struct Stopped {
    pub(super) case: Case,
    pub(super) refusal: Refusal,
    /// The open record, where the intent was durable: its outcome is owed.
    pub(super) open: Option<Box<dyn OpenRecord>>,
    /// Facts of the last attempt that are not durable yet.
    pub(super) pending: Vec<Event>,
}

impl Case {
    /// Stops a request whose intent is not durable.
    pub(super) fn stop(self, refusal: Refusal) -> Box<Stopped> {
        Box::new(Stopped { case: self, refusal, open: None, pending: Vec::new() })
    }

    /// Refuses where the stage is switched off (PATH-16), else begins it.
    pub(super) fn begin(mut self, gateway: &Inner, stage: Stage) -> Result<Self, Box<Stopped>> {
        self.enter(gateway, stage);
        if gateway.is_off(stage) { Err(self.stop(Refusal::switched_off(stage.as_str()))) } else { Ok(self) }
    }

    /// The outcome event, by what is known now.
    pub(super) fn outcome_event(&mut self, gateway: &Inner, ending: &Ending<'_>) -> Event {
        let stage = self.stage;
        self.enter(gateway, stage);
        let (duration, overhead) = self.elapsed(gateway);
        let answered = matches!(ending.class, OutcomeClass::Answered | OutcomeClass::Truncated);
        let outcome = Outcome {
            class: Text::from(ending.class.as_str()),
            http_status: i32::from(ending.status),
            code: ending.code.map(Text::from),
            stage: gateway.words.stage(stage),
            attempts: self.attempts,
            duration_us: Some(micros(duration)),
            overhead_us: Some(micros(overhead)),
            stage_us: self.take_stage_times(),
            guardrail_status: Text::from(self.guardrail.as_str()),
            retrieval_status: gateway.words.not_required.clone(),
            retrieved_documents: Vec::new(),
            handling: self.capability.as_ref().map(|capability| Text::from(capability.handling.as_str())),
            recovered: false,
            delivered_bytes: self.delivered_bytes,
            feedback_ref: answered.then(|| self.id_text.clone()),
        };
        self.event(gateway, Kind::Outcome(outcome))
    }
}

/// How a request ends.
pub(super) struct Ending<'a> {
    pub(super) class: OutcomeClass,
    pub(super) status: u16,
    pub(super) code: Option<&'a str>,
}

/// What the caller gets in place of what is not durable, whatever it was; and the line that an operator acts on. `error` is none
/// where the event could not even be written. Once a request was admitted a model may have been called, so `not sent, try again`
/// would be wrong.
pub(super) fn not_durable(case: &Case, error: Option<&AppendError>, admitted: bool) -> Refusal {
    let code = error.map_or("event_unencodable", Fault::code);
    let request_id = &*case.id_text;
    match error {
        Some(full @ AppendError::Full { .. }) if !admitted => {
            // Backpressure, which the metrics count: callers must not be able to fill the log.
            tracing::debug!(request_id, code, "a refusal was not recorded");
            Refusal::unrecorded(full)
        }
        _ => {
            tracing::error!(request_id, code, "an outcome could not be made durable");
            Refusal::unrecorded(&AppendError::Failed)
        }
    }
}

/// Makes the outcome durable and tells the caller. Where even that fails, the caller is told that instead.
pub(super) async fn settle(gateway: &Inner, stopped: Stopped, reply: &mut Reply) {
    let Stopped { mut case, mut refusal, open, mut pending } = stopped;
    let admitted = open.is_some();
    if !admitted {
        pending.insert(0, case.request_event(gateway));
    }
    match case.keep_texts(gateway).await {
        Ok(kept) => pending.extend(kept.into_iter().flat_map(|kept| kept.events)),
        Err(not_kept) => refusal = not_kept,
    }
    let ending = Ending { class: refusal.class, status: case.wire.front.status(&refusal), code: Some(refusal.code) };
    pending.push(case.outcome_event(gateway, &ending));
    let recorded = match (encode::all(&pending), open) {
        (Err(_), _) => Err(None),
        (Ok(records), Some(open)) => open.close(records).await.map_err(Some),
        (Ok(records), None) => gateway.recorder.append(records).await.map_err(Some),
    };
    let durable = match recorded {
        Ok(appended) => Some(appended),
        Err(error) => {
            refusal = not_durable(&case, error.as_ref(), admitted);
            None
        }
    };
    measure::ended(gateway, &case, refusal.class, Some(&refusal));
    let (_, overhead) = case.elapsed(gateway);
    reply.refuse(&case.id_text, &refusal, durable.as_ref(), overhead).await;
}
