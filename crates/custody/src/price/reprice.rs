//! `custody price reprice`.

mod table;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, bail};
use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use custody_price::{Finding, PriceBook};
use custody_types::PicoUsd;
use serde::Deserialize;

use self::table::{Sums, Table};
use super::{
    book,
    charge::{Attempted, Recorded},
    events,
};
use crate::lake::PlaceArgs;

/// Each cost event once, whatever it charges for, with its attempt. Invocation and route come before their cost, at most over one
/// midnight; of an attempt that had two of either, one is taken.
const COSTS_OF_PERIOD: &str = "
select
    c.tenant, c.feature, c.workflow, c.capability, c.route, c.api_key_id,
    c.charged_for, c.provider, c.model, c.priced_model, c.region, c.geography, c.variant, c.service_tier, c.items,
    c.amount_pico, c.finding, c.price_book,
    i.started_at, i.duration_us, i.input, i.cache_read, i.cache_write_5m, i.cache_write_1h, i.output, i.reasoning,
    r.route_region
from costs c
left join (
    select distinct on (request_id, attempt)
        request_id, attempt, started_at, duration_us, input_tokens as input, cache_read_tokens as cache_read,
        cache_write_5m_tokens as cache_write_5m, cache_write_1h_tokens as cache_write_1h, output_tokens as output,
        reasoning_tokens as reasoning
    from invocations
    where event_date >= $day_before and event_date < $before_day
    order by request_id, attempt
) i on i.request_id = c.request_id and i.attempt = c.attempt
left join (
    select distinct on (request_id, attempt) request_id, attempt, region as route_region
    from routes
    where event_date >= $day_before and event_date < $before_day and decision = 'allow'
    order by request_id, attempt
) r on r.request_id = c.request_id and r.attempt = c.attempt
where c.event_date >= $from_day and c.event_date < $before_day";

#[derive(Debug, Args)]
pub struct RepriceArgs {
    /// First day, UTC.
    #[arg(long, value_name = "DATE")]
    from: NaiveDate,
    /// First day after it.
    #[arg(long, value_name = "DATE")]
    before: NaiveDate,
    /// What to sum by.
    #[arg(long, value_delimiter = ',', default_value = "tenant,feature,model")]
    by: Vec<Dimension>,
    /// Also what cache reads saved: what they would have cost as plain input, less what they cost, both by the book.
    #[arg(long)]
    savings: bool,
    /// The price book; without it, the workspace's.
    #[arg(long, value_name = "FILE")]
    book: Option<PathBuf>,
    #[command(flatten)]
    place: PlaceArgs,
}

/// What costs can be summed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Dimension {
    Tenant,
    Feature,
    Workflow,
    Capability,
    Model,
    Route,
    ApiKey,
    ChargedFor,
}

#[derive(Deserialize)]
struct Row {
    tenant: String,
    feature: Option<String>,
    workflow: Option<String>,
    capability: Option<String>,
    route: Option<String>,
    api_key_id: Option<String>,
    #[serde(flatten)]
    attempted: Attempted,
    #[serde(flatten)]
    recorded: Recorded,
}

pub async fn run(args: &RepriceArgs) -> Result<ExitCode> {
    if args.before <= args.from {
        bail!("--before is the first day after the period, so it must be after --from");
    }
    let book = book::load(args.book.as_deref(), &args.place)?;
    let day_before = args.from.pred_opt().context("--from is before the calendar begins")?;
    let days = [("from_day", args.from), ("before_day", args.before), ("day_before", day_before)];
    let parameters = days.map(|(name, day)| format!("{name}={day}"));
    let session = events::session(&args.place).await?;
    let mut table = Table::new(&args.by, args.savings);
    events::each_row(&session, COSTS_OF_PERIOD, &parameters, |row: Row| row.count(&book, &mut table)).await?;
    table.print(&book);
    Ok(ExitCode::SUCCESS)
}

impl Row {
    fn count(&self, book: &PriceBook, table: &mut Table<'_>) {
        let charge = self.recorded.charge(&self.attempted, book);
        let charge = charge.as_ref().map_err(|finding| *finding);
        let new = charge.and_then(|charge| charge.quote(book)).map(|quote| quote.total());
        let reads = charge.is_ok_and(|charge| charge.usage.tokens.cache_read > 0);
        let saved = || charge.and_then(|charge| new.and_then(|_| book.cache_savings(&charge.facts, &charge.usage)));
        let saved = reads.then(saved);
        let sums = table.sums(|key| self.value(key).to_owned());
        sums.add(self, new, saved);
    }

    fn value(&self, key: Dimension) -> &str {
        let recorded = &self.recorded;
        let value = match key {
            Dimension::Tenant => Some(&self.tenant),
            Dimension::Feature => self.feature.as_ref(),
            Dimension::Workflow => self.workflow.as_ref(),
            Dimension::Capability => self.capability.as_ref(),
            Dimension::Model => recorded.model.as_ref(),
            Dimension::Route => self.route.as_ref(),
            Dimension::ApiKey => self.api_key_id.as_ref(),
            Dimension::ChargedFor => return recorded.charged_for.as_deref().unwrap_or("model"),
        };
        value.map_or("", String::as_str)
    }
}

impl Sums {
    fn add(&mut self, row: &Row, new: Result<PicoUsd, Finding>, saved: Option<Result<PicoUsd, Finding>>) {
        self.costs += 1;
        self.without_facts += u64::from(!row.recorded.has_facts());
        self.recorded.add(row.recorded.amount());
        self.new.add(new);
        saved.into_iter().for_each(|saved| self.saved.add(saved));
    }
}
