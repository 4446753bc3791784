//! What was found, in lines. Names and counts only.

use std::collections::BTreeMap;

use custody_price::{
    PriceBook, Sum,
    invocation_log::{JoinedBy, LoggedCall, RecordedCall},
};

use super::{
    super::attempt::Attempt,
    compare::{Amount, Amounts, Compared},
};
use crate::terminal::{say, shown_time};

/// Who called what, where.
type Caller = [String; 3];

/// Sums over all that was compared.
#[derive(Default)]
pub(super) struct Report {
    each: bool,
    by_provider_id: u64,
    by_own_id: u64,
    usage_differs: u64,
    amount_differs: u64,
    by_book: Sum,
    recorded: Sum,
    past_the_gateway: BTreeMap<Caller, (u64, Sum)>,
    not_in_the_log: u64,
    unanswered: u64,
    repeated: u64,
    contradicting: u64,
}

impl Report {
    pub(super) fn new(each: bool) -> Self {
        Self { each, ..Self::default() }
    }

    /// Nothing that a person should look at.
    pub(super) fn agrees(&self) -> bool {
        self.usage_differs == 0
            && self.amount_differs == 0
            && self.contradicting == 0
            && self.not_in_the_log == 0
            && self.past_the_gateway.is_empty()
    }

    pub(super) fn both(&mut self, logged: &LoggedCall, call: &RecordedCall, attempt: &Attempt, by: JoinedBy, book: &PriceBook) {
        let compared = Compared::of(logged, attempt, book);
        match by {
            JoinedBy::ProviderRequestId => self.by_provider_id += 1,
            JoinedBy::OwnRequestId => self.by_own_id += 1,
        }
        for Amounts { by_book, recorded } in [&compared.model, &compared.guardrail] {
            by_book.iter().for_each(|amount| self.by_book.add(*amount));
            recorded.iter().for_each(|amount| self.recorded.add(*amount));
        }
        self.usage_differs += u64::from(!compared.used_the_same());
        self.amount_differs += u64::from(!compared.costs_the_same());
        if self.each || !compared.used_the_same() || !compared.costs_the_same() {
            say_compared(logged, call, attempt, &compared);
        }
    }

    /// A call that no event tells of.
    pub(super) fn only_logged(&mut self, call: &LoggedCall, book: &PriceBook) {
        let named = |name: &Option<custody_types::Text>| name.as_ref().map_or_else(|| "unknown".to_owned(), ToString::to_string);
        let identity = call.principal.as_ref().map_or_else(|| format!("account {}", named(&call.account)), ToString::to_string);
        let price = if call.is_free() { None } else { Some(call.price(book).map(|quote| quote.total())) };
        let of_guardrail = call.price_guardrails(book).map(|quote| quote.map(|quote| quote.total()));
        if self.each || call.own_request_id.is_some() {
            let label = call.own_request_id.map_or_else(String::new, |id| format!(", with our label of request {id}"));
            say(&format!("{}: not in the trail: {} by {identity}{label}: {}", head(call), call.operation, shown(&price)));
        }
        let caller = [identity, call.model.to_string(), call.region.to_string()];
        let (calls, sum) = self.past_the_gateway.entry(caller).or_default();
        *calls += 1;
        price.into_iter().chain(of_guardrail).for_each(|amount| sum.add(amount));
    }

    /// One more record of a call: log stores deliver more than once, and then the same.
    pub(super) fn repeated(&mut self, call: &LoggedCall, first: Option<&LoggedCall>) {
        self.repeated += 1;
        let same = first.is_some_and(|first| first.says_the_same_as(call));
        if !same {
            self.contradicting += 1;
            say(&format!("{}: contradicts the first record of this call: {}", head(call), call.operation));
        } else if self.each {
            say(&format!("{}: logged again", head(call)));
        }
    }

    /// An attempt that the log should tell of. One that failed may not have reached Bedrock, or not as far as its log.
    pub(super) fn only_recorded(&mut self, call: &RecordedCall, attempt: &Attempt) {
        if !attempt.invoked.was_answered() {
            self.unanswered += 1;
            return;
        }
        self.not_in_the_log += 1;
        let id = call.provider_request_id.as_deref().unwrap_or("unknown");
        let (model, status) = (attempt.invoked.model.as_deref(), attempt.invoked.status.as_deref());
        let (model, status) = (model.unwrap_or("unknown"), status.unwrap_or("unknown"));
        let amount = attempt.cost_of(false).map(super::super::charge::Recorded::amount);
        let place = format!("request {} attempt {}", call.request_id, call.attempt);
        say(&format!("{place}: not in the log: {model} {status}, Bedrock's id {id}: recorded {}", shown(&amount)));
    }

    pub(super) fn print(&self, book: &PriceBook) {
        let matched = self.by_provider_id + self.by_own_id;
        say(&format!("matched            {matched:>9}   {} by Bedrock's id, {} by our label", self.by_provider_id, self.by_own_id));
        say(&format!("  usage differs    {:>9}", self.usage_differs));
        say(&format!(
            "  amount differs   {:>9}   {} USD by book {}, {} USD recorded",
            self.amount_differs,
            self.by_book,
            book.version(),
            self.recorded
        ));
        say_findings("by the book without amount", &self.by_book);
        say_findings("recorded without amount", &self.recorded);
        let past: u64 = self.past_the_gateway.values().map(|(calls, _)| calls).sum();
        say(&format!("not in the trail   {past:>9}"));
        for ([identity, model, region], (calls, sum)) in &self.past_the_gateway {
            say(&format!("    {calls} by {identity}: {model} in {region}, {sum} USD by the book"));
            say_findings("without amount", sum);
        }
        say(&format!("not in the log     {:>9}", self.not_in_the_log));
        if self.unanswered > 0 {
            say(&format!("    {} further attempts got no answer: Bedrock may not have seen or not have logged them", self.unanswered));
        }
        if self.repeated > 0 {
            say(&format!("logged again       {:>9}   records of a call that was logged before", self.repeated));
            say(&format!("  contradicts      {:>9}", self.contradicting));
        }
    }
}

fn say_compared(logged: &LoggedCall, call: &RecordedCall, attempt: &Attempt, compared: &Compared) {
    say(&format!("{}: request {} attempt {}", head(logged), call.request_id, call.attempt));
    if !compared.same_usage {
        let logged = logged.normalised().map_or_else(|finding| finding.to_string(), |normal| counts(&normal.usage));
        let recorded = attempt.attempted.tokens().map_or_else(|| "unknown".to_owned(), |tokens| counts(&tokens));
        say(&format!("    usage differs: logged {logged}; recorded {recorded}"));
    }
    if !compared.same_service {
        say(&format!("    class of service differs: logged {}", logged.service));
    }
    if !compared.same_units {
        let units = logged.guardrail_units.iter().map(|(item, count)| format!("{item} {count}")).collect::<Vec<_>>().join(", ");
        say(&format!("    guardrail units differ: logged {units}"));
    }
    for (what, Amounts { by_book, recorded }) in [("model", &compared.model), ("guardrail", &compared.guardrail)] {
        if by_book.is_some() || recorded.is_some() {
            say(&format!("    {what}: {} by the book, {} recorded", shown(by_book), shown(recorded)));
        }
    }
}

fn head(call: &LoggedCall) -> String {
    format!("{} {} {} {}", shown_time(call.at), call.provider_request_id, call.model, call.region)
}

fn counts(usage: &custody_types::TokenUsage) -> String {
    let writes = usage.cache_write_5m.saturating_add(usage.cache_write_1h);
    format!("input {}, of it cache reads {} and writes {writes}, output {}", usage.input, usage.cache_read, usage.output)
}

fn shown(amount: &Amount) -> String {
    match amount {
        Some(Ok(amount)) => format!("{amount} USD"),
        Some(Err(finding)) => format!("no amount ({finding})"),
        None => "nothing".to_owned(),
    }
}

fn say_findings(what: &str, sum: &Sum) {
    for (finding, count) in sum.findings() {
        say(&format!("      {what}: {count} ({finding})"));
    }
}
