//! Released: the outcome is durable, then the caller gets the answer, or the end of the stream. Never the other way round.

use custody_dialect::{ChatAnswer, FinishReason, openai::AnswerHead};

use super::{
    Stopped,
    case::{Case, Spent},
    content, measure,
    relay::Relay,
    route::Plan,
    stop::{Ending, not_durable},
    validate::Validated,
};
use crate::{
    encode,
    gateway::Inner,
    http::{AnswerHeaders, Reply},
    refusal::{OutcomeClass, Refusal},
    stage::Stage,
    workspace::Capability,
};

pub(super) async fn release(gateway: &Inner, validated: Validated, reply: &mut Reply) -> Result<(), Box<Stopped>> {
    let Validated { mut case, plan, route, open, answer, relay, mut pending, .. } = validated;
    case.enter(gateway, Stage::Release);
    let stopped =
        if gateway.is_off(Stage::Release) { Some(Refusal::switched_off("release")) } else { reply.is_gone().then(Refusal::abandoned) };
    if let Some(refusal) = stopped {
        return Err(Box::new(Stopped { case, refusal, open: Some(open), pending }));
    }
    let texts = match case.keep_texts(gateway).await {
        Ok(kept) => kept,
        Err(refusal) => return Err(Box::new(Stopped { case, refusal, open: Some(open), pending })),
    };
    let texts_end = texts.as_ref().map(|kept| kept.end);
    pending.extend(texts.into_iter().flat_map(|kept| kept.events));
    let class = class_of(&answer);
    pending.push(case.outcome_event(gateway, &Ending { class, status: 200, code: None }));
    let Ok(records) = encode::all(&pending) else {
        return Err(Box::new(Stopped { case, refusal: Refusal::defect(), open: Some(open), pending: Vec::new() }));
    };
    let durable = match open.close(records).await {
        Err(error) => Err(not_durable(&case, Some(&error), true)),
        Ok(appended) => {
            let ack = gateway.workspace.settings.recording.ack(plan.capability.policy.facts().control_level);
            let confirmed = tokio::try_join!(gateway.recorder.confirm(appended.end, ack), content::confirm(gateway, texts_end, ack));
            confirmed.map(|_| appended).map_err(Refusal::unconfirmed)
        }
    };
    let (duration, overhead) = case.elapsed(gateway);
    match durable {
        Err(refusal) => {
            measure::ended(gateway, &case, refusal.class, Some(&refusal));
            reply.refuse(&case.id_text, &refusal, None, overhead).await;
        }
        Ok(appended) => {
            measure::ended(gateway, &case, class, None);
            let headers = AnswerHeaders {
                request_id: case.id_text.clone(),
                route: Some(route.name.text()),
                cost: match case.spent {
                    Spent::Known(amount) => Some(amount),
                    Spent::Unknown => None,
                },
                evidence: Some(appended),
                overhead_us: Some(overhead),
                outcome: Some(class.as_str()),
            };
            let told = Told { answer: &answer, headers: &headers, latency_ms: duration / 1_000 };
            hand_over(&case, &plan, relay, told, reply).await;
        }
    }
    Ok(())
}

/// What the provider calls malformed is so, even where the capability lets it out with a flag.
fn class_of(answer: &ChatAnswer) -> OutcomeClass {
    match answer.finish {
        Some(FinishReason::MalformedOutput | FinishReason::MalformedToolUse) => OutcomeClass::InvalidOutput,
        Some(finish) if finish.is_truncated() => OutcomeClass::Truncated,
        _ => OutcomeClass::Answered,
    }
}

/// What goes out at the end.
struct Told<'a> {
    answer: &'a ChatAnswer,
    headers: &'a AnswerHeaders,
    latency_ms: u64,
}

async fn hand_over(case: &Case, plan: &Plan, relay: Option<Relay>, told: Told<'_>, reply: &mut Reply) {
    let Told { answer, headers, latency_ms } = told;
    match relay {
        Some(relay) => reply.finish(headers, relay.end(answer, latency_ms).into()).await,
        None if plan.chat.stream => reply.finish(headers, Relay::new(case, plan).whole(answer, latency_ms).into()).await,
        None => {
            let id = case.completion_id();
            let body = case.wire.front.answer(&case.answer_head(&id, &plan.capability), answer, latency_ms);
            reply.answer(headers, body.into());
        }
    }
}

impl Case {
    pub(super) fn completion_id(&self) -> String {
        format!("chatcmpl-{}", self.id_text)
    }

    pub(super) fn answer_head<'a>(&self, id: &'a str, capability: &'a Capability) -> AnswerHead<'a> {
        AnswerHead { id, created: self.received_at.micros().div_euclid(1_000_000), model: capability.name.as_str() }
    }
}
