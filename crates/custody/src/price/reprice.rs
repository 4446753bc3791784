//! `custody price reprice`.

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, bail};
use chrono::NaiveDate;
use clap::Args;
use custody_price::{PriceBook, Quote, Sum};
use serde::Deserialize;

use super::{
    book,
    events::{self, Called, Counts, Recorded},
};
use crate::{lake::PlaceArgs, terminal::say};

/// Invocation and route come before their cost, at most over one midnight.
const COSTS_OF_PERIOD: &str = "
select
    c.tenant as tenant, c.feature as feature, c.model as model, c.provider as provider,
    i.started_at as started_at, r.region as region,
    i.input_tokens as input, i.cache_read_tokens as cache_read, i.cache_write_5m_tokens as cache_write_5m,
    i.cache_write_1h_tokens as cache_write_1h, i.output_tokens as output, i.reasoning_tokens as reasoning,
    c.amount_pico as amount_pico, c.finding as finding
from costs c
left join (
    select request_id, attempt, started_at, input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, output_tokens,
        reasoning_tokens
    from invocations
    where event_date >= $day_before and event_date < $before_day
) i on i.request_id = c.request_id and i.attempt = c.attempt
left join (
    select request_id, attempt, region
    from routes
    where event_date >= $day_before and event_date < $before_day and decision = 'allow'
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
    /// The price book; without it, the workspace's.
    #[arg(long, value_name = "FILE")]
    book: Option<PathBuf>,
    #[command(flatten)]
    place: PlaceArgs,
}

#[derive(Deserialize)]
struct Row {
    tenant: String,
    feature: Option<String>,
    #[serde(flatten)]
    called: Called,
    #[serde(flatten)]
    counts: Counts,
    #[serde(flatten)]
    recorded: Recorded,
}

/// Recorded and new, of one group.
#[derive(Default)]
struct Both {
    recorded: Sum,
    new: Sum,
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
    let mut groups: BTreeMap<[String; 3], Both> = BTreeMap::new();
    events::each_row(&session, COSTS_OF_PERIOD, &parameters, |row: Row| row.count(&book, &mut groups)).await?;
    print(&groups, &book);
    Ok(ExitCode::SUCCESS)
}

impl Row {
    fn count(self, book: &PriceBook, groups: &mut BTreeMap<[String; 3], Both>) {
        let quote = self.counts.usage(&self.recorded).and_then(|usage| book.quote(&self.called.facts()?, &usage));
        let (recorded, new) = (self.recorded.amount(), quote.as_ref().map(Quote::total).map_err(|finding| *finding));
        let group = groups.entry([self.tenant, self.feature.unwrap_or_default(), self.called.model.unwrap_or_default()]).or_default();
        group.recorded.add(recorded);
        group.new.add(new);
    }
}

fn print(groups: &BTreeMap<[String; 3], Both>, book: &PriceBook) {
    say(&format!(
        "{:<24} {:<20} {:<44} {:>24} {:>24}",
        "tenant",
        "feature",
        "model",
        "recorded USD",
        format!("by book {}", book.version())
    ));
    let mut whole = Both::default();
    for ([tenant, feature, model], both) in groups {
        say(&format!("{tenant:<24} {feature:<20} {model:<44} {:>24} {:>24}", both.recorded.to_string(), both.new.to_string()));
        say_findings("recorded without amount", &both.recorded);
        say_findings("without amount by this book", &both.new);
        whole.recorded.merge(&both.recorded);
        whole.new.merge(&both.new);
    }
    say(&format!("{:<24} {:<20} {:<44} {:>24} {:>24}", "all", "", "", whole.recorded.to_string(), whole.new.to_string()));
    say_findings("recorded without amount", &whole.recorded);
    say_findings("without amount by this book", &whole.new);
}

fn say_findings(what: &str, sum: &Sum) {
    for (finding, count) in sum.findings() {
        say(&format!("    {what}: {count} ({finding})"));
    }
}
