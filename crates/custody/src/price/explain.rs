//! `custody price explain`.

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

use anyhow::{Result, bail};
use clap::Args;
use custody_price::{CostLine, Finding, PriceBook, Quote};
use custody_types::{PicoUsd, RequestId};

use super::{
    EXIT_FOUND,
    attempt::{Attempt, EVENTS_OF_ATTEMPTS, Invoked, Row},
    book,
    charge::{Attempted, Recorded},
    events,
};
use crate::{lake::PlaceArgs, terminal::say};

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

pub async fn run(args: &ExplainArgs) -> Result<ExitCode> {
    let book = book::load(args.book.as_deref(), &args.place)?;
    let session = events::session(&args.place).await?;
    let mut attempts: BTreeMap<i32, Attempt> = BTreeMap::new();
    let parameters = [format!("request_id={}", args.request_id)];
    let question = format!("{EVENTS_OF_ATTEMPTS} and request_id = $request_id order by log_partition, log_position");
    events::each_row(&session, &question, &parameters, |row: Row| {
        attempts.entry(row.attempt.unwrap_or(0)).or_default().learn(row);
    })
    .await?;
    if attempts.is_empty() {
        bail!("no attempt of request {} is recorded", args.request_id);
    }
    let mut all_equal = true;
    for (number, attempt) in &attempts {
        all_equal &= explain_attempt(*number, attempt, &book);
    }
    Ok(if all_equal { ExitCode::SUCCESS } else { ExitCode::from(EXIT_FOUND) })
}

/// Prints an attempt, each of its costs by itself; whether the book gives what is recorded.
fn explain_attempt(number: i32, attempt: &Attempt, book: &PriceBook) -> bool {
    let Invoked { provider, model, .. } = &attempt.invoked;
    say(&format!("attempt {number}: {} {} at {}", shown(provider), shown(model), shown(&attempt.attempted.started_at)));
    if attempt.costs.is_empty() {
        say("  no cost is recorded: the provider can't have charged for it, or it has not ended");
    }
    let mut all_equal = true;
    for cost in &attempt.costs {
        all_equal &= explain(cost, &attempt.attempted, book);
    }
    all_equal
}

fn explain(recorded: &Recorded, attempted: &Attempted, book: &PriceBook) -> bool {
    say(&format!("  charged for the {}", recorded.charged_for.as_deref().unwrap_or("model")));
    say(&format!("    {}", chosen_by(recorded, attempted)));
    let quote = recorded.charge(attempted, book).and_then(|charge| charge.quote(book));
    match &quote {
        Ok(quote) => quote.lines().iter().for_each(|line| say(&shown_line(line))),
        Err(finding) => say(&format!("    no amount: {finding}")),
    }
    let reasons = quote.iter().flat_map(Quote::reasons);
    reasons.for_each(|reason| say(&format!("    because {reason}")));
    let (now, then) = (quote.as_ref().map(Quote::total).map_err(|finding| *finding), recorded.amount());
    let difference = if now == then { "" } else { ": another amount" };
    say(&format!("    total    {} by book {}", shown_amount(&now), book.version()));
    say(&format!("    recorded {} by book {}{difference}", shown_amount(&then), shown(&recorded.price_book)));
    now == then
}

/// The facts that choose the price, as they are recorded.
fn chosen_by(recorded: &Recorded, attempted: &Attempted) -> String {
    if !recorded.has_facts() {
        let region = shown(&attempted.route_region);
        return format!("class of service, profile and variant were not recorded: standard is taken, in the route's Region ({region})");
    }
    let Recorded { provider, model, priced_model, region, geography, variant, service_tier, .. } = recorded;
    let stated = [("Region", region), ("geography", geography), ("variant", variant), ("priced as", priced_model)];
    let stated = stated.into_iter().filter_map(|(name, value)| value.as_ref().map(|value| format!(", {name} {value}")));
    format!("{} {}, service {}{}", shown(provider), shown(model), shown(service_tier), stated.collect::<String>())
}

fn shown(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or("unknown")
}

fn shown_line(line: &CostLine) -> String {
    let times = line.premium.map(|factor| format!(" × {factor}")).unwrap_or_default();
    let CostLine { class, quantity, unit_price, amount, .. } = line;
    format!("    {class:<24} {quantity:>12} {:<11} × {unit_price}{times} = {amount} USD", class.unit())
}

fn shown_amount(amount: &Result<PicoUsd, Finding>) -> String {
    match amount {
        Ok(amount) => format!("{amount} USD"),
        Err(finding) => format!("nothing ({finding})"),
    }
}
