//! A backlog at full speed: journals to Kafka, and Kafka to committed Parquet.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use custody_gateway::{SystemClock, SystemIds};
use custody_ingest::{Ingest, IngestConfig, IngestMetrics, IngestObserver, IngestParts};
use custody_lake::{DeadLetterStore, EventDecoder, EventStore, LakeRoot};
use custody_log::{
    FileDisk, Journal, JournalConfig,
    kafka::{KafkaConfig, KafkaReader, Shipper, ShipperConfig},
};
use custody_types::{Clock, IdSource, LogPosition};
use tokio::{sync::watch, task::JoinSet};

use crate::measure::{MemoryWatch, Meter, Spent};

/// What moving a backlog took.
pub struct Moved {
    pub spent: Spent,
    /// What the process had resident over the run, in MiB.
    pub memory: Vec<f64>,
}

/// All journals at once, each by its own shipper, until Kafka has acknowledged everything.
pub async fn ship(kafka: &KafkaConfig, topic: &str, journals: &[Journal], folder: &Path) -> Result<Spent> {
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
pub async fn move_all(kafka: &KafkaConfig, topic: &str, partitions: u32, lake: &LakeRoot, events: u64) -> Result<Moved> {
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
    let memory = MemoryWatch::start();
    let meter = Meter::start()?;
    let mut ingest = Ingest::new(config, parts);
    while metrics.figures().rows < events {
        ingest.turn(&stopping).await?;
    }
    let spent = meter.stop()?;
    ensure!(metrics.figures().rows == events, "{} rows of {events} events", metrics.figures().rows);
    Ok(Moved { spent, memory: memory.stop().await? })
}
