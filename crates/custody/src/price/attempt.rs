//! What the events of one attempt say together: its route, what was invoked, and every cost.

use serde::Deserialize;

use super::charge::{Attempted, Recorded};

/// One row for each event of attempts; a caller adds which, and an order in which routes come before what followed. An attempt that was
/// withheld has a number too, and was none: its route was denied.
pub const EVENTS_OF_ATTEMPTS: &str = "
select
    request_id,
    coalesce(route_attempt, invocation_attempt, cost_attempt) as attempt,
    kind, route_region,
    invocation_provider, invocation_model, invocation_status, invocation_http_status, invocation_provider_request_id,
    invocation_started_at as started_at, invocation_duration_us as duration_us,
    invocation_input_tokens as input, invocation_cache_read_tokens as cache_read,
    invocation_cache_write_5m_tokens as cache_write_5m, invocation_cache_write_1h_tokens as cache_write_1h,
    invocation_output_tokens as output, invocation_reasoning_tokens as reasoning,
    cost_charged_for as charged_for, cost_provider as provider, cost_model as model, cost_priced_model as priced_model,
    cost_region as region, cost_geography as geography, cost_variant as variant, cost_service_tier as service_tier, cost_items as items,
    cost_amount_pico as amount_pico, cost_finding as finding, cost_price_book as price_book
from events
where kind in ('route', 'invocation', 'cost') and (kind <> 'route' or route_decision = 'allow')";

/// One event.
#[derive(Deserialize)]
pub struct Row {
    pub request_id: Option<String>,
    pub attempt: Option<i32>,
    kind: String,
    #[serde(flatten)]
    invoked: Invoked,
    #[serde(flatten)]
    attempted: Attempted,
    #[serde(flatten)]
    recorded: Recorded,
}

/// What an invocation event says of the call itself.
#[derive(Default, Deserialize)]
pub struct Invoked {
    #[serde(rename = "invocation_provider")]
    pub provider: Option<String>,
    #[serde(rename = "invocation_model")]
    pub model: Option<String>,
    #[serde(rename = "invocation_status")]
    pub status: Option<String>,
    #[serde(rename = "invocation_http_status")]
    pub http_status: Option<i32>,
    #[serde(rename = "invocation_provider_request_id")]
    pub provider_request_id: Option<String>,
}

impl Invoked {
    /// Whether the provider began an answer.
    pub fn was_answered(&self) -> bool {
        self.http_status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// All of it.
#[derive(Default)]
pub struct Attempt {
    pub invoked: Invoked,
    pub attempted: Attempted,
    /// In the order in which they were recorded.
    pub costs: Vec<Recorded>,
}

impl Attempt {
    /// Takes in one of its events, whichever comes first.
    pub fn learn(&mut self, row: Row) {
        match row.kind.as_str() {
            "route" => self.attempted.route_region = row.attempted.route_region,
            "invocation" => {
                self.invoked = row.invoked;
                let route_region = self.attempted.route_region.take();
                self.attempted = row.attempted;
                self.attempted.route_region = route_region;
            }
            _ => self.costs.push(row.recorded),
        }
    }

    /// What was charged for the model, or for guardrails.
    pub fn cost_of(&self, guardrail: bool) -> Option<&Recorded> {
        self.costs.iter().find(|cost| cost.is_guardrail() == guardrail)
    }

    /// The Region that was called, as far as it is recorded.
    pub fn region(&self) -> Option<&str> {
        let of_cost = self.costs.iter().find_map(|cost| cost.region.as_deref());
        of_cost.or(self.attempted.route_region.as_deref())
    }
}
