//! One call as Bedrock logged it beside the attempt that was recorded.
//!
//! ```text
//! counts      the log's against the invocation event's; where the log does not tell lifetimes of cache writes, their sum
//! units       the log's guardrail units against the guardrail's cost event, where the record has a trace
//! amount      counts of the log, prices of the facts that were recorded: the log does not name profile, variant and the model
//!             behind an application profile; where nothing was recorded, by what the log says
//! ```

use std::collections::BTreeMap;

use custody_price::{Finding, Item, PriceBook, Quote, ServiceTier, invocation_log::LoggedCall};
use custody_types::PicoUsd;

use super::super::{attempt::Attempt, charge::Recorded};

/// What something costs; nothing where nobody charges for it.
pub(super) type Amount = Option<Result<PicoUsd, Finding>>;

/// What came out.
pub(super) struct Compared {
    pub(super) same_usage: bool,
    pub(super) same_service: bool,
    pub(super) same_units: bool,
    pub(super) model: Amounts,
    pub(super) guardrail: Amounts,
}

/// The same thing by the book and as it was recorded.
pub(super) struct Amounts {
    pub(super) by_book: Amount,
    pub(super) recorded: Amount,
}

impl Compared {
    pub(super) fn of(logged: &LoggedCall, attempt: &Attempt, book: &PriceBook) -> Self {
        let (of_model, of_guardrail) = (attempt.cost_of(false), attempt.cost_of(true));
        let same_usage = logged.agrees_with(attempt.attempted.tokens().as_ref());
        let model = Amounts { by_book: by_book(logged, attempt, of_model, same_usage, book), recorded: of_model.map(Recorded::amount) };
        // Without a trace in the record there is nothing to hold against the event.
        let has_units = !logged.guardrail_units.is_empty();
        let guardrail = Amounts {
            by_book: logged.price_guardrails(book).map(total),
            recorded: of_guardrail.filter(|_| has_units).map(Recorded::amount),
        };
        Self {
            same_usage,
            same_service: same_service(logged, of_model),
            same_units: !has_units || same_units(logged, of_guardrail),
            model,
            guardrail,
        }
    }

    pub(super) fn used_the_same(&self) -> bool {
        self.same_usage && self.same_service && self.same_units
    }

    pub(super) fn costs_the_same(&self) -> bool {
        self.model.are_the_same() && self.guardrail.are_the_same()
    }
}

impl Amounts {
    /// Nothing to pay and nothing known to pay are the same; a sum above zero has to be on both sides.
    fn are_the_same(&self) -> bool {
        let known = |amount: &Amount| amount.and_then(Result::ok).unwrap_or(PicoUsd::ZERO);
        known(&self.by_book) == known(&self.recorded)
    }
}

fn by_book(logged: &LoggedCall, attempt: &Attempt, of_model: Option<&Recorded>, same_usage: bool, book: &PriceBook) -> Amount {
    if logged.is_free() {
        return None;
    }
    let with_facts = of_model.filter(|cost| cost.has_facts());
    let quoted = match (same_usage, with_facts) {
        (true, Some(cost)) => cost.charge(&attempt.attempted, book).and_then(|charge| charge.quote(book)),
        // What was used is the log's word, and it does not tell a time: a call that is charged by it has no amount.
        (false, Some(cost)) => {
            logged.normalised().and_then(|normal| book.quote_call(&cost.facts(&attempt.attempted)?, normal.usage, None, BTreeMap::new()))
        }
        (_, None) => logged.price(book),
    };
    Some(total(quoted))
}

fn total(quote: Result<Quote, Finding>) -> Result<PicoUsd, Finding> {
    quote.map(|quote| quote.total())
}

/// A record without its answer's body does not tell the class, and then it reads as standard.
fn same_service(logged: &LoggedCall, of_model: Option<&Recorded>) -> bool {
    let recorded = of_model.and_then(|cost| cost.service_tier.as_deref());
    logged.service == ServiceTier::Standard || recorded.is_none_or(|tier| tier == logged.service.as_str())
}

fn same_units(logged: &LoggedCall, of_guardrail: Option<&Recorded>) -> bool {
    let items = of_guardrail.and_then(|cost| cost.items.as_ref()).into_iter().flatten();
    let recorded: BTreeMap<Item, u64> =
        items.filter(|(_, count)| **count > 0).filter_map(|(name, count)| Some((name.parse().ok()?, *count))).collect();
    recorded == logged.guardrail_units
}
