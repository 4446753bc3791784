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
mod identify;
mod measure;
mod receive;
mod record;
mod relay;
mod release;
mod route;
mod stop;
mod understand;
mod validate;

pub(crate) use case::Wire;
pub(crate) use stop::Stopped;

use std::sync::Arc;

use custody_types::Text;

use self::answer::Attempted;
use crate::{
    gateway::Inner,
    http::{Arrival, Reply},
    workspace::ApiKey,
};

/// Takes one request from its head to its durable end. Runs in a task of its own, so that a caller who hangs up stops nothing.
pub(crate) async fn govern(gateway: &Inner, arrival: Arrival, mut reply: Reply) {
    if let Err(stopped) = run(gateway, arrival, &mut reply).await {
        stop::settle(gateway, *stopped, &mut reply).await;
    }
}

async fn run(gateway: &Inner, arrival: Arrival, reply: &mut Reply) -> Result<(), Box<Stopped>> {
    let received = receive::receive(gateway, arrival)?;
    let identified = identify::identify(gateway, received)?;
    let understood = understand::understand(gateway, identified).await?;
    let authorised = authorise::authorise(gateway, understood)?;
    let assembled = assemble::assemble(gateway, authorised)?;
    let mut routed = route::route(gateway, assembled)?;
    let answered = loop {
        let recorded = record::record(gateway, routed).await?;
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
    let identified = receive::receive(gateway, arrival).and_then(|received| identify::identify(gateway, received));
    match identified {
        Ok(identified) => Some((identified.request_id(), identified.key)),
        Err(stopped) => {
            stop::settle(gateway, *stopped, reply).await;
            None
        }
    }
}
