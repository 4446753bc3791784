//! `journal`: what a durable append costs, alone and in company.
//!
//! Each client does what a request does: an intent of three records, then an outcome of four, waiting for each to be durable.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Result;
use bytes::Bytes;
use clap::Args;
use custody_log::{AppendError, FileDisk, Journal, JournalConfig};
use custody_types::{JournalId, Timestamp};
use tokio::{task::JoinSet, time::Instant};
use uuid::Uuid;

use crate::{
    measure::{Latencies, Meter, median},
    recording::{EncodedTrail, EncodedTrails},
    terminal::{Table, say, shown},
    trails::INTENT_EVENTS,
};

const CONSUMER: &str = "bench";
const DIFFERENT_TRAILS: usize = 512;

/// Settings of the part.
#[derive(Args, Debug)]
pub struct JournalArgs {
    /// Clients to try.
    #[arg(long, value_delimiter = ',', default_value = "1,8,64,256")]
    clients: Vec<usize>,
    /// Seconds of one measurement.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Rounds; the numbers of clients alternate within each.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// One round.
#[derive(Debug, Default)]
struct Figures {
    appends: f64,
    p50: f64,
    p99: f64,
    records_per_sync: f64,
    megabytes: f64,
    frame_bytes: f64,
    cpu_us: f64,
    refused: u64,
}

/// Runs the part.
pub async fn run(args: JournalArgs) -> Result<()> {
    let trails = Arc::new(trails()?);
    let mut rounds: Vec<Vec<Figures>> = args.clients.iter().map(|_| Vec::new()).collect();
    let mut floor = Vec::new();
    let lasting = Duration::from_secs_f64(args.seconds);
    for _ in 0..args.rounds {
        floor.push(tokio::task::spawn_blocking(move || bare(lasting)).await??);
        for (clients, figures) in args.clients.iter().zip(&mut rounds) {
            figures.push(measure(*clients, lasting, &trails).await?);
        }
    }
    print(&args, &floor, &rounds);
    let bytes: usize = trails.iter().flat_map(|trail| &trail.records).map(Bytes::len).sum();
    let events: usize = trails.iter().map(|trail| trail.records.len()).sum();
    let frame = median(rounds.iter().flatten().map(|round| round.frame_bytes));
    say(&format!("  bytes per event: {} as Avro, {} with its frame", shown(bytes as f64 / events as f64), shown(frame)));
    Ok(())
}

fn trails() -> Result<Vec<EncodedTrail>> {
    let mut encoded = EncodedTrails::new(1)?;
    (0..DIFFERENT_TRAILS).map(|_| encoded.trail(Timestamp::from_micros(1_760_000_000_000_000))).collect()
}

/// One thread that writes 1,400 bytes (three to four events) and calls `fdatasync`, over and over: what the device gives.
fn bare(lasting: Duration) -> Result<Figures> {
    let folder = tempfile::tempdir()?;
    let file = std::fs::File::create(folder.path().join("bare"))?;
    let bytes = [7_u8; 1400];
    let (mut latencies, mut writes) = (Latencies::default(), 0_u32);
    let (meter, until) = (Meter::start()?, Instant::now() + lasting);
    while Instant::now() < until {
        let began = Instant::now();
        std::io::Write::write_all(&mut &file, &bytes)?;
        file.sync_data()?;
        latencies.add(began.elapsed());
        writes += 1;
    }
    let spent = meter.stop()?;
    let writes = f64::from(writes);
    Ok(Figures {
        appends: writes / spent.wall,
        p50: latencies.percentile(50.0),
        p99: latencies.percentile(99.0),
        megabytes: writes * bytes.len() as f64 / spent.wall / 1e6,
        cpu_us: spent.cpu * 1e6 / writes,
        records_per_sync: f64::NAN,
        frame_bytes: f64::NAN,
        refused: 0,
    })
}

async fn measure(clients: usize, lasting: Duration, trails: &Arc<Vec<EncodedTrail>>) -> Result<Figures> {
    let folder = tempfile::tempdir()?;
    let journal = open(folder.path())?;
    let truncation = truncate_as_stored(&journal);
    let (meter, until) = (Meter::start()?, Instant::now() + lasting);
    let mut tasks = JoinSet::new();
    for client in 0..clients {
        let (journal, trails) = (journal.clone(), Arc::clone(trails));
        tasks.spawn(async move { one_client(client, &journal, &trails, until).await });
    }
    let (mut latencies, mut refused) = (Latencies::default(), 0);
    let mut appends = 0;
    while let Some(done) = tasks.join_next().await {
        let client = done??;
        appends += client.appends;
        refused += client.refused;
        latencies.extend(client.latencies);
    }
    let (spent, stats) = (meter.stop()?, journal.stats());
    truncation.abort();
    journal.shutdown().await;
    let records = stats.records.max(1) as f64;
    Ok(Figures {
        appends: appends as f64 / spent.wall,
        p50: latencies.percentile(50.0),
        p99: latencies.percentile(99.0),
        records_per_sync: records / stats.commits.max(1) as f64,
        megabytes: stats.bytes as f64 / spent.wall / 1e6,
        frame_bytes: stats.bytes as f64 / records,
        cpu_us: spent.cpu * 1e6 / appends.max(1) as f64,
        refused,
    })
}

/// A journal with the settings that users have.
fn open(folder: &Path) -> Result<Journal> {
    let mut config = JournalConfig::new(JournalId::from_uuid(Uuid::from_u128(7)));
    config.consumers = vec![CONSUMER.to_owned()];
    let (journal, _) = Journal::open(config, Arc::new(FileDisk::open(folder)?))?;
    Ok(journal)
}

/// Plays a lake that keeps up, so that old segments go.
fn truncate_as_stored(journal: &Journal) -> tokio::task::JoinHandle<()> {
    let journal = journal.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(50)).await;
            journal.set_floor(CONSUMER, journal.stats().durable);
        }
    })
}

#[derive(Default)]
struct Client {
    appends: u64,
    refused: u64,
    latencies: Latencies,
}

async fn one_client(client: usize, journal: &Journal, trails: &[EncodedTrail], until: Instant) -> Result<Client> {
    let mut done = Client::default();
    let mut request = (client as u128) << 64;
    for trail in trails.iter().cycle().skip(client * 31) {
        if Instant::now() >= until {
            break;
        }
        request += 1;
        let (intent, outcome) = trail.records.split_at_checked(INTENT_EVENTS).unwrap_or_default();
        let began = Instant::now();
        let admission = match journal.admit(request.to_be_bytes(), intent.to_vec()).await {
            Ok(admission) => admission,
            Err(AppendError::Full { .. }) => {
                done.refused += 1;
                tokio::time::sleep(Duration::from_millis(1)).await;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        done.latencies.add(began.elapsed());
        let began = Instant::now();
        admission.close(outcome.to_vec()).await?;
        done.latencies.add(began.elapsed());
        done.appends += 2;
    }
    Ok(done)
}

fn print(args: &JournalArgs, floor: &[Figures], rounds: &[Vec<Figures>]) {
    let columns = ["", "appends/s", "p50 ms", "p99 ms", "records/fsync", "MB/s", "CPU µs/append", "refused"];
    let mut table = Table::new("durable appends of 3 or 4 events", &columns);
    let mut row = |name: String, figures: &[Figures]| {
        let middle = |of: fn(&Figures) -> f64| shown(median(figures.iter().map(of)));
        let refused: u64 = figures.iter().map(|round| round.refused).sum();
        let cells = [middle(|f| f.appends), middle(|f| f.p50), middle(|f| f.p99), middle(|f| f.records_per_sync), middle(|f| f.megabytes)];
        table.row(name, cells.into_iter().chain([middle(|f| f.cpu_us), refused.to_string()]));
    };
    row("bare write and fdatasync, 1 thread".to_owned(), floor);
    for (clients, figures) in args.clients.iter().zip(rounds) {
        row(format!("journal, {clients} clients"), figures);
    }
    table.print();
}
