//! `kafka`: journals shipped to real Kafka, and from there into a Delta table by the production loop, beside Parquet encoding alone.
//! Needs the environment of `cargo xtask services env`; with its S3 the lake is there, else in a folder.

use std::{env, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use clap::Args;
use custody_gateway::{SystemClock, SystemIds};
use custody_ingest::{Ingest, IngestConfig, IngestMetrics, IngestObserver, IngestParts};
use custody_lake::{DeadLetterStore, EventDecoder, EventStore, LakeRoot, S3Options};
use custody_log::{
    FileDisk, Journal, JournalConfig,
    kafka::{KafkaConfig, KafkaReader, KafkaSecurity, Shipper, ShipperConfig, TopicAdmin, TopicPlan},
};
use custody_types::{Clock, IdSource, LogPosition, Timestamp};
use tokio::{sync::watch, task::JoinSet};

use crate::{
    ingest::{alone, fill},
    measure::{Meter, Spent, folder_bytes},
    recording::EncodedTrails,
    terminal::{Table, say, shown},
};

/// Settings of the part.
#[derive(Args, Debug)]
pub struct KafkaArgs {
    /// Events to move.
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// Journals, each in a partition of its own.
    #[arg(long, default_value_t = 4)]
    journals: u32,
    /// Put the lake into the S3 store of the environment instead of a folder.
    #[arg(long)]
    s3: bool,
}

/// Runs the part.
pub async fn run(args: KafkaArgs) -> Result<()> {
    let kafka = kafka()?;
    let topic = format!("custody.bench.{}", SystemIds.event_id());
    let folder = tempfile::tempdir()?;
    let mut journals = Vec::new();
    for number in 0..args.journals {
        journals.push(fill(&folder.path().join(number.to_string()), args.events / u64::from(args.journals), u128::from(number)).await?);
    }
    let events: u64 = journals.iter().map(|journal| journal.stats().records).sum();
    make_topic(&kafka, &topic, args.journals).await?;
    let shipped = ship(&kafka, &topic, &journals, folder.path()).await?;
    let lake_folder = tempfile::tempdir()?;
    let lake = if args.s3 { s3_lake(&topic)? } else { LakeRoot::folder(lake_folder.path()) };
    let moved = move_all(&kafka, &topic, args.journals, &lake, events).await?;

    let json_bytes = EncodedTrails::new(2)?.json_bytes(Timestamp::from_micros(0))?;
    let columns = ["", "events/s", "CPU µs/event", "JSON MB/s a core"];
    let mut table = Table::new(format!("{events} events, {} partitions, lake {}", args.journals, place(&lake)), &columns);
    row(&mut table, "shipper, journals to Kafka", &shipped, events, json_bytes);
    row(&mut table, "ingest, Kafka to committed Parquet", &moved, events, json_bytes);
    if !lake.is_s3() {
        let encoding = alone::encode(&lake_folder.path().join("events"), events)?;
        row(&mut table, "Parquet encoding alone", &encoding, events, json_bytes);
        table.print();
        let bytes = folder_bytes(&lake_folder.path().join("events"))?;
        say(&format!("  ingest does {} % of what Parquet encoding alone can do", shown(encoding.cpu / moved.cpu * 100.0)));
        say(&format!("  {} bytes an event in the lake", shown(bytes as f64 / events as f64)));
        return Ok(());
    }
    table.print();
    Ok(())
}

fn row(table: &mut Table, name: &str, spent: &Spent, events: u64, json_bytes: f64) {
    let events = events as f64;
    let figures = [events / spent.wall, spent.cpu * 1e6 / events, events * json_bytes / spent.cpu / 1e6];
    table.row(name, figures.map(shown));
}

fn place(lake: &LakeRoot) -> &'static str {
    if lake.is_s3() { "on S3" } else { "in a folder" }
}

#[expect(clippy::disallowed_methods, reason = "a bench is told by its environment where the services are")]
fn variable(name: &str) -> Result<String> {
    env::var(name).with_context(|| format!("`{name}` is not set: eval \"$(cargo xtask services env)\" after `cargo xtask services up`"))
}

fn kafka() -> Result<KafkaConfig> {
    let brokers = variable("CUSTODY_TEST_KAFKA")?.split(',').map(str::to_owned).collect();
    Ok(KafkaConfig::new(brokers, KafkaSecurity::Plaintext, "custody-bench")?)
}

fn s3_lake(prefix: &str) -> Result<LakeRoot> {
    let endpoint = Some(variable("CUSTODY_TEST_S3_ENDPOINT")?.parse().context("the S3 endpoint is not a URL")?);
    let root = format!("s3://{}/{prefix}", variable("CUSTODY_TEST_S3_BUCKET")?);
    Ok(LakeRoot::parse(&root, S3Options { endpoint, region: Some("us-east-1".to_owned()) })?)
}

async fn make_topic(kafka: &KafkaConfig, name: &str, partitions: u32) -> Result<()> {
    let plan = TopicPlan {
        name: name.to_owned(),
        partitions,
        replication: 1,
        retention_ms: 3_600_000,
        min_insync_replicas: 1,
        max_message_bytes: 2 << 20,
    };
    let admin = TopicAdmin::open(kafka)?;
    let differences = admin.plan(&plan).await?;
    Ok(admin.apply(&plan, &differences).await?)
}

/// All journals at once, each by its own shipper, until Kafka has acknowledged everything.
async fn ship(kafka: &KafkaConfig, topic: &str, journals: &[Journal], folder: &std::path::Path) -> Result<Spent> {
    let meter = Meter::start()?;
    let mut shippers = JoinSet::new();
    for (number, journal) in journals.iter().enumerate() {
        let config = ShipperConfig {
            grace: Duration::from_secs(600),
            ..ShipperConfig::new(topic, JournalConfig::new(journal.id()).max_record_bytes)
        };
        let disk = Arc::new(FileDisk::open(&folder.join(number.to_string()))?);
        let shipper = Shipper::open(kafka.clone(), config, journal.reader(LogPosition::START), disk, |_| {})?;
        let monitor = shipper.monitor();
        let (stop, stopping) = watch::channel(false);
        shippers.spawn(async move {
            // A shipper that is told to stop before it chose a partition ends at once.
            let mut acked = monitor.acked();
            let running = tokio::spawn(shipper.run(stopping));
            let _ = acked.wait_for(|place| *place > LogPosition::START).await;
            stop.send_replace(true);
            running.await
        });
    }
    while let Some(ended) = shippers.join_next().await {
        let stats = ended???;
        ensure!(stats.lag_records == 0, "{} records were not shipped", stats.lag_records);
    }
    meter.stop()
}

/// The loop as `custody ingest` runs it, until the lake has everything.
async fn move_all(kafka: &KafkaConfig, topic: &str, partitions: u32, lake: &LakeRoot, events: u64) -> Result<Spent> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let ids: Arc<dyn IdSource> = Arc::new(SystemIds);
    let metrics = Arc::new(IngestMetrics::default());
    let readers = (0..partitions).map(|partition| KafkaReader::open(kafka, topic, i32::try_from(partition).unwrap_or(0)));
    let parts = IngestParts {
        logs: readers.collect::<Result<_, _>>()?,
        decoder: EventDecoder::new()?,
        events: EventStore::open(lake, Arc::clone(&clock), Arc::clone(&ids)).await?,
        dead_letters: DeadLetterStore::open(lake, Arc::clone(&clock), Arc::clone(&ids)).await?,
        lookup: Arc::new(crate::ingest::NoLookup),
        acknowledge: Box::new(|_: &str, _: LogPosition| {}),
        clock,
        ids,
        observer: Arc::clone(&metrics) as Arc<dyn IngestObserver>,
    };
    // The last batch waits for its age: short, so that little of the time is waiting.
    let config = IngestConfig { flush_age: Duration::from_secs(1), ..IngestConfig::default() };
    let (_stop, stopping) = watch::channel(false);
    let meter = Meter::start()?;
    let mut ingest = Ingest::new(config, parts);
    while metrics.figures().rows < events {
        ingest.turn(&stopping).await?;
    }
    let spent = meter.stop()?;
    ensure!(metrics.figures().rows == events, "{} rows of {events} events", metrics.figures().rows);
    Ok(spent)
}
