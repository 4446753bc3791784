//! `lake`: questions over many generated events, written through the lake's own code.

mod generated;

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use clap::Args;
use custody_lake::LakeReader;
use custody_query::{LakeTables, LiveLake, Parameters, QueryConfig, QueryEngine, QueryOptions, SqlSession};
use tokio::time::Instant;

use self::generated::Generated;
use crate::{
    measure::{Latencies, median, peak_resident_mib},
    terminal::{Table, say, shown},
    trails::{EVENTS_PER_TRAIL, Random},
};

const TRAIL: &str = include_str!("../../../queries/request_trail.sql");
const COST: &str = include_str!("../../../queries/cost_per_tenant_and_day.sql");
const TOKENS: &str = include_str!("../../../queries/tokens_per_model.sql");

/// Settings of the part.
#[derive(Args, Debug)]
pub struct LakeArgs {
    /// Events in the lake.
    #[arg(long, default_value_t = 10_000_000)]
    events: u64,
    /// Days over which they are spread.
    #[arg(long, default_value_t = 30)]
    days: u64,
    /// Most events of one commit.
    #[arg(long, default_value_t = 170_000)]
    commit_events: u64,
    /// Look-ups of single requests.
    #[arg(long, default_value_t = 50)]
    lookups: usize,
    /// Rounds of the other questions.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Folder in which the lake is kept for the next run; beside the program by default.
    #[arg(long)]
    cache: Option<PathBuf>,
    /// Makes the lake anew.
    #[arg(long)]
    fresh: bool,
}

/// What one question took.
struct Answered {
    took: Duration,
    rows: usize,
    files: usize,
    read_mib: f64,
}

/// Runs the part.
pub async fn run(args: LakeArgs) -> Result<()> {
    let lake = generated::find_or_make(&args).await?;
    say(&format!(
        "lake of {} events over {} days in {} files, {} bytes an event",
        lake.events,
        args.days,
        lake.files,
        shown(lake.bytes_per_event())
    ));
    let mut table = Table::new("questions", &["", "p50 ms", "p99 ms", "rows", "files opened", "MiB read"]);
    lookups(&args, &lake, &mut table).await?;
    reports(&args, &lake, &mut table).await?;
    table.print();
    say(&format!("  peak memory {} MiB", shown(peak_resident_mib())));
    Ok(())
}

/// One request's trail: each time with a new session and no page in memory, then warm.
async fn lookups(args: &LakeArgs, lake: &Generated, table: &mut Table) -> Result<()> {
    let mut random = Random(3);
    let ids: Vec<&String> =
        (0..args.lookups).filter_map(|_| lake.request_ids.get(random.below(lake.request_ids.len() as u64) as usize)).collect();
    let (mut opening, mut cold, mut warm) = (Latencies::default(), Vec::new(), Vec::new());
    for id in &ids {
        lake.forget_pages()?;
        let began = Instant::now();
        let session = session(lake).await?;
        opening.add(began.elapsed());
        cold.push(lookup(&session, id).await?);
    }
    let session = session(lake).await?;
    lookup(&session, ids.first().context("no look-ups")?).await?;
    for id in &ids {
        warm.push(lookup(&session, id).await?);
    }
    table.row("open the lake, nothing in memory", [shown(opening.percentile(50.0)), shown(opening.percentile(99.0))]);
    table.row("one request's trail, nothing in memory", cells(&cold));
    table.row("one request's trail, warm", cells(&warm));
    Ok(())
}

async fn lookup(session: &SqlSession, id: &str) -> Result<Answered> {
    let answered = ask(session, TRAIL, &[format!("request_id={id}")]).await?;
    ensure!(answered.rows as u64 == EVENTS_PER_TRAIL, "request {id} has {} rows", answered.rows);
    Ok(answered)
}

/// The questions of finance, over all days and over one.
async fn reports(args: &LakeArgs, lake: &Generated, table: &mut Table) -> Result<()> {
    let session = session(lake).await?;
    let all = lake.days(0, args.days);
    let one = lake.days(args.days / 2, args.days / 2 + 1);
    let questions = [("cost per tenant and day", COST, &all), ("cost per tenant, one day", COST, &one), ("tokens per model", TOKENS, &all)];
    for (name, sql, days) in questions {
        lake.forget_pages()?;
        let cold = ask(&session, sql, days).await?;
        let mut warm = Vec::new();
        for _ in 0..args.rounds {
            warm.push(ask(&session, sql, days).await?);
        }
        table.row(format!("{name}, nothing in memory"), cells(&[cold]));
        table.row(format!("{name}, warm"), cells(&warm));
    }
    Ok(())
}

/// A session as a new process has it.
async fn session(lake: &Generated) -> Result<SqlSession> {
    let tables = LakeTables::new(LakeReader::open(&lake.root).await?);
    let live = LiveLake::new(Arc::new(tables), Vec::new());
    Ok(QueryEngine::build(&QueryConfig::default(), live)?.session())
}

async fn ask(session: &SqlSession, sql: &str, parameters: &[String]) -> Result<Answered> {
    let parameters = Parameters::parse(parameters.iter().map(String::as_str))?;
    let options = QueryOptions { parameters, ..QueryOptions::default() };
    let began = Instant::now();
    let mut run = session.query(sql, &options).await?;
    let mut rows = 0;
    while let Some(batch) = run.next_batch().await? {
        rows += batch.num_rows();
    }
    let took = began.elapsed();
    let progress = run.probe().progress();
    Ok(Answered { took, rows, files: progress.files, read_mib: progress.bytes_scanned as f64 / f64::from(1 << 20) })
}

fn cells(answers: &[Answered]) -> Vec<String> {
    let mut latencies = Latencies::default();
    answers.iter().for_each(|answer| latencies.add(answer.took));
    let of = |value: fn(&Answered) -> f64| median(answers.iter().map(value));
    let p99 = if answers.len() < 20 { f64::NAN } else { latencies.percentile(99.0) };
    vec![
        shown(latencies.percentile(50.0)),
        shown(p99),
        format!("{}", of(|answer| answer.rows as f64)),
        format!("{}", of(|answer| answer.files as f64)),
        shown(of(|answer| answer.read_mib)),
    ]
}
