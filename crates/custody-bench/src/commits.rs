//! `commits`: what a commit takes while the table grows to ten, a thousand and ten thousand live files, in a folder and on S3.

use std::{sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use clap::Args;
use custody_gateway::{SystemClock, SystemIds};
use custody_ingest::ledger;
use custody_lake::{EventDecoder, EventRows, EventStore, LakeRoot, Staged, TableStore};
use custody_types::{Clock, IdSource, JournalId, LogPosition, LogRecord, Seq, Source, Timestamp};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    kafka::environment::s3_lake,
    measure::{Latencies, peak_resident_mib},
    recording::EncodedTrails,
    terminal::{Table, progress, say, shown},
};

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// Days of one commit that makes the table grow: a file a day.
const DAYS_PER_COMMIT: u64 = 500;
/// Trails of a commit that is measured.
const TRAILS_PER_COMMIT: u64 = 100;

/// Settings of the part.
#[derive(Args, Debug)]
pub struct CommitsArgs {
    /// Live files at which commits are measured.
    #[arg(long, value_delimiter = ',', default_value = "10,1000,10000")]
    files: Vec<u64>,
    /// Commits measured at each.
    #[arg(long, default_value_t = 60)]
    commits: u64,
}

/// Runs the part.
pub async fn run(args: CommitsArgs) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let lakes = [("in a folder", LakeRoot::folder(folder.path())), ("on S3", s3_lake(&format!("bench-{}", SystemIds.event_id()))?)];
    let title = format!("a commit of {} events in one file, {} times", TRAILS_PER_COMMIT * 7, args.commits);
    let mut table = Table::new(title, &["", "live files", "p50 ms", "p99 ms", "most ms", "open a handle, ms"]);
    for (place, lake) in lakes {
        let mut growing = Growing::open(&lake).await?;
        for files in &args.files {
            growing.grow_to(*files).await?;
            let opening = growing.reopen(&lake).await?;
            let mut took = Latencies::default();
            for _ in 0..args.commits {
                let staged = growing.stage(1, TRAILS_PER_COMMIT).await?;
                took.add(growing.commit(staged).await?);
            }
            let [half, most, all] = [50.0, 99.0, 100.0].map(|percent| shown(took.percentile(percent)));
            table.row(place, [files.to_string(), half, most, all, shown(opening.as_secs_f64() * 1e3)]);
        }
    }
    table.print();
    say("  a commit: read the table's newest version, compare positions, put the next version, follow it; a checkpoint every hundredth");
    say(&format!("  peak memory {} MiB", shown(peak_resident_mib())));
    Ok(())
}

/// A table that gets files.
struct Growing {
    store: EventStore,
    decoder: EventDecoder,
    trails: EncodedTrails,
    source: Source,
    files: u64,
    day: u64,
    written: u64,
}

impl Growing {
    async fn open(lake: &LakeRoot) -> Result<Self> {
        let source = Source { journal: JournalId::from_uuid(Uuid::from_u128(29)), epoch: 1 };
        let (decoder, trails) = (EventDecoder::new()?, EncodedTrails::new(29)?);
        Ok(Self { store: store(lake).await?, decoder, trails, source, files: 0, day: 0, written: 0 })
    }

    /// As ingest does every fifty commits, and at its start.
    async fn reopen(&mut self, lake: &LakeRoot) -> Result<Duration> {
        let began = Instant::now();
        self.store = store(lake).await?;
        Ok(began.elapsed())
    }

    async fn grow_to(&mut self, files: u64) -> Result<()> {
        let bar = progress("making files", files);
        while self.files < files {
            let days = DAYS_PER_COMMIT.min(files - self.files);
            let staged = self.stage(days, 1).await?;
            self.commit(staged).await?;
            bar.set_position(self.files);
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// So many days, each with so many trails, and so a file a day.
    async fn stage(&mut self, days: u64, trails: u64) -> Result<Staged> {
        let mut records = Vec::new();
        for _ in 0..days {
            self.day += 1;
            let noon = i64::try_from(self.day)? * MICROS_PER_DAY + MICROS_PER_DAY / 2;
            for _ in 0..trails {
                for payload in self.trails.trail(Timestamp::from_micros(noon))?.records {
                    let position = LogPosition::new(self.written);
                    self.written += 1;
                    records.push(LogRecord { position, source: self.source, seq: Seq::new(self.written), payload, damaged: false });
                }
            }
        }
        let rows: EventRows = self.decoder.decode("bench/0", &records).rows;
        ensure!(rows.len() == records.len(), "generated events do not decode");
        let staged = self.store.stage(rows).await?;
        self.files += staged.files().len() as u64;
        Ok(staged)
    }

    async fn commit(&mut self, staged: Staged) -> Result<Duration> {
        let began = Instant::now();
        let state = self.store.snapshot().await?;
        let transaction = (ledger::position_id("bench/0"), ledger::version_of(LogPosition::new(self.written)));
        self.store.commit(&state, staged, &[transaction], *SystemIds.event_id().as_uuid()).await?;
        Ok(began.elapsed())
    }
}

async fn store(lake: &LakeRoot) -> Result<EventStore> {
    let (clock, ids): (Arc<dyn Clock>, Arc<dyn IdSource>) = (Arc::new(SystemClock::new()), Arc::new(SystemIds));
    Ok(EventStore::open(lake, clock, ids).await?)
}
