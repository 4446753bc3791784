//! `kafka`: journals shipped to real Kafka, and from there into Delta tables by the production loop, beside Parquet encoding alone
//! and, on the same topic, Kafka Connect's Iceberg sink; then how old an event is when it is committed, at a steady rate. Needs the
//! environment of `cargo xtask services env`. Kafka Connect writes to a folder only.

pub mod environment;

mod bulk;
mod peer;
mod steady;

use anyhow::Result;
use clap::Args;
use custody_gateway::SystemIds;
use custody_lake::LakeRoot;
use custody_types::{IdSource, Timestamp};

use self::{
    bulk::Moved,
    environment::{kafka, make_topic, s3_lake},
    steady::steady,
};
use crate::{
    ingest::{alone, fill},
    measure::{Spent, file_sizes, median},
    recording::EncodedTrails,
    terminal::{Table, say, shown},
};

/// Settings of the part.
#[derive(Args, Debug)]
pub struct KafkaArgs {
    /// Events to move.
    #[arg(long, default_value_t = 2_000_000)]
    events: u64,
    /// Journals, each in a partition of its own.
    #[arg(long, default_value_t = 4)]
    journals: u32,
    /// Events a second of the steady run.
    #[arg(long, default_value_t = 7_000)]
    rate: u64,
    /// Seconds of each steady run.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Flush ages of the steady runs, in seconds.
    #[arg(long, value_delimiter = ',', default_value = "5")]
    ages: Vec<u64>,
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
    let shipped = bulk::ship(&kafka, &topic, &journals, folder.path()).await?;
    for journal in journals {
        journal.shutdown().await;
    }
    let lake_folder = tempfile::tempdir()?;
    let in_folder = bulk::move_all(&kafka, &topic, args.journals, &LakeRoot::folder(lake_folder.path()), events).await?;
    let on_s3 = bulk::move_all(&kafka, &topic, args.journals, &s3_lake(&topic)?, events).await?;
    let peer = peer::move_all(&kafka, &topic, events).await?;
    let encoding = alone::encode(&lake_folder.path().join("events"), events)?;

    let json_bytes = EncodedTrails::new(2)?.json_bytes(Timestamp::from_micros(0))?;
    let columns = ["", "events/s", "CPU µs/event", "events/s a core", "JSON MB/s a core"];
    let mut table = Table::new(format!("{events} events in {} partitions", args.journals), &columns);
    row(&mut table, "shipper, journals to Kafka", &shipped, events, json_bytes);
    row(&mut table, "ingest, Kafka to Parquet committed in a folder", &in_folder.spent, events, json_bytes);
    row(&mut table, "ingest, Kafka to Parquet committed on S3", &on_s3.spent, events, json_bytes);
    if let Some(peer) = &peer {
        row(&mut table, "Kafka Connect, Iceberg sink in a folder", &peer.spent, events, json_bytes);
    }
    row(&mut table, "Parquet encoding alone", &encoding, events, json_bytes);
    table.print();
    say(&format!("  ingest does {} % of what Parquet encoding alone can do", shown(encoding.cpu / in_folder.spent.cpu * 100.0)));
    say_files(lake_folder.path(), events)?;
    say_memory("in a folder", &in_folder);
    say_memory("on S3", &on_s3);
    match &peer {
        Some(peer) => peer.say(events),
        None => say(peer::LEFT_OUT),
    }
    steady(&kafka, &args).await
}

fn row(table: &mut Table, name: &str, spent: &Spent, events: u64, json_bytes: f64) {
    let events = events as f64;
    let a_core = events / spent.cpu;
    table.row(name, [events / spent.wall, spent.cpu * 1e6 / events, a_core, a_core * json_bytes / 1e6].map(shown));
}

fn say_files(lake: &std::path::Path, events: u64) -> Result<()> {
    let sizes: Vec<f64> = file_sizes(&lake.join("events"))?.into_iter().map(|bytes| bytes as f64).collect();
    let (all, middle) = (sizes.iter().sum::<f64>(), median(sizes.iter().copied()));
    let mib = shown(middle / f64::from(1 << 20));
    say(&format!("  {} files, the middle one {mib} MiB; {} bytes an event", sizes.len(), shown(all / events as f64)));
    Ok(())
}

/// Ten looks over the run: flat after the first means that memory does not grow with what was moved.
fn say_memory(place: &str, moved: &Moved) {
    let tenths = (1..=10).filter_map(|tenth| moved.memory.get((moved.memory.len() * tenth / 10).saturating_sub(1)));
    let shown: Vec<String> = tenths.map(|mib| format!("{mib:.0}")).collect();
    say(&format!("  MiB resident over the run {place}: {}", shown.join(" ")));
}
