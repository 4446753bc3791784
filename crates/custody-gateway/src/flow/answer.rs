//! Answered: one attempt on the recorded route (PATH-11). Whole where the answer is checked as a whole before anything goes
//! out; in pieces where the caller asked for a stream.

use std::{sync::Arc, time::Duration};

use custody_dialect::{Assembler, ChatAnswer, StreamEvent};
use custody_event::Event;
use custody_model::{AnswerFacts, ErrorKind, Model, ModelCall, ModelError, TimeoutPhase};
use custody_types::{Clock, Fault};

use super::{
    Stopped,
    case::Case,
    labels,
    measure::{self, Attempt, Facts},
    record::Recorded,
    relay::Relay,
    route::Plan,
    told,
};
use crate::{
    gateway::Inner,
    http::Reply,
    recorder::OpenRecord,
    refusal::{OutcomeClass, Refusal},
    stage::Stage,
    workspace::RouteConfig,
};

/// How an attempt ended.
pub(super) enum Attempted {
    Answered(Box<Answered>),
    Failed(Box<Failed>),
}

/// A request with a whole answer, which nobody has checked yet.
pub(super) struct Answered {
    pub(super) case: Case,
    pub(super) plan: Plan,
    pub(super) route: Arc<RouteConfig>,
    pub(super) open: Box<dyn OpenRecord>,
    pub(super) answer: ChatAnswer,
    pub(super) facts: Facts,
    /// The pieces that already went out, where the answer is streamed.
    pub(super) relay: Option<Relay>,
    _private: (),
}

/// A request whose last attempt failed.
pub(super) struct Failed {
    pub(super) case: Case,
    pub(super) plan: Plan,
    pub(super) open: Box<dyn OpenRecord>,
    pub(super) pending: Vec<Event>,
    pub(super) error: AttemptError,
    _private: (),
}

/// What a failed attempt means for the request.
pub(super) struct AttemptError {
    pub(super) retryable: bool,
    pub(super) refusal: Refusal,
    /// Whether the same route would fail in the same way.
    pub(super) same_again: bool,
    /// How long the provider asks to wait.
    pub(super) retry_after: Option<Duration>,
}

pub(super) async fn answer(gateway: &Inner, recorded: Recorded, reply: &mut Reply) -> Result<Attempted, Box<Stopped>> {
    let Recorded { mut case, plan, route, leave, open, .. } = recorded;
    case.enter(gateway, Stage::Answer);
    if gateway.is_off(Stage::Answer) {
        let attempt = Attempt::not_sent(gateway, "stage_disabled");
        let pending = vec![measure::invocation(gateway, &mut case, &route, &attempt)];
        return Err(Box::new(Stopped { case, refusal: Refusal::switched_off("answer"), open: Some(open), pending }));
    }
    let mut relay = relay_for(&case, &plan);
    let mut attempt = make_attempt(gateway, &case, &plan, &route, relay.as_mut(), reply).await;
    case.add_model_time(attempt.duration_us);
    let now = gateway.clock.monotonic_micros();
    if let Some(change) = gateway.protection.ended(&route.name, leave, now, attempt.verdict()) {
        gateway.record_breaker(&route.name, change).await;
    }
    let number = case.attempts;
    if let Some(content) = &mut case.content {
        content.take_answer(number, &attempt);
    }
    case.delivered_bytes = relay.as_ref().map(Relay::delivered_bytes);
    let facts = Facts::of(gateway, &mut case, &route, &attempt);
    attempt.answer.counts = told::counts(&facts.invocation);
    match attempt.error {
        None => Ok(Attempted::Answered(Box::new(Answered { case, plan, route, open, answer: attempt.answer, facts, relay, _private: () }))),
        Some(error) => {
            let pending = facts.into_events(None);
            Ok(Attempted::Failed(Box::new(Failed { case, plan, open, pending, error: meaning(&error, reply), _private: () })))
        }
    }
}

/// An answer that a schema checks is kept back whole; any other streamed one is passed on as it comes.
fn relay_for(case: &Case, plan: &Plan) -> Option<Relay> {
    let relayed = plan.chat.stream && plan.capability.validation.schema.is_none();
    relayed.then(|| Relay::new(case, plan))
}

async fn make_attempt(
    gateway: &Inner,
    case: &Case,
    plan: &Plan,
    route: &RouteConfig,
    relay: Option<&mut Relay>,
    reply: &mut Reply,
) -> Attempt {
    let mut attempt = Attempt::starting(gateway);
    let started = gateway.clock.monotonic_micros();
    let Some(model) = gateway.models.get(&route.name) else {
        attempt.error = Some(ModelError::new(ErrorKind::ConnectFailed));
        return attempt;
    };
    let call = ModelCall {
        request: Arc::clone(&plan.chat),
        model: route.model.clone(),
        end_user: None,
        labels: labels::of(case, plan, route),
        request_id: Arc::clone(&case.id_text),
    };
    let bound = gateway.workspace.settings.limits.attempt_timeout;
    let ended = match relay {
        None => tokio::time::timeout(bound, whole(model.as_ref(), call, &mut attempt)).await,
        Some(relay) => {
            relay.route_taken(route);
            let mut assembler = Assembler::new(usize::try_from(gateway.workspace.settings.limits.max_answer_bytes).unwrap_or(usize::MAX));
            let pieces = Pieces { gateway, started, relay, reply, attempt: &mut attempt, assembler: &mut assembler };
            let ended = tokio::time::timeout(bound, pieces.pass_on(model.as_ref(), call)).await;
            attempt.answer = assembler.into_answer();
            ended
        }
    };
    attempt.duration_us = gateway.clock.monotonic_micros().saturating_sub(started);
    let out_of_time = if attempt.waited_for_caller() { ErrorKind::CallerTooSlow } else { ErrorKind::TimedOut(TimeoutPhase::Total) };
    attempt.error = ended.unwrap_or_else(|_| Err(ModelError::new(out_of_time))).err();
    attempt
}

async fn whole(model: &dyn Model, call: ModelCall, attempt: &mut Attempt) -> Result<(), ModelError> {
    let answer = model.call(call).await?;
    attempt.facts = answer.facts;
    attempt.answer = answer.answer;
    Ok(())
}

/// One streamed attempt. What arrived stays with its owner, who may end the wait.
struct Pieces<'a> {
    gateway: &'a Inner,
    started: u64,
    relay: &'a mut Relay,
    reply: &'a mut Reply,
    attempt: &'a mut Attempt,
    assembler: &'a mut Assembler,
}

impl Pieces<'_> {
    /// Passes pieces on as they come, all but the end. A caller who hung up stops nothing: the usage stands at the end.
    async fn pass_on(mut self, model: &dyn Model, call: ModelCall) -> Result<(), ModelError> {
        let mut stream = model.stream(call).await?;
        self.attempt.facts = AnswerFacts::clone(stream.facts());
        while let Some(batch) = stream.next().await {
            self.take(&batch?)?;
            self.hand_over().await;
        }
        if self.assembler.is_complete() { Ok(()) } else { Err(ModelError::new(ErrorKind::Cut)) }
    }

    /// Hands over what came. The wait is counted up as it goes on: the attempt's time may end inside it.
    async fn hand_over(&mut self) {
        let clock = self.gateway.clock.as_ref();
        let _waited = Waited { clock, since: clock.monotonic_micros(), sum: &mut self.attempt.caller_us };
        self.relay.flush(self.reply).await;
    }

    fn take(&mut self, events: &[StreamEvent]) -> Result<(), ModelError> {
        self.attempt.chunks = Some(self.attempt.chunks.unwrap_or(0) + super::case::size(events.len()));
        for event in events {
            self.assembler.add(event).map_err(|_| ModelError::new(ErrorKind::TooLarge))?;
            let StreamEvent::Delta(delta) = event else { continue };
            if delta.has_content() && self.attempt.first_token_us.is_none() {
                self.attempt.first_token_us = Some(self.gateway.clock.monotonic_micros().saturating_sub(self.started));
            }
            self.relay.take(delta);
        }
        Ok(())
    }
}

/// A wait for the caller's connection, added up when it ends, however it ends.
struct Waited<'a> {
    clock: &'a dyn Clock,
    since: u64,
    sum: &'a mut u64,
}

impl Drop for Waited<'_> {
    fn drop(&mut self) {
        *self.sum += self.clock.monotonic_micros().saturating_sub(self.since);
    }
}

/// What a failed attempt means: nothing is tried again once the caller saw a piece, or is gone.
fn meaning(error: &ModelError, reply: &Reply) -> AttemptError {
    let status = error.caller_status();
    let mut refusal = Refusal::upstream(status, error.code(), "the model did not give an answer");
    refusal.retry_after = error.retry_after.or((status == 429 || status == 503).then_some(Duration::from_secs(1)));
    let started = reply.has_started();
    if reply.is_gone() {
        refusal = Refusal::abandoned();
    } else if started {
        refusal = Refusal { code: refusal.code, class: OutcomeClass::Interrupted, ..Refusal::interrupted() };
    }
    let retryable = error.retryable() && !started && !reply.is_gone();
    let same_again = matches!(error.kind, ErrorKind::Untranslatable);
    AttemptError { retryable, refusal, same_again, retry_after: error.retry_after }
}
