//! `custody price reconcile`: Bedrock's own log of invocations beside our trail.
//!
//! ```text
//! files ──read──▶ calls as Bedrock logged them ─┐
//!                 time and Regions of the log   ├─ matches ──▶ compared, only logged, only recorded ──▶ report
//! lake  ──────▶ attempts of that time ──────────┘
//! ```

mod compare;
mod files;
mod report;
mod trail;

use std::{collections::HashMap, path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Args;
use custody_price::{
    PriceBook,
    invocation_log::{LoggedCall, Match, matches},
};

use self::{files::Log, report::Report, trail::Trail};
use super::{EXIT_FOUND, book, events};
use crate::{lake::PlaceArgs, terminal::say};

#[derive(Debug, Args)]
#[command(after_help = "\
Bedrock writes the log where model invocation logging is switched on: to S3 as .gz files of JSON lines, or to CloudWatch Logs. Name the
files of the days and Regions that you want to compare; lines that are no invocations are passed over. A record may stand alone in its
line, or under `record`, or as text under `message`.

  aws s3 cp --recursive s3://BUCKET/PREFIX/AWSLogs/ACCOUNT/BedrockModelInvocationLogs/eu-central-1/2026/11/21/ log/
  custody price reconcile log/*/*.json.gz            differences one by one, the rest summed
  custody price reconcile --each log/*/*.json.gz     one line for each record

not in the trail     someone called Bedrock past the gateway, or records of the trail are missing: identity, model, Region, amount
not in the log       the trail has an answered attempt in the log's time and Regions; the log has no such call
usage differs        token counts or guardrail units of a call are not those that were recorded
amount differs       what the book makes of the log's counts is not what was recorded
contradicts          a record says something else of a call than the record of it that came first

Calls are joined by Bedrock's request id, else by our request id, which the gateway sends as the label `custody_request`; where several
attempts of a request did not learn their id, none is guessed, and the report has them on both sides. Prompts and answers in the log
are not kept and never shown. Give all files of a period at once: the log's time is from its first record to its last.

Exit codes: 0 everything agrees; 1 failed; 2 the arguments are wrong; 3 something differs or could not be read.")]
pub struct ReconcileArgs {
    /// Files of Bedrock's model invocation log, plain or .gz.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// One line for each record, also where log and trail agree.
    #[arg(long)]
    each: bool,
    /// The price book; without it, the workspace's.
    #[arg(long, value_name = "FILE")]
    book: Option<PathBuf>,
    #[command(flatten)]
    place: PlaceArgs,
}

pub async fn run(args: &ReconcileArgs) -> Result<ExitCode> {
    let book = book::load(args.book.as_deref(), &args.place)?;
    let log = Log::read(&args.files)?;
    log.say_what_was_read();
    let Some(span) = log.span() else {
        say("no call is logged, so there is nothing to compare");
        return Ok(exit(log.unreadable == 0));
    };
    let session = events::session(&args.place).await?;
    let trail = Trail::of(&session, span).await?;
    let report = compared(&log, &trail, &book, args.each);
    report.print(&book);
    Ok(exit(report.agrees() && log.unreadable == 0))
}

fn compared(log: &Log, trail: &Trail, book: &PriceBook, each: bool) -> Report {
    let mut report = Report::new(each);
    let mut firsts: HashMap<&str, &LoggedCall> = HashMap::new();
    for call in &log.calls {
        firsts.entry(&call.provider_request_id).or_insert(call);
    }
    for found in matches(&log.calls, &trail.calls) {
        match found {
            Match::Both { logged, recorded, by } => {
                let both = log.calls.get(logged).zip(trail.calls.get(recorded)).zip(trail.attempts.get(recorded));
                both.into_iter().for_each(|((logged, call), attempt)| report.both(logged, call, attempt, by, book));
            }
            Match::Repeated(place) => log.calls.get(place).into_iter().for_each(|call| {
                report.repeated(call, firsts.get(&*call.provider_request_id).copied());
            }),
            Match::OnlyLogged(place) => log.calls.get(place).into_iter().for_each(|call| report.only_logged(call, book)),
            Match::OnlyRecorded(place) => {
                let attempt = trail.calls.get(place).zip(trail.attempts.get(place)).filter(|(_, attempt)| log.covers(attempt));
                attempt.into_iter().for_each(|(call, attempt)| report.only_recorded(call, attempt));
            }
        }
    }
    report
}

fn exit(agrees: bool) -> ExitCode {
    if agrees { ExitCode::SUCCESS } else { ExitCode::from(EXIT_FOUND) }
}
