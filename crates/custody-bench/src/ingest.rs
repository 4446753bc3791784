//! `ingest`: the production loop from a journal to a Delta table, beside its dearest steps alone.
//!
//! Every contender handles the same events: the loop reads, decodes, checks, sorts, encodes and commits them; "decode alone" turns
//! the same records into columns; "sort alone" puts these into the table's order; "Parquet encoding alone" writes the loop's own
//! sorted columns with the loop's own settings.

pub mod alone;
mod ports;

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use anyhow::{Context, Result, ensure};
use clap::Args;
use custody_gateway::{SystemClock, SystemIds};
use custody_ingest::{Ingest, IngestConfig, IngestMetrics, IngestParts};
use custody_lake::{DeadLetterStore, EventDecoder, EventStore};
use custody_log::{AppendError, FileDisk, Journal, JournalConfig};
use custody_types::{Clock, IdSource, JournalId, LogPosition, Timestamp};
use tokio::sync::watch;
use uuid::Uuid;

pub use self::ports::NoLookup;
use self::ports::{Steps, TimedDecoder, TimedStore};
use crate::{
    measure::{Meter, Spent, folder_bytes, median},
    recording::EncodedTrails,
    terminal::{Table, progress, say, shown},
    trails::EVENTS_PER_TRAIL,
};

const TRAILS_PER_APPEND: u64 = 100;
const BEGAN_MICROS: i64 = 1_760_000_000_000_000;
/// Ten thousand events a second.
const MICROS_PER_TRAIL: i64 = 700;

/// Settings of the part.
#[derive(Args, Debug)]
pub struct IngestArgs {
    /// Events to move.
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// Rounds; the contenders alternate within each.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// What one round says of the loop.
struct LoopRun {
    spent: Spent,
    steps: Steps,
    lake_bytes: u64,
}

/// The dear steps alone, a value a round.
#[derive(Default)]
struct Alone {
    decoding: Vec<Spent>,
    sorting: Vec<Spent>,
    encoding: Vec<Spent>,
}

/// Runs the part.
pub async fn run(args: IngestArgs) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let journal = fill(folder.path(), args.events, 0).await?;
    let events = journal.stats().records;
    let avro_bytes = alone::payload_bytes(&journal).await?;
    let (mut loops, mut alone) = (Vec::new(), Alone::default());
    for _ in 0..args.rounds {
        let lake = tempfile::tempdir()?;
        loops.push(move_all(&journal, lake.path()).await?);
        let (decoding, sorting) = alone::decode_and_sort(&journal).await?;
        alone.decoding.push(decoding);
        alone.sorting.push(sorting);
        alone.encoding.push(alone::encode(&lake.path().join("events"), events)?);
    }
    let json_bytes = EncodedTrails::new(2)?.json_bytes(Timestamp::from_micros(BEGAN_MICROS))?;
    print_speed(events, json_bytes, &loops, &alone);
    print_steps(events, &loops);
    let frame_bytes = journal.stats().bytes as f64;
    let lake_bytes = median(loops.iter().map(|run| run.lake_bytes as f64));
    print_sizes(
        events,
        &[("JSON without nulls", json_bytes * events as f64), ("Avro", avro_bytes), ("journal", frame_bytes), ("lake", lake_bytes)],
    );
    journal.shutdown().await;
    Ok(())
}

/// A journal on disk with so many events.
pub async fn fill(folder: &Path, events: u64, number: u128) -> Result<Journal> {
    let mut config = JournalConfig::new(JournalId::from_uuid(Uuid::from_u128(11 + number)));
    config.max_total_bytes = (events * 2_000).max(config.max_total_bytes);
    let (journal, _) = Journal::open(config, Arc::new(FileDisk::open(folder)?))?;
    let mut trails = EncodedTrails::new(1)?;
    let bar = progress("filling the journal", events);
    let mut began = BEGAN_MICROS;
    for _ in 0..events.div_ceil(EVENTS_PER_TRAIL * TRAILS_PER_APPEND) {
        let mut records = Vec::new();
        for _ in 0..TRAILS_PER_APPEND {
            records.extend(trails.trail(Timestamp::from_micros(began))?.records);
            began += MICROS_PER_TRAIL;
        }
        bar.inc(records.len() as u64);
        append(&journal, records).await?;
    }
    bar.finish_and_clear();
    Ok(journal)
}

/// Waits where the next segment is still being prepared.
async fn append(journal: &Journal, records: Vec<bytes::Bytes>) -> Result<()> {
    loop {
        match journal.append(records.clone()).await {
            Ok(_) => return Ok(()),
            Err(AppendError::Full { .. }) => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
            Err(error) => return Err(error.into()),
        }
    }
}

/// The loop as `custody` runs it, with a watch on its ports, until the journal is empty.
async fn move_all(journal: &Journal, lake: &Path) -> Result<LoopRun> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let ids: Arc<dyn IdSource> = Arc::new(SystemIds);
    let steps = Arc::new(Mutex::new(Steps::default()));
    let metrics = Arc::new(IngestMetrics::default());
    let parts = IngestParts {
        logs: vec![journal.reader(LogPosition::START)],
        decoder: TimedDecoder::new(EventDecoder::new()?, &steps),
        events: TimedStore::new(EventStore::open(lake, Arc::clone(&clock), Arc::clone(&ids)).await?, &steps),
        dead_letters: DeadLetterStore::open(lake, Arc::clone(&clock), Arc::clone(&ids)).await?,
        lookup: Arc::new(NoLookup),
        acknowledge: Box::new(|_: &str, _: LogPosition| {}),
        clock,
        ids,
        observer: Arc::clone(&metrics) as Arc<dyn custody_ingest::IngestObserver>,
    };
    // Asked to stop from the start, the loop stores what the log has and ends.
    let (_stop, stopping) = watch::channel(true);
    let meter = Meter::start()?;
    Ingest::new(IngestConfig::default(), parts).run(stopping).await?;
    let spent = meter.stop()?;
    let figures = metrics.figures();
    ensure!(figures.rows == journal.stats().records, "{} rows of {} records", figures.rows, journal.stats().records);
    ensure!(figures.dead_letters == 0 && figures.duplicates == 0, "dead letters or duplicates among generated events");
    let steps = steps.lock().ok().map(|steps| steps.clone()).context("a step panicked")?;
    Ok(LoopRun { spent, steps, lake_bytes: folder_bytes(&lake.join("events"))? })
}

fn print_speed(events: u64, json_bytes: f64, loops: &[LoopRun], alone: &Alone) {
    let columns = ["", "events/s", "CPU µs/event", "JSON MB/s a core"];
    let mut table = Table::new(format!("{events} events"), &columns);
    let mut row = |name: &str, spent: &[Spent]| {
        let wall = median(spent.iter().map(|spent| spent.wall));
        let cpu = median(spent.iter().map(|spent| spent.cpu));
        let events = events as f64;
        table.row(name, [shown(events / wall), shown(cpu * 1e6 / events), shown(events * json_bytes / cpu / 1e6)]);
        cpu
    };
    let whole = row("ingest, journal to Delta", &loops.iter().map(|run| run.spent).collect::<Vec<_>>());
    row("decode alone", &alone.decoding);
    row("sort alone", &alone.sorting);
    let encoding = row("Parquet encoding alone", &alone.encoding);
    table.print();
    say(&format!("  ingest does {} % of what Parquet encoding alone can do", shown(encoding / whole * 100.0)));
}

/// Seconds that one step of a loop took.
type StepTime = fn(&Steps) -> f64;

fn print_steps(events: u64, loops: &[LoopRun]) {
    let mut table = Table::new("where the loop's time goes", &["", "wall µs/event", "share"]);
    let whole = median(loops.iter().map(|run| run.spent.wall));
    let steps: [(&str, StepTime); 3] =
        [("decode", |steps| steps.decode), ("stage: sort, encode, write", |steps| steps.stage), ("commit", Steps::all_commits)];
    let mut named = 0.0;
    for (name, of) in steps {
        let seconds = median(loops.iter().map(|run| of(&run.steps)));
        named += seconds;
        table.row(name, [shown(seconds * 1e6 / events as f64), format!("{:.0} %", seconds / whole * 100.0)]);
    }
    let rest = whole - named;
    table.row("read, check, the rest", [shown(rest * 1e6 / events as f64), format!("{:.0} %", rest / whole * 100.0)]);
    table.print();
    let commit = median(loops.iter().flat_map(|run| run.steps.commits.iter().copied()));
    let commits = loops.first().map_or(0, |run| run.steps.commits.len());
    say(&format!("  {commits} commits, median {} ms", shown(commit * 1e3)));
}

fn print_sizes(events: u64, sizes: &[(&str, f64)]) {
    let mut table = Table::new("bytes", &["", "an event", "a request"]);
    for (name, bytes) in sizes {
        let event = bytes / events as f64;
        table.row(*name, [shown(event), shown(event * EVENTS_PER_TRAIL as f64)]);
    }
    table.print();
}
