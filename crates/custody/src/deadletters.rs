//! `custody deadletters`: records that are kept but are no events; what they are, and another try.

use std::{collections::BTreeMap, process::ExitCode, sync::Arc};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use custody_gateway::{SystemClock, SystemIds};
use custody_ingest::{RetriedLetters, retry_letters};
use custody_lake::{EventDecoder, EventStore, LakeReader, StoredLetter};
use custody_types::LogRecord;

use crate::{
    ingest_parts::LakeLookup,
    lake::PlaceArgs,
    terminal::{say, shown_time},
};

const EXIT_STILL_DEAD: u8 = 3;
/// Bytes of a letter in one line of `show`.
const BYTES_A_LINE: usize = 32;

/// Look at records that are no events, and try them again.
#[derive(Debug, Args)]
#[command(after_help = "\
A record that no decoder reads, or whose bytes were altered, blocks nothing: it is kept as it is, with its place and the
reason, and counts as present. After an upgrade that knows its schema, `retry` stores it as the event it is, once; the
letter stays as the record of what happened. (SQL: the table dead_letters.)

  custody deadletters list
  custody deadletters show custody.events.v1/3 1027
  custody deadletters retry

Exit codes: 0 done; 1 failed; 2 the arguments are wrong; 3 `retry` left some that are still no events.")]
pub struct DeadlettersArgs {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// List them.
    List {
        #[command(flatten)]
        place: PlaceArgs,
        /// Most of them.
        #[arg(long, value_name = "LETTERS", default_value_t = 100)]
        limit: usize,
    },
    /// Show one with its bytes.
    Show {
        #[command(flatten)]
        place: PlaceArgs,
        /// The log partition, as `list` prints it.
        partition: String,
        /// The place in it.
        position: u64,
    },
    /// Try them again with this program's decoder.
    Retry {
        #[command(flatten)]
        place: PlaceArgs,
        /// Most of them at once.
        #[arg(long, value_name = "LETTERS", default_value_t = 100_000)]
        limit: usize,
    },
}

/// Does one task.
pub async fn run(args: DeadlettersArgs) -> Result<ExitCode> {
    match args.task {
        Task::List { place, limit } => list(&place, limit).await,
        Task::Show { place, partition, position } => show(&place, &partition, position).await,
        Task::Retry { place, limit } => retry(&place, limit).await,
    }
}

async fn open(place: &PlaceArgs) -> Result<LakeReader> {
    LakeReader::open(&place.lake()?).await.context("the lake cannot be read")
}

async fn list(place: &PlaceArgs, limit: usize) -> Result<ExitCode> {
    let letters = open(place).await?.letters(None, 0..=u64::MAX, limit.saturating_add(1)).await?;
    for letter in letters.iter().take(limit) {
        say(&line(letter));
    }
    match letters.len() {
        0 => say("no dead letters"),
        count if count > limit => say(&format!("… and more; --limit shows more than {limit}")),
        _ => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn line(letter: &StoredLetter) -> String {
    let StoredLetter { partition, record, reason, found_at } = letter;
    let LogRecord { position, source, seq, payload, .. } = record;
    format!("{partition} {position}  {reason}  {} bytes  source {source} seq {}  found {}", payload.len(), seq.get(), shown_time(*found_at))
}

async fn show(place: &PlaceArgs, partition: &str, position: u64) -> Result<ExitCode> {
    let letters = open(place).await?.letters(Some(partition), position..=position, 1).await?;
    let letter = letters.first().with_context(|| format!("there is no dead letter at {partition} {position}"))?;
    say(&line(letter));
    for (number, bytes) in letter.record.payload.chunks(BYTES_A_LINE).enumerate() {
        let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let text: String = bytes.iter().map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { '.' }).collect();
        say(&format!("{:06x}  {}  {text}", number * BYTES_A_LINE, hex.join(" ")));
    }
    Ok(ExitCode::SUCCESS)
}

async fn retry(place: &PlaceArgs, limit: usize) -> Result<ExitCode> {
    let lake = place.lake()?;
    let letters = open(place).await?.letters(None, 0..=u64::MAX, limit).await?;
    let mut by_partition: BTreeMap<String, Vec<LogRecord>> = BTreeMap::new();
    for letter in letters {
        by_partition.entry(letter.partition).or_default().push(letter.record);
    }
    let events = EventStore::open(&lake, Arc::new(SystemClock::new()), Arc::new(SystemIds)).await?;
    let lookup = LakeLookup(open(place).await?);
    let mut decoder = EventDecoder::new()?;
    let mut all = RetriedLetters::default();
    for (partition, records) in &by_partition {
        let done = retry_letters(partition, records, &mut decoder, &events, &lookup, &SystemIds).await?;
        say(&format!("{partition}: {} stored, {} stored before, {} still no events", done.stored, done.known, done.dead));
        all.dead += done.dead;
    }
    if by_partition.is_empty() {
        say("no dead letters");
    }
    Ok(if all.dead == 0 { ExitCode::SUCCESS } else { ExitCode::from(EXIT_STILL_DEAD) })
}
