//! `custody retention`: what is kept until when, and forgetting what is due.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use custody_keeper::{
    forgetting::{RowCount, shown_day},
    retention::{RetentionPlan, RetentionReport},
};
use indicatif::HumanBytes;

use super::parts::{Keeping, nothing_kept};
use crate::{
    lake::PlaceArgs,
    terminal::{say, shown_time},
};

/// Keep texts as long as allowed, and no longer.
#[derive(Debug, Args)]
#[command(after_help = "\
  custody retention report              texts by tenant, purpose and class; each key and the day it is destroyed on
  custody retention run --dry-run       what is due
  custody retention run                 forgets what is due, and records it as the event `retention.expired`

`custody up` and `custody ingest` do the same every hour. A run that was cut off is ended by the next one. Edge keys are
destroyed by them alone, which know how far the content stream is read (docs/RETENTION.md).

Exit codes: 0 done, 1 failed, 2 the arguments or the configuration are wrong.")]
pub struct RetentionArgs {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Say what is kept and until when.
    Report {
        #[command(flatten)]
        place: PlaceArgs,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Forget what is due.
    Run {
        #[command(flatten)]
        place: PlaceArgs,
        /// Say what would be done, and do nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

/// Does one task.
pub async fn run(args: RetentionArgs) -> Result<ExitCode> {
    match args.task {
        Task::Report { place, json } => {
            let Some(keeping) = Keeping::existing(&place).await? else { return Ok(nothing_kept()) };
            let report = keeping.retention("operator").await?.report().await?;
            if json { say(&serde_json::to_string_pretty(&report)?) } else { show(&report) }
        }
        Task::Run { place, dry_run } => {
            let Some(keeping) = Keeping::existing(&place).await? else { return Ok(nothing_kept()) };
            let retention = keeping.retention("operator").await?;
            if dry_run {
                show_plan("would forget", &retention.plan().await?);
            } else {
                // Nothing is destroyed that could not be recorded afterwards.
                keeping.evidence.office.prove("custody retention").await?;
                let done = retention.run().await?;
                done.iter().for_each(|plan| show_plan("forgot", plan));
                if done.is_empty() {
                    say("nothing is due");
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn amount(count: RowCount) -> String {
    format!("{} texts, {}", count.rows, HumanBytes(count.bytes))
}

fn show(report: &RetentionReport) {
    for line in &report.texts {
        say(&format!("{} {} {}", line.tenant, line.purpose, line.retention_class));
        say(&format!("  kept      {}; they go from {} to {}", amount(line.kept), line.first_goes_on, line.last_goes_on));
        say(&format!("  due       {}", amount(line.due)));
        say(&format!("  held      {}", amount(line.held)));
    }
    for line in &report.unit_keys {
        let key = &line.key;
        let person = key.person.as_ref().map_or("nobody named", |person| person.as_str());
        let held = if line.held_by.is_empty() { String::new() } else { format!("; held by {}", line.held_by.join(", ")) };
        let (texts, goes) = (amount(line.texts), &line.destroyed_on);
        say(&format!("unit key {}  {} {person} {}, {texts}, destroyed on {goes}{held}", key.key, key.tenant, key.purpose));
    }
    for line in &report.edge_keys {
        let parked = if line.parked == 0 { String::new() } else { format!("; {} parked objects keep it", line.parked) };
        say(&format!("edge key of {}, destroyed from {}{parked}", line.day, shown_time(line.destroyed_at)));
    }
    if report.texts.is_empty() && report.unit_keys.is_empty() {
        say("no text is kept");
    }
    if let Some(id) = &report.unfinished_run {
        say(&format!("run {id} was cut off; the next run ends it first"));
    }
}

fn show_plan(what: &str, plan: &RetentionPlan) {
    say(&format!("{} {what}, as of {}:", plan.id, shown_day(plan.today)));
    say(&format!("  rows         {}; held {}", amount(plan.counts.due), amount(plan.counts.held)));
    say(&format!("  claim checks {}", plan.claims.len()));
    say(&format!("  unit keys    {}; held {}", plan.keys.len(), plan.held.len()));
    for key in &plan.keys {
        let person = key.person.as_ref().map_or("nobody named", |person| person.as_str());
        say(&format!("    {}  {} {person} {}", key.key, key.tenant, key.purpose));
    }
    for key in &plan.held {
        say(&format!("    {} stays, by hold {}", key.key, key.holds.join(", ")));
    }
}
