//! The lake that questions are asked of: made once, through `custody-lake`, and kept for the next run.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, ensure};
use custody_gateway::{SystemClock, SystemIds};
use custody_ingest::ledger;
use custody_lake::{DeadLetterStore, EventDecoder, EventStore, TableStore};
use custody_types::{Clock, IdSource, JournalId, LogPosition, LogRecord, Seq, Source, Timestamp};
use rustix::fs::{Advice, fadvise};
use uuid::Uuid;

use super::LakeArgs;
use crate::{
    measure::{Meter, folder_bytes},
    recording::EncodedTrails,
    terminal::{progress, say, shown},
    trails::EVENTS_PER_TRAIL,
};

const MICROS_PER_DAY: u64 = 86_400_000_000;
/// 2025-10-01, UTC.
const FIRST_DAY: u64 = 20_362;
/// Written last; without it the folder is made anew.
const REQUEST_IDS: &str = "request-ids.txt";
const IDS_KEPT: u64 = 2_000;

/// A finished lake.
pub struct Generated {
    pub root: PathBuf,
    pub events: u64,
    pub files: usize,
    pub bytes: u64,
    /// A sample of its requests.
    pub request_ids: Vec<String>,
}

impl Generated {
    pub fn bytes_per_event(&self) -> f64 {
        self.bytes as f64 / self.events as f64
    }

    /// The parameters of a question over some of its days.
    pub fn days(&self, from: u64, before: u64) -> Vec<String> {
        let date = |day: u64| civil(FIRST_DAY + day);
        vec![format!("from_day={}", date(from)), format!("before_day={}", date(before))]
    }

    /// Asks the kernel to drop what it holds of the lake's files.
    pub fn forget_pages(&self) -> Result<()> {
        for path in files_below(&self.root)? {
            fadvise(&File::open(path)?, 0, None, Advice::DontNeed)?;
        }
        Ok(())
    }
}

/// The lake of an earlier run, or a new one.
pub async fn find_or_make(args: &LakeArgs) -> Result<Generated> {
    let beside = std::env::current_exe()?.parent().map(|folder| folder.join("bench-lakes")).context("no folder")?;
    let cache = args.cache.clone().unwrap_or(beside);
    let root = cache.join(format!("{}-events-{}-days-{}", args.events, args.days, args.commit_events));
    let finished = root.join(REQUEST_IDS);
    if args.fresh || !finished.exists() {
        let _ = std::fs::remove_dir_all(&root);
        std::fs::create_dir_all(&root).with_context(|| format!("cannot make `{}`", root.display()))?;
        make(args, &root).await?;
    }
    let request_ids: Vec<String> = std::fs::read_to_string(&finished)?.lines().map(str::to_owned).collect();
    let (events, table) = (args.events, root.join("events"));
    let files = files_below(&table)?.iter().filter(|path| path.extension().is_some_and(|extension| extension == "parquet")).count();
    Ok(Generated { bytes: folder_bytes(&table)?, root, events, files, request_ids })
}

/// Seconds spent on each step.
#[derive(Default)]
struct Steps {
    decode: f64,
    stage: f64,
    commit: f64,
}

struct Maker {
    trails: EncodedTrails,
    decoder: EventDecoder,
    store: EventStore,
    ids: Arc<dyn IdSource>,
    source: Source,
    partition: String,
    written: u64,
    steps: Steps,
}

async fn make(args: &LakeArgs, root: &Path) -> Result<()> {
    let mut maker = Maker::open(root).await?;
    let bar = progress("making the lake", args.events);
    let mut ids = Vec::new();
    for day in 0..args.days {
        let of_day = args.events * (day + 1) / args.days - args.events * day / args.days;
        let commits = of_day.div_ceil(args.commit_events.max(1)).max(1);
        for part in 0..commits {
            let count = of_day * (part + 1) / commits - of_day * part / commits;
            let began = (FIRST_DAY + day) * MICROS_PER_DAY + MICROS_PER_DAY * part / commits;
            maker.write(began, MICROS_PER_DAY / commits, count, &mut ids, args.events).await?;
            bar.inc(count);
        }
    }
    bar.finish_and_clear();
    maker.say_steps();
    std::fs::write(root.join(REQUEST_IDS), ids.join("\n"))?;
    Ok(())
}

impl Maker {
    async fn open(root: &Path) -> Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let ids: Arc<dyn IdSource> = Arc::new(SystemIds);
        let store = EventStore::open(root, Arc::clone(&clock), Arc::clone(&ids)).await?;
        DeadLetterStore::open(root, clock, Arc::clone(&ids)).await?;
        let journal = JournalId::from_uuid(Uuid::from_u128(13));
        Ok(Self {
            trails: EncodedTrails::new(5)?,
            decoder: EventDecoder::new()?,
            store,
            ids,
            source: Source { journal, epoch: 1 },
            partition: format!("journal/{journal}"),
            written: 0,
            steps: Steps::default(),
        })
    }

    /// One commit of `count` events spread over `lasting` microseconds.
    async fn write(&mut self, began: u64, lasting: u64, count: u64, ids: &mut Vec<String>, all: u64) -> Result<()> {
        let records = self.records(began, lasting, count, ids, all)?;
        let meter = Meter::start()?;
        let decoded = self.decoder.decode(&self.partition, &records);
        ensure!(decoded.poison.is_empty(), "generated events do not decode");
        self.steps.decode += meter.stop()?.wall;
        let meter = Meter::start()?;
        let staged = self.store.stage(decoded.rows).await?;
        self.steps.stage += meter.stop()?.wall;
        let meter = Meter::start()?;
        let transaction = (ledger::position_id(&self.partition), ledger::version_of(LogPosition::new(self.written)));
        let state = self.store.snapshot().await?;
        self.store.commit(&state, staged, &[transaction], *self.ids.event_id().as_uuid()).await?;
        self.steps.commit += meter.stop()?.wall;
        Ok(())
    }

    fn records(&mut self, began: u64, lasting: u64, count: u64, ids: &mut Vec<String>, all: u64) -> Result<Vec<LogRecord>> {
        let trails = count.div_ceil(EVENTS_PER_TRAIL);
        // The last requests of a day end after midnight otherwise, and a day would have files of two days.
        let (lasting, every) = (lasting.saturating_sub(60_000_000), (all / EVENTS_PER_TRAIL / IDS_KEPT).max(1));
        let mut records = Vec::with_capacity((trails * EVENTS_PER_TRAIL) as usize);
        for place in 0..trails {
            let at = i64::try_from(began + lasting * place / trails)?;
            let trail = self.trails.trail(Timestamp::from_micros(at))?;
            // Only whole trails can be looked up.
            if (self.written / EVENTS_PER_TRAIL).is_multiple_of(every) && (place + 1) * EVENTS_PER_TRAIL <= count {
                ids.push(trail.request_id);
            }
            for payload in trail.records.into_iter().take((count - place * EVENTS_PER_TRAIL) as usize) {
                let (position, seq) = (LogPosition::new(self.written), Seq::new(self.written + 1));
                records.push(LogRecord { position, source: self.source, seq, payload, damaged: false });
                self.written += 1;
            }
        }
        Ok(records)
    }

    fn say_steps(&self) {
        let each = |seconds: f64| shown(seconds * 1e6 / self.written.max(1) as f64);
        let Steps { decode, stage, commit } = self.steps;
        say(&format!("made with {} µs an event to decode, {} to stage, {} to commit", each(decode), each(stage), each(commit)));
    }
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { files.extend(files_below(&path)?) } else { files.push(path) }
    }
    Ok(files)
}

/// A day since 1970-01-01 as `YYYY-MM-DD`, by H. Hinnant's `civil_from_days`.
fn civil(day: u64) -> String {
    let shifted = day + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_shifted = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_shifted + 2) / 5 + 1;
    let month = if month_shifted < 10 { month_shifted + 3 } else { month_shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day_of_month:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_dates() {
        assert_eq!(civil(0), "1970-01-01");
        assert_eq!(civil(FIRST_DAY), "2025-10-01");
        assert_eq!(civil(11_016), "2000-02-29");
    }
}
