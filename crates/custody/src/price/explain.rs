//! `custody price explain`.

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

use anyhow::{Result, bail};
use clap::Args;
use custody_price::{CostLine, Finding, PriceBook, Quote};
use custody_types::{PicoUsd, RequestId};
use serde::Deserialize;

use super::{
    EXIT_FOUND, book,
    events::{self, Called, Counts, Recorded},
};
use crate::{lake::PlaceArgs, terminal::say};

const EVENTS_OF_REQUEST: &str = "
select
    coalesce(route_attempt, invocation_attempt, cost_attempt) as attempt,
    kind, route_region as region,
    invocation_provider as provider, invocation_model as model, invocation_started_at as started_at,
    invocation_input_tokens as input, invocation_cache_read_tokens as cache_read,
    invocation_cache_write_5m_tokens as cache_write_5m, invocation_cache_write_1h_tokens as cache_write_1h,
    invocation_output_tokens as output, invocation_reasoning_tokens as reasoning,
    cost_amount_pico as amount_pico, cost_finding as finding, cost_price_book as price_book
from events
where request_id = $request_id and kind in ('route', 'invocation', 'cost')
order by log_partition, log_position";

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The request's id, as the answer's header and every event have it.
    request_id: RequestId,
    /// The price book; without it, the workspace's.
    #[arg(long, value_name = "FILE")]
    book: Option<PathBuf>,
    #[command(flatten)]
    place: PlaceArgs,
}

#[derive(Deserialize)]
struct Row {
    attempt: Option<i64>,
    kind: String,
    price_book: Option<String>,
    #[serde(flatten)]
    called: Called,
    #[serde(flatten)]
    counts: Counts,
    #[serde(flatten)]
    recorded: Recorded,
}

/// What the events of one attempt say together.
#[derive(Default)]
struct Attempt {
    called: Called,
    counts: Counts,
    recorded: Option<(Recorded, String)>,
}

pub async fn run(args: &ExplainArgs) -> Result<ExitCode> {
    let book = book::load(args.book.as_deref(), &args.place)?;
    let session = events::session(&args.place).await?;
    let mut attempts: BTreeMap<i64, Attempt> = BTreeMap::new();
    let parameters = [format!("request_id={}", args.request_id)];
    events::each_row(&session, EVENTS_OF_REQUEST, &parameters, |row: Row| {
        attempts.entry(row.attempt.unwrap_or(0)).or_default().learn(row);
    })
    .await?;
    if attempts.is_empty() {
        bail!("no attempt of request {} is recorded", args.request_id);
    }
    let mut all_equal = true;
    for (number, attempt) in &attempts {
        all_equal &= attempt.explain(*number, &book);
    }
    Ok(if all_equal { ExitCode::SUCCESS } else { ExitCode::from(EXIT_FOUND) })
}

impl Attempt {
    fn learn(&mut self, row: Row) {
        match row.kind.as_str() {
            "route" => self.called.region = row.called.region,
            "invocation" => {
                self.called = Called { region: self.called.region.take(), ..row.called };
                self.counts = row.counts;
            }
            _ => self.recorded = Some((row.recorded, row.price_book.unwrap_or_default())),
        }
    }

    /// Prints the attempt; whether the book gives what is recorded.
    fn explain(&self, number: i64, book: &PriceBook) -> bool {
        let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".to_owned());
        let Called { provider, model, started_at, .. } = &self.called;
        say(&format!("attempt {number}: {} {} at {}", shown(provider), shown(model), shown(started_at)));
        let Some((recorded, recorded_book)) = &self.recorded else {
            say("  no cost is recorded: the provider can't have charged for it, or it has not ended");
            return true;
        };
        let quote = self.quote(recorded, book);
        match &quote {
            Ok(quote) => quote.lines().iter().for_each(|line| say(&shown_line(line))),
            Err(finding) => say(&format!("  no amount: {finding}")),
        }
        let reasons = quote.iter().flat_map(Quote::reasons);
        reasons.for_each(|reason| say(&format!("  because {reason}")));
        let (now, then) = (quote.as_ref().map(Quote::total).map_err(|finding| *finding), recorded.amount());
        say(&format!("  total    {} by book {}", shown_amount(&now), book.version()));
        say(&format!("  recorded {} by book {recorded_book}{}", shown_amount(&then), if now == then { "" } else { ": another amount" }));
        now == then
    }

    fn quote(&self, recorded: &Recorded, book: &PriceBook) -> Result<Quote, Finding> {
        let usage = self.counts.usage(recorded)?;
        book.quote(&self.called.facts()?, &usage)
    }
}

fn shown_line(line: &CostLine) -> String {
    let times = line.premium.map(|factor| format!(" × {factor}")).unwrap_or_default();
    let CostLine { class, quantity, unit_price, amount, .. } = line;
    format!("  {class:<16} {quantity:>12} {:<11} × {unit_price}{times} = {amount} USD", class.unit())
}

fn shown_amount(amount: &Result<PicoUsd, Finding>) -> String {
    match amount {
        Ok(amount) => format!("{amount} USD"),
        Err(finding) => format!("nothing ({finding})"),
    }
}
