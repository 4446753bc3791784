//! At a steady rate: how old an event is when it is committed, from the journal's fsync through Kafka to a table. Where Kafka Connect
//! is installed it reads the same topic at the same time, into a folder; its own interval of commits is five seconds.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use custody_gateway::{SystemClock, SystemIds};
use custody_ingest::{Alarm, BatchCommitted, Ingest, IngestConfig, IngestError, IngestMetrics, IngestObserver, IngestParts};
use custody_lake::{DeadLetterStore, EventDecoder, EventStore};
use custody_log::{
    FileDisk, Journal, JournalConfig,
    kafka::{KafkaConfig, KafkaReader, Shipper, ShipperConfig},
};
use custody_types::{Clock, IdSource, LogPosition};
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior},
};

use super::{
    KafkaArgs,
    environment::{make_topic, s3_lake},
    peer::Sink,
};
use crate::{
    ingest::{NoLookup, fill},
    measure::Latencies,
    recording::EncodedTrails,
    terminal::{Table, shown},
};

const TICK: Duration = Duration::from_millis(10);
const TICKS_PER_SECOND: u64 = 100;
const PATIENCE: Duration = Duration::from_secs(30);

/// The first so many records, and since when they were durable or stored.
type Reached = Vec<(Instant, u64)>;

/// A run for each flush age.
pub async fn steady(kafka: &KafkaConfig, args: &KafkaArgs) -> Result<()> {
    let title = format!("age of an event when it is committed, at {} events/s for {} s", args.rate, args.seconds);
    let mut table = Table::new(title, &["", "p50 ms", "p99 ms", "most ms", "commits"]);
    for age in &args.ages {
        let Run { durable, ours, peer } = one_run(kafka, args, Duration::from_secs(*age)).await?;
        let mut row = |name: String, stored: &Reached| -> Result<()> {
            let mut ages = ages(&durable, stored)?;
            let [half, most_all, all] = [50.0, 99.0, 100.0].map(|percent| shown(ages.percentile(percent)));
            table.row(name, [half, most_all, all, stored.len().to_string()]);
            Ok(())
        };
        row(format!("ingest on S3, flush age {age} s"), &ours)?;
        if let Some(peer) = &peer {
            row("Kafka Connect, Iceberg sink in a folder, every 5 s".to_owned(), peer)?;
        }
    }
    table.print();
    Ok(())
}

/// Since when the first so many records were durable in the journal, and committed by each.
struct Run {
    durable: Reached,
    ours: Reached,
    peer: Option<Reached>,
}

async fn one_run(kafka: &KafkaConfig, args: &KafkaArgs, flush_age: Duration) -> Result<Run> {
    let topic = format!("custody.bench.{}", SystemIds.event_id());
    make_topic(kafka, &topic, 1).await?;
    let folder = tempfile::tempdir()?;
    let journal = fill(folder.path(), 0, 99).await?;
    let (stop, stopping) = watch::channel(false);
    let config = ShipperConfig::new(&topic, JournalConfig::new(journal.id()).max_record_bytes);
    let disk = Arc::new(FileDisk::open(folder.path())?);
    let shipper = Shipper::open(kafka.clone(), config, journal.reader(LogPosition::START), disk, |_| {})?;
    let shipping = tokio::spawn(shipper.run(stopping.clone()));
    let seen = Arc::new(Seen::default());
    let ingesting = tokio::spawn(ingest(kafka, &topic, flush_age, Arc::clone(&seen)).await?.run(stopping));
    let (tell_all, all) = watch::channel(u64::MAX);
    let peer = Sink::start(kafka, &topic).await?.map(|mut sink| tokio::spawn(async move { sink.commits(all).await }));

    let durable = append_steadily(&journal, args.rate, args.seconds).await?;
    let count = durable.last().map_or(0, |(_, count)| *count);
    tell_all.send_replace(count);
    tokio::time::timeout(PATIENCE + flush_age, seen.reached(count)).await.context("what was appended was not committed")?;
    let peer = match peer {
        Some(following) => Some(following.await??.into_iter().map(|commit| (commit.at, commit.rows)).collect()),
        None => None,
    };
    stop.send_replace(true);
    ingesting.await??;
    shipping.await??;
    journal.shutdown().await;
    Ok(Run { durable, ours: seen.stored(), peer })
}

async fn append_steadily(journal: &Journal, rate: u64, seconds: u64) -> Result<Reached> {
    let mut trails = EncodedTrails::new(17)?;
    let clock = SystemClock::new();
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (mut durable, mut count) = (Vec::new(), 0);
    for tick in 1..=seconds * TICKS_PER_SECOND {
        ticks.tick().await;
        let mut records = Vec::new();
        while count + (records.len() as u64) < rate * tick / TICKS_PER_SECOND {
            records.extend(trails.trail(clock.now())?.records);
        }
        if records.is_empty() {
            continue;
        }
        count += records.len() as u64;
        journal.append(records).await?;
        durable.push((Instant::now(), count));
    }
    Ok(durable)
}

/// Each append's wait for the commit that had its last record; every append counts alike.
fn ages(durable: &Reached, stored: &Reached) -> Result<Latencies> {
    let mut ages = Latencies::default();
    for (since, count) in durable {
        let (at, _) = stored.iter().find(|(_, stored)| stored >= count).context("a record was not stored")?;
        ages.add(at.duration_since(*since));
    }
    Ok(ages)
}

async fn ingest(
    kafka: &KafkaConfig,
    topic: &str,
    flush_age: Duration,
    observer: Arc<Seen>,
) -> Result<Ingest<KafkaReader, EventDecoder, EventStore, DeadLetterStore>> {
    let (clock, ids): (Arc<dyn Clock>, Arc<dyn IdSource>) = (Arc::new(SystemClock::new()), Arc::new(SystemIds));
    let lake = s3_lake(topic)?;
    let parts = IngestParts {
        logs: vec![KafkaReader::open(kafka, topic, 0)?],
        decoder: EventDecoder::new()?,
        events: EventStore::open(&lake, Arc::clone(&clock), Arc::clone(&ids)).await?,
        dead_letters: DeadLetterStore::open(&lake, Arc::clone(&clock), Arc::clone(&ids)).await?,
        lookup: Arc::new(NoLookup),
        acknowledge: Box::new(|_: &str, _: LogPosition| {}),
        clock,
        ids,
        observer,
    };
    Ok(Ingest::new(IngestConfig { flush_age, ..IngestConfig::default() }, parts))
}

/// Notes when which place was stored. A fresh topic of one journal has the n-th record at offset n − 1.
#[derive(Default)]
struct Seen {
    metrics: IngestMetrics,
    stored: Mutex<Reached>,
    newest: watch::Sender<u64>,
}

impl Seen {
    fn stored(&self) -> Reached {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn reached(&self, count: u64) {
        let _ = self.newest.subscribe().wait_for(|stored| *stored >= count).await;
    }
}

impl IngestObserver for Seen {
    fn resumed(&self, stored: &[(String, LogPosition)]) {
        self.metrics.resumed(stored);
    }

    fn committed(&self, batch: &BatchCommitted) {
        let Some((_, next)) = batch.stored.first() else { return };
        self.stored.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), next.get()));
        self.newest.send_replace(next.get());
        self.metrics.committed(batch);
    }

    fn alarm(&self, alarm: &Alarm) {
        self.metrics.alarm(alarm);
    }

    fn failed(&self, error: &IngestError) {
        self.metrics.failed(error);
    }
}
