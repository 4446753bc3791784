//! `custody price`: where prices come from, what they make of a usage, and what another book would make of a period.

mod attempt;
mod book;
mod charge;
mod diff;
mod events;
mod explain;
mod import;
mod quote;
mod reconcile;
mod reprice;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

/// Something was found that a person should look at.
const EXIT_FOUND: u8 = 3;

/// Look after prices.
#[derive(Debug, Args)]
#[command(after_help = "\
  custody price import model_prices.json --book-version 2026-12 --effective-from 2026-12-01 --output bedrock-2026-12.toml
  custody price diff prices/2026-11.toml prices/2026-12.toml
  custody price quote < questions.jsonl            one JSON line for each, answered by one JSON line
  custody price explain 01a1f866-…                 each factor of what a request cost
  custody price reprice --from 2026-11-01 --before 2026-12-01 --book prices/2026-12.toml
  custody price reprice --from 2026-11-01 --before 2026-12-01 --by tenant,charged-for --savings
  custody price reconcile bedrock-log/*.json.gz    Bedrock's own log beside the trail: calls past the gateway, other counts

Nothing here changes a record. A price that is missing gives a finding and no amount. Model and guardrails of an attempt are charged
apart. Each cost event keeps what chose its price: class of service, Region, geography, variant, the model that priced it and what is
no token. Events of version 1.0 do not: explain and reprice take the standard class in the route's Region for them, and say so.

A question: {\"provider\": \"bedrock\", \"model\": \"…\", \"at\": \"2026-11-21T00:00:00Z\", \"usage\": {\"input\": 1200, \"cache_read\": 1000, \"output\": 300}}
It may also have region, geography, variant, service; and in usage cache_write_5m, cache_write_1h, reasoning, input_audio,
input_image, output_audio and items, such as {\"web_search_medium\": 2}. Input contains what caches touched; times are milliseconds.

Exit codes: 0 done; 1 failed; 2 the arguments are wrong; 3 `import` could not express all, `diff` found a difference, `explain` has
another amount than is recorded, or `reconcile` found that log and trail differ.")]
pub struct PriceArgs {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Make a price book of LiteLLM's price file, and list what a book can't say.
    Import(import::ImportArgs),
    /// Price usages: questions on standard input, answers on standard output.
    Quote(quote::QuoteArgs),
    /// Show each factor of what a recorded request costs.
    Explain(explain::ExplainArgs),
    /// Show what differs between two price books.
    Diff(diff::DiffArgs),
    /// Price a period of records with a book, beside what was recorded.
    Reprice(reprice::RepriceArgs),
    /// Compare Bedrock's log of model invocations with the trail.
    Reconcile(reconcile::ReconcileArgs),
}

/// Does one task.
pub async fn run(args: PriceArgs) -> Result<ExitCode> {
    match args.task {
        Task::Import(args) => import::run(&args),
        Task::Quote(args) => quote::run(&args),
        Task::Explain(args) => explain::run(&args).await,
        Task::Diff(args) => diff::run(&args),
        Task::Reprice(args) => reprice::run(&args).await,
        Task::Reconcile(args) => reconcile::run(&args).await,
    }
}
