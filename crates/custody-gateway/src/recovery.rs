//! Recovery: requests that an earlier boot left open get the outcome they are owed, with what is known (D2).
//!
//! ```text
//! attempt with a route event and no invocation event   → invocation (unknown), cost (usage_unknown)
//! every open request                                   → outcome (abandoned, recovered)
//! ```

use std::{collections::BTreeSet, sync::Arc};

use custody_event::{Cost, Decoder, Envelope, Event, Invocation, Kind, Outcome, Route};
use custody_log::{AppendError, OpenRequest};
use custody_price::{Finding, PriceBook};
use custody_types::{Clock, Fault, FaultOwner, IdSource, LogRecord, RequestId, Retry, Text};

use crate::{encode, flow::GUARDRAIL, refusal::OutcomeClass, stage::Stage, workspace::Workspace};

/// What recovery wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecoveredRequests {
    /// Requests that now have their outcome.
    pub closed: u64,
    /// Of them, those of whose records at least one could not be read.
    pub unreadable: u64,
}

/// An outcome could not be made durable; the gateway must not start.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// The journal did not take it.
    #[error("the outcome of an interrupted request could not be made durable")]
    Append(#[from] AppendError),
    /// The event could not be written: a defect.
    #[error("the outcome of an interrupted request could not be written")]
    Encode,
}

impl Fault for RecoveryError {
    fn owner(&self) -> FaultOwner {
        match self {
            Self::Append(error) => error.owner(),
            Self::Encode => FaultOwner::Product,
        }
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn code(&self) -> &'static str {
        "recovery_failed"
    }
}

/// Closes what an earlier boot left open. Run it before the gateway serves.
///
/// # Errors
/// When an outcome cannot be made durable.
pub async fn recover(
    open_requests: Vec<OpenRequest>,
    workspace: &Workspace,
    clock: &dyn Clock,
    ids: &dyn IdSource,
) -> Result<RecoveredRequests, RecoveryError> {
    let decoder = Decoder::new(&[]);
    let mut recovered = RecoveredRequests::default();
    for open in open_requests {
        let known = Known::read(&decoder, &open.records);
        recovered.unreadable += u64::from(known.unreadable);
        let facts = known.missing_facts(workspace.prices.version());
        let envelope = known.envelope.unwrap_or_else(|| stand_in(workspace, open.key));
        let event =
            |kind| Event { event_id: Text::from(ids.event_id().to_string()), time: clock.now(), envelope: Arc::clone(&envelope), kind };
        let events: Vec<Event> = facts.into_iter().map(event).collect();
        let records = encode::all(&events).map_err(|_| RecoveryError::Encode)?;
        open.admission.close(records).await?;
        recovered.closed += 1;
    }
    Ok(recovered)
}

/// What the journal says of one open request.
#[derive(Default)]
struct Known {
    envelope: Option<Arc<Envelope>>,
    routes: Vec<Route>,
    ended: BTreeSet<i32>,
    unreadable: bool,
}

impl Known {
    fn read(decoder: &Decoder, records: &[LogRecord]) -> Self {
        let mut known = Self::default();
        for record in records {
            match decoder.decode(&record.payload) {
                Err(_) => known.unreadable = true,
                Ok(event) => {
                    known.envelope.get_or_insert(event.envelope);
                    match event.kind {
                        Kind::Route(route) if route.chosen.is_some() => known.routes.push(route),
                        Kind::Invocation(invocation) => drop(known.ended.insert(invocation.attempt)),
                        _ => {}
                    }
                }
            }
        }
        known
    }

    fn missing_facts(&self, price_book: &Text) -> Vec<Kind> {
        let cut = self.routes.iter().filter(|route| !self.ended.contains(&route.attempt));
        let mut facts: Vec<Kind> = cut.flat_map(|route| [unknown_invocation(route), unknown_cost(route, price_book)]).collect();
        facts.push(self.outcome());
        facts
    }

    /// Whether the last attempt had a guardrail around it.
    fn is_guarded(&self) -> bool {
        self.routes.last().is_some_and(|route| route.parameters.contains_key(GUARDRAIL))
    }

    fn outcome(&self) -> Kind {
        Kind::Outcome(Outcome {
            class: Text::from(OutcomeClass::Abandoned.as_str()),
            http_status: 503,
            code: Some(Text::from("interrupted_by_restart")),
            stage: Text::from(Stage::Answer.as_str()),
            attempts: self.routes.iter().map(|route| route.attempt).max().unwrap_or(0),
            guardrail_status: Text::from(if self.is_guarded() { "unknown" } else { "not_required" }),
            retrieval_status: Text::from("not_required"),
            recovered: true,
            ..Outcome::default()
        })
    }
}

fn unknown_invocation(route: &Route) -> Kind {
    Kind::Invocation(Invocation {
        attempt: route.attempt,
        route: route.chosen.clone().unwrap_or_default(),
        provider: route.provider.clone().unwrap_or_default(),
        model: route.model.clone().unwrap_or_default(),
        status: Text::from("unknown"),
        usage_source: Text::from("unknown"),
        ..Invocation::default()
    })
}

fn unknown_cost(route: &Route, price_book: &Text) -> Kind {
    Kind::Cost(Cost {
        attempt: route.attempt,
        route: route.chosen.clone().unwrap_or_default(),
        provider: route.provider.clone().unwrap_or_default(),
        model: route.model.clone().unwrap_or_default(),
        currency: Text::from(PriceBook::CURRENCY),
        price_book: price_book.clone(),
        finding: Some(Text::from(Finding::UsageUnknown.as_str())),
        charged_for: Some(Text::from("model")),
        region: route.region.clone(),
        ..Cost::default()
    })
}

/// For a request none of whose records can be read: its id is all that is known, from the frame.
fn stand_in(workspace: &Workspace, key: [u8; 16]) -> Arc<Envelope> {
    let id = RequestId::from_uuid(uuid::Uuid::from_bytes(key));
    Arc::new(Envelope {
        request_id: Some(Text::from(id.to_string())),
        tenant: Text::from("unidentified"),
        principal: Text::from("unidentified"),
        environment: workspace.environment().text(),
        policy_hash: workspace.policies.hash().clone(),
        config_hash: workspace.hash.clone(),
        producer: Text::from("custody-recovery"),
        ..Envelope::default()
    })
}
