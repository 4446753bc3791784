//! `custody replay`: sends governed requests that follow a trace's arrival times and token counts. The load tool, and the
//! demonstration's traffic. The simulator is told each row's token counts in the prompt, so the recorded usage is the trace's.

mod client;
mod summary;
mod trace;

use std::{
    collections::BTreeMap,
    fs::File,
    io::{LineWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::{sync::Semaphore, task::JoinSet, time::Instant};

use crate::terminal;

use self::{
    client::{Caller, Seen},
    summary::Summary,
    trace::TraceRow,
};

const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// Send governed requests that follow a trace.
#[derive(Args, Debug)]
#[command(after_help = "A trace is a CSV file that begins with `TIMESTAMP,ContextTokens,GeneratedTokens` or
`ts_s,tenant,model,input_tokens,output_tokens`. Every row is sent until it gets an answer or an error; a row that was cut off
(the gateway went away) is sent again under the same x-client-request-id `<run>-<row>`.

Exit code: 0 every row answered, 1 some row refused or given up, 2 bad arguments.

  custody replay trace.csv --key ck_… --speed 60
  custody keys add --tenants-of trace.csv --group replay --out keys.csv   (then start `custody up`)
  custody replay trace.csv --keys keys.csv --speed max")]
pub struct ReplayArgs {
    /// The trace.
    trace: PathBuf,
    /// Where the gateway listens; several, with commas between, take turns.
    #[arg(long, default_value = "http://127.0.0.1:8700", value_delimiter = ',')]
    url: Vec<String>,
    /// API key for all rows.
    #[arg(long, env = "CUSTODY_API_KEY", hide_env_values = true)]
    key: Option<String>,
    /// File of `tenant,key` lines: each row is sent with its tenant's key.
    #[arg(long, conflicts_with = "key")]
    keys: Option<PathBuf>,
    /// Capability to ask for.
    #[arg(long, default_value = "docs.summarise")]
    capability: String,
    /// How many times faster than the trace; `max` sends as fast as answers return.
    #[arg(long, default_value = "1", value_parser = parse_speed)]
    speed: Speed,
    /// How many requests may be under way at once.
    #[arg(long, default_value_t = 64)]
    concurrency: usize,
    /// Send only the first N rows.
    #[arg(long)]
    limit: Option<usize>,
    /// Ask for streamed answers.
    #[arg(long)]
    stream: bool,
    /// How long to keep sending a cut-off row again, in seconds.
    #[arg(long, default_value_t = 60)]
    patience: u64,
    /// File to write the request id of each answered row to, a line each.
    #[arg(long)]
    answers: Option<PathBuf>,
    /// Name of this run, the first part of each x-client-request-id.
    #[arg(long, default_value = "replay")]
    run: String,
}

#[derive(Debug, Clone, Copy)]
enum Speed {
    Times(f64),
    Max,
}

fn parse_speed(text: &str) -> Result<Speed, String> {
    match text.parse::<f64>() {
        _ if text == "max" => Ok(Speed::Max),
        Ok(times) if times.is_finite() && times > 0.0 => Ok(Speed::Times(times)),
        _ => Err("use a number above 0, or `max`".to_owned()),
    }
}

/// Whose key a row is sent with.
enum Keys {
    One(Arc<str>),
    ByTenant(BTreeMap<String, Arc<str>>),
}

impl Keys {
    fn read(args: &ReplayArgs) -> Result<Self> {
        match (&args.keys, &args.key) {
            (Some(path), _) => Ok(Self::ByTenant(read_keys(path)?)),
            (None, Some(key)) => Ok(Self::One(Arc::from(key.as_str()))),
            (None, None) => bail!("give --key KEY (or CUSTODY_API_KEY) for all rows, or --keys FILE with a key for each tenant"),
        }
    }

    fn of(&self, row: &TraceRow) -> Result<Arc<str>> {
        match self {
            Self::One(key) => Ok(Arc::clone(key)),
            Self::ByTenant(keys) => {
                let tenant = row.tenant.as_deref().context("the trace names no tenants; use --key")?;
                keys.get(tenant).cloned().with_context(|| format!("the file of --keys has no key for tenant `{tenant}`"))
            }
        }
    }
}

fn read_keys(path: &Path) -> Result<BTreeMap<String, Arc<str>>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && *line != "tenant,key");
    let pair = |line: &str| line.split_once(',').map(|(tenant, key)| (tenant.to_owned(), Arc::from(key)));
    lines.map(|line| pair(line).context("each line of the file of --keys is `tenant,key`")).collect()
}

/// The tenants that a trace names; what `custody keys add --tenants-of` makes keys for.
pub fn tenants_of(trace: &Path) -> Result<std::collections::BTreeSet<String>> {
    Ok(trace::tenants(&trace::read(trace)?))
}

/// Runs a replay.
pub async fn run(args: ReplayArgs) -> Result<ExitCode> {
    let mut rows = trace::read(&args.trace)?;
    rows.truncate(args.limit.unwrap_or(usize::MAX));
    let keys = Keys::read(&args)?;
    let assigned: Vec<Arc<str>> = rows.iter().map(|row| keys.of(row)).collect::<Result<_>>()?;
    let caller = Caller::new(&args.url, &args.capability, &args.run, args.stream)?;
    let started = Instant::now();
    let mut seen = Observed { summary: Summary::default(), progress: progress_bar(rows.len()), answers: answers_file(&args)? };
    let mut under_way = JoinSet::new();
    let room = Arc::new(Semaphore::new(args.concurrency.max(1)));
    let patience = Duration::from_secs(args.patience);
    for (number, (row, key)) in rows.into_iter().zip(assigned).enumerate() {
        if let Speed::Times(times) = args.speed {
            tokio::time::sleep_until(started + Duration::from_secs_f64(row.offset_seconds / times)).await;
        }
        let permit = Arc::clone(&room).acquire_owned().await.context("the replay was stopped")?;
        let caller = caller.clone();
        under_way.spawn(async move {
            let sent = send_until_seen(&caller, number, &row, &key, patience).await;
            drop(permit);
            sent
        });
        while let Some(done) = under_way.try_join_next() {
            seen.note(&done?)?;
        }
    }
    while let Some(done) = under_way.join_next().await {
        seen.note(&done?)?;
    }
    let summary = seen.finish()?;
    terminal::say(&summary.shown(started.elapsed()).to_string());
    Ok(if summary.complete() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

type Sent = (Seen, u64, Duration);

/// What has come back so far.
struct Observed {
    summary: Summary,
    progress: ProgressBar,
    answers: Option<LineWriter<File>>,
}

impl Observed {
    fn note(&mut self, (seen, retries, latency): &Sent) -> Result<()> {
        self.summary.add(seen, *retries, *latency);
        self.progress.inc(1);
        if let (Some(file), Seen::Answered(request_id)) = (&mut self.answers, seen) {
            writeln!(file, "{request_id}")?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Summary> {
        self.progress.finish_and_clear();
        self.summary.finish();
        if let Some(file) = &mut self.answers {
            file.flush()?;
        }
        Ok(self.summary)
    }
}

fn answers_file(args: &ReplayArgs) -> Result<Option<LineWriter<File>>> {
    let Some(path) = &args.answers else { return Ok(None) };
    let file = File::create(path).with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(Some(LineWriter::new(file)))
}

/// A row that was cut off, or refused because the gateway could not record, is sent again until patience ends.
async fn send_until_seen(caller: &Caller, number: usize, row: &TraceRow, key: &str, patience: Duration) -> Sent {
    let began = Instant::now();
    let (mut retries, mut repetition) = (0, 0);
    loop {
        let sent = Instant::now();
        let seen = caller.send(number, repetition, row, key).await;
        let again = match &seen {
            Seen::CutOff => true,
            Seen::Refused(status, _) => *status == hyper::StatusCode::SERVICE_UNAVAILABLE,
            Seen::Answered(_) => false,
        };
        if !again || began.elapsed() > patience {
            return (seen, retries, sent.elapsed());
        }
        retries += 1;
        repetition += 1;
        tokio::time::sleep(RETRY_PAUSE).await;
    }
}

fn progress_bar(rows: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} ({per_sec}, {eta} left)");
    ProgressBar::new(rows as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
