//! Kafka Connect with Apache Iceberg's sink: a stock way from the same topic into committed Parquet, as fast as its settings make it.
//!
//! It runs as a process of its own, so that its processor time and memory are its own. The clock starts when its tasks run; what it
//! needed until then is told apart. It ends with the commit that holds the last event, read from the table's own metadata. It does
//! less than ingest does: it neither sorts nor drops duplicates, stores no log positions and no bloom filters. Its tasks share out
//! whole partitions, so that its rate, but not its processor time, depends on how evenly these are filled.

mod connect;
mod settings;
mod table;

use std::{env, path::PathBuf, time::Duration};

use anyhow::{Context, Result, ensure};
use custody_log::kafka::KafkaConfig;
use tempfile::TempDir;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use self::{connect::Connect, table::IcebergTable};
use super::environment::make_topic;
use crate::{
    measure::{Meter, Spent},
    terminal::{say, shown},
};

/// Said where the row is missing.
pub const LEFT_OUT: &str = "  Kafka Connect is left out: `CUSTODY_BENCH_PEER` does not say where it is; `cargo xtask bench kafka` sets it";

/// How often the table is looked at.
const PAUSE: Duration = Duration::from_millis(20);
/// How often Connect is asked whether its tasks still run.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);
/// Longer than any commit takes.
const COMMIT_PATIENCE: Duration = Duration::from_secs(120);

/// What Connect is to read.
#[derive(Debug)]
struct Load<'a> {
    brokers: &'a [String],
    topic: &'a str,
}

/// A commit of Connect's.
#[derive(Debug, Clone, Copy)]
pub struct Commit {
    /// Rows in the table with it.
    pub rows: u64,
    /// When it was seen.
    pub at: Instant,
    spent: Spent,
}

/// A worker whose tasks run, and its table.
pub struct Sink {
    connect: Connect,
    table: IcebergTable,
    start_up: Spent,
    _folder: TempDir,
}

/// What one run says of Connect.
#[derive(Debug)]
pub struct PeerRun {
    /// From running tasks to the last commit.
    pub spent: Spent,
    start_up: Spent,
    commits: Vec<Commit>,
    peak_mib: f64,
    files: usize,
    bytes: u64,
}

/// The folder with `jars` and `classes`, where it was installed.
#[expect(clippy::disallowed_methods, reason = "a bench is told by its environment where the yardsticks are")]
fn installed() -> Option<PathBuf> {
    env::var("CUSTODY_BENCH_PEER").ok().map(PathBuf::from)
}

/// The topic through which the sink's tasks agree on commits. It must be there before they start.
fn control_topic(topic: &str) -> String {
    format!("{topic}.control")
}

/// Moves all events of the topic into a new table in a folder; nothing where Connect is not installed.
pub async fn move_all(kafka: &KafkaConfig, topic: &str, events: u64) -> Result<Option<PeerRun>> {
    let Some(mut sink) = Sink::start(kafka, topic).await? else { return Ok(None) };
    let (_all, expected) = watch::channel(events);
    let commits = sink.commits(expected).await?;
    let last = commits.last().context("Kafka Connect committed nothing")?;
    ensure!(last.rows == events, "Kafka Connect stored {} rows of {events} events", last.rows);
    let (spent, peak_mib, sizes) = (last.spent, sink.connect.peak_resident_mib(), sink.table.file_sizes()?);
    Ok(Some(PeerRun { spent, start_up: sink.start_up, commits, peak_mib, files: sizes.len(), bytes: sizes.iter().sum() }))
}

impl Sink {
    /// Starts one on the topic; nothing where Connect is not installed.
    pub async fn start(kafka: &KafkaConfig, topic: &str) -> Result<Option<Self>> {
        let Some(installed) = installed() else { return Ok(None) };
        make_topic(kafka, &control_topic(topic), 1).await?;
        let folder = tempfile::tempdir()?;
        let mut connect = Connect::prepare(&installed, folder.path(), &Load { brokers: kafka.brokers(), topic })?;
        let begun = connect.start()?;
        connect.wait_for_tasks().await?;
        Ok(Some(Self { connect, table: IcebergTable::of(folder.path()), start_up: begun.stop()?, _folder: folder }))
    }

    /// Every commit until as many rows as expected are there.
    pub async fn commits(&mut self, expected: watch::Receiver<u64>) -> Result<Vec<Commit>> {
        let meter = Meter::start_of(self.connect.pid()?)?;
        let mut commits: Vec<Commit> = Vec::new();
        let (mut checked, mut progressed) = (Instant::now(), Instant::now());
        loop {
            let before = commits.last().map_or(0, |commit| commit.rows);
            let rows = self.table.rows().unwrap_or(before);
            if rows > before {
                progressed = Instant::now();
                commits.push(Commit { rows, at: progressed, spent: meter.stop()? });
            }
            if rows >= *expected.borrow() {
                return Ok(commits);
            }
            if checked.elapsed() > CHECK_INTERVAL {
                self.connect.running_tasks().await?;
                checked = Instant::now();
            }
            ensure!(progressed.elapsed() < COMMIT_PATIENCE, "Kafka Connect stopped at {before} rows; {}", self.connect.last_words());
            sleep(PAUSE).await;
        }
    }
}

impl PeerRun {
    /// Lines for below the table.
    pub fn say(&self, events: u64) {
        let (start_wall, start_cpu) = (shown(self.start_up.wall), shown(self.start_up.cpu));
        say(&format!("  Kafka Connect took {start_wall} s and {start_cpu} s of processor time to start, which its row leaves out"));
        if let Some((rows, warm)) = self.warm() {
            let rate = shown(rows as f64 / warm.wall);
            let cost = shown(warm.cpu * 1e6 / rows as f64);
            say(&format!("  Kafka Connect did {rate} events/s at {cost} CPU µs/event after its first commit, with its code compiled"));
        }
        let file_mib = shown(self.bytes as f64 / self.files as f64 / f64::from(1 << 20));
        let event_bytes = shown(self.bytes as f64 / events as f64);
        let (commits, peak) = (self.commits.len(), shown(self.peak_mib));
        say(&format!("  Kafka Connect wrote {} files of {file_mib} MiB in {commits} commits, {event_bytes} bytes an event", self.files));
        say(&format!("  Kafka Connect had at most {peak} MiB resident"));
    }

    /// Rows and cost of what came after the first commit.
    fn warm(&self) -> Option<(u64, Spent)> {
        let (first, last) = (self.commits.first()?, self.commits.last()?);
        let rows = last.rows.checked_sub(first.rows).filter(|rows| *rows > 0)?;
        Some((rows, Spent { wall: last.spent.wall - first.spent.wall, cpu: last.spent.cpu - first.spent.cpu }))
    }
}
