//! A model that is none, and says so in every answer. Deterministic: the same request gets the same answer.
//!
//! It costs about as much CPU as copying the answer, speaks about as many words as it counts tokens, fills a JSON schema where
//! the request has one, and can be steered by a directive at the start of the last user message: see [`Directive`].

mod directive;
mod filler;
mod plan;
mod schema;

use async_trait::async_trait;
use custody_dialect::StreamEvent;
use custody_types::Text;

pub use directive::{Directive, DirectiveError};
pub use plan::{Fault, Plan};

use crate::{AnswerFacts, ErrorKind, Model, ModelAnswer, ModelCall, ModelError, ModelStream, Provider};

/// The model that the simulator says it used.
pub const SIMULATED_MODEL: &str = "simulator";

/// The simulator as a model.
#[derive(Debug, Clone, Copy, Default)]
pub struct Simulator;

#[async_trait]
impl Model for Simulator {
    fn provider(&self) -> Provider {
        Provider::Simulator
    }

    async fn call(&self, call: ModelCall) -> Result<ModelAnswer, ModelError> {
        let (plan, facts) = begin(&call).await?;
        match plan.fault {
            Some(Fault::Garbage) => Err(error(ErrorKind::Garbage, &facts)),
            Some(Fault::CutAfter(_)) => Err(error(ErrorKind::Cut, &facts)),
            Some(Fault::ErrorAfter(_)) => Err(error(ErrorKind::ErrorInStream, &facts)),
            Some(Fault::Status { .. }) | None => Ok(ModelAnswer { answer: plan.answer(), facts }),
        }
    }

    async fn stream(&self, call: ModelCall) -> Result<ModelStream, ModelError> {
        let (plan, facts) = begin(&call).await?;
        let chunk_delay = plan.chunk_delay;
        let steps = plan.steps().map({
            let facts = facts.clone();
            move |step| step.map(|event| vec![event]).map_err(|kind| error(kind, &facts))
        });
        let batches = futures::stream::unfold(steps, move |mut steps| async move {
            let step = steps.next()?;
            if !chunk_delay.is_zero() && matches!(step.as_deref(), Ok([StreamEvent::Delta(_), ..])) {
                tokio::time::sleep(chunk_delay).await;
            }
            Some((step, steps))
        });
        Ok(ModelStream::new(facts, batches))
    }
}

/// Plans the answer, waits as told, and refuses as told.
async fn begin(call: &ModelCall) -> Result<(Plan, AnswerFacts), ModelError> {
    let request_id: Text = format!("sim-{}", call.request_id).into();
    let mut facts = AnswerFacts { http_status: 200, provider_request_id: Some(request_id) };
    let Ok(plan) = Plan::of(&call.request) else {
        facts.http_status = 400;
        return Err(error(ErrorKind::Refused { status: 400 }, &facts));
    };
    if Directive::of(&call.request).is_ok_and(|directive| directive.defect) {
        fail_with_a_quote(directive::last_words(&call.request));
    }
    if !plan.delay.is_zero() {
        tokio::time::sleep(plan.delay).await;
    }
    if let Some(Fault::Status { status, retry_after }) = plan.fault {
        facts.http_status = status;
        return Err(ModelError { retry_after, ..error(ErrorKind::Refused { status }, &facts) });
    }
    Ok((plan, facts))
}

/// As a defect of ours might, so that tests see what becomes of a panic's message.
#[expect(clippy::panic, reason = "asked for by a test; a build without debug assertions does not come here")]
fn fail_with_a_quote(text: &str) {
    panic!("the simulator was told to fail on `{text}`");
}

fn error(kind: ErrorKind, facts: &AnswerFacts) -> ModelError {
    let provider_request_id = facts.provider_request_id.clone();
    ModelError { http_status: Some(facts.http_status), provider_request_id, ..ModelError::new(kind) }
}

#[cfg(test)]
mod tests;
