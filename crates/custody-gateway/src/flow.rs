//! The governed flow (D10): a chain of states, each made by one stage only. If it compiles, no model was called before policy
//! said yes and the intent was durable, and no answer went out before its outcome was durable.
//!
//! ```text
//! Received → Identified → Understood → Authorised → Assembled → Routed → Recorded → Answered → Validated → released
//!                                                                 ↑__________________|  an attempt failed: next one
//! ```
//! A stage that stops the request gives a `Stopped`, which is recorded and then answered by [`stop`].

mod answer;
mod assemble;
mod authorise;
mod case;
mod caught;
mod charge;
mod content;
mod feedback;
mod foreign_word;
mod guardrail;
mod identify;
mod labels;
mod measure;
mod receive;
mod record;
mod relay;
mod release;
mod route;
mod stop;
mod told;
mod understand;
mod validate;

pub(crate) use case::Wire;
pub(crate) use feedback::feedback;
pub(crate) use route::GUARDRAIL;
pub(crate) use stop::Stopped;

use std::sync::Arc;

use custody_types::{RequestId, Text};

use self::{answer::Attempted, case::Case, caught::Panicked};
use crate::{
    gateway::Inner,
    http::{Arrival, Reply},
    refusal::{OutcomeClass, Refusal},
    stage::Stage,
    workspace::ApiKey,
};

/// What stays of a request when its handling panics.
#[derive(Default)]
struct Footprint {
    key: Option<Arc<ApiKey>>,
    recorded: Recorded,
}

/// Whose matter the record of a request is.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Recorded {
    /// Nothing of it is durable.
    #[default]
    Nothing,
    /// Its intent is durable. An admission that is dropped becomes an orphan, whose owner writes the outcome.
    Intent,
    /// It is being settled, or was: a second outcome must not be written.
    Settled,
}

/// Takes one request from its head to its durable end. Runs in a task of its own, so that a caller who hangs up stops nothing.
pub(crate) async fn govern(gateway: &Inner, arrival: Arrival, mut reply: Reply) {
    let id = gateway.ids.request_id();
    let wire = arrival.wire.clone();
    let mut footprint = Footprint::default();
    let handled = caught::caught(handle(gateway, id, arrival, &mut reply, &mut footprint)).await;
    if let Err(Panicked) = handled {
        answer_for_defect(gateway, Case::new(gateway, id, wire), footprint, &mut reply).await;
    }
}

/// The caller is told; what nobody else will record is recorded. The stage that such an outcome names is the last one known to be
/// over.
async fn answer_for_defect(gateway: &Inner, mut case: Case, footprint: Footprint, reply: &mut Reply) {
    tracing::error!(request_id = &*case.id_text, "a request ended by a panic");
    if let Some(key) = footprint.key {
        case.hasher = gateway.hasher.tenant(&key.record.tenant.text());
        case.stage = Stage::Identify;
        case.key = Some(key);
    }
    let refusal = Refusal::defect();
    if footprint.recorded == Recorded::Nothing {
        stop::settle(gateway, *case.stop(refusal), reply).await;
        return;
    }
    measure::ended(gateway, &case, OutcomeClass::Failed, Some(&refusal));
    let (_, overhead) = case.elapsed(gateway);
    reply.refuse(&case.id_text, &refusal, None, overhead).await;
}

async fn handle(gateway: &Inner, id: RequestId, arrival: Arrival, reply: &mut Reply, footprint: &mut Footprint) {
    if let Err(stopped) = run(gateway, id, arrival, reply, footprint).await {
        footprint.recorded = Recorded::Settled;
        stop::settle(gateway, *stopped, reply).await;
    }
}

async fn run(gateway: &Inner, id: RequestId, arrival: Arrival, reply: &mut Reply, footprint: &mut Footprint) -> Result<(), Box<Stopped>> {
    let received = receive::receive(gateway, id, arrival)?;
    let identified = identify::identify(gateway, received)?;
    footprint.key = Some(identified.key());
    let understood = understand::understand(gateway, identified).await?;
    let authorised = authorise::authorise(gateway, understood)?;
    let assembled = assemble::assemble(gateway, authorised)?;
    let mut routed = route::route(gateway, assembled)?;
    let answered = loop {
        let recorded = record::record(gateway, routed).await?;
        footprint.recorded = Recorded::Intent;
        match answer::answer(gateway, recorded, reply).await? {
            Attempted::Answered(answered) => break *answered,
            Attempted::Failed(failed) => routed = route::reroute(gateway, *failed).await?,
        }
    };
    let validated = validate::validate(gateway, answered)?;
    release::release(gateway, validated, reply).await
}

/// Who asks, for what is no inference. A caller without an accepted key is refused and recorded like everywhere.
pub(crate) async fn identify_only(gateway: &Inner, arrival: Arrival, reply: &mut Reply) -> Option<(Text, Arc<ApiKey>)> {
    let identified =
        receive::receive(gateway, gateway.ids.request_id(), arrival).and_then(|received| identify::identify(gateway, received));
    match identified {
        Ok(identified) => Some((identified.request_id(), identified.key)),
        Err(stopped) => {
            stop::settle(gateway, *stopped, reply).await;
            None
        }
    }
}
