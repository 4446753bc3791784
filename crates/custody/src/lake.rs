//! `custody lake`: how the lake does, and its upkeep by hand.

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use custody_gateway::{SystemClock, SystemIds};
use custody_lake::{
    CompactionConfig, Compactor, LakeRoot, LakeTable, Litter, Retention, TableStatus, Vacuum, has_table, litter, table_status,
};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use tokio::sync::watch;

use crate::{
    deployment::Deployment,
    process::interrupted,
    terminal::{say, shown_time},
};

/// Look after the lake.
#[derive(Debug, Args)]
#[command(after_help = "\
  custody lake status                  files, rows, positions; --litter counts files that no version needs
  custody lake compact --dry-run       which files would become one
  custody lake compact                 does it; the rows are checked equal before it is committed
  custody lake vacuum --dry-run        which files no version needs any more
  custody lake vacuum                  deletes them

All of it is safe beside ingest and readers. `custody ingest` does the same in the background ([ingest.maintenance]).

Exit codes: 0 done, 1 failed, 2 the arguments or the configuration are wrong.")]
pub struct LakeArgs {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// How each table does.
    Status {
        #[command(flatten)]
        place: PlaceArgs,
        /// Also count files that no version needs; lists every file.
        #[arg(long)]
        litter: bool,
    },
    /// Merge small files of a date into large ones.
    Compact {
        #[command(flatten)]
        place: PlaceArgs,
        /// Say what would be done, and do nothing.
        #[arg(long)]
        dry_run: bool,
        /// Size that files should have.
        #[arg(long, value_name = "MIB", default_value_t = 256)]
        target_size: u64,
    },
    /// Delete files that no version needs.
    Vacuum {
        #[command(flatten)]
        place: PlaceArgs,
        /// Say what would be done, and do nothing.
        #[arg(long)]
        dry_run: bool,
        /// How long files are kept that were removed or never committed: 1 to 168.
        #[arg(long, value_name = "HOURS", default_value_t = 168)]
        keep: u64,
    },
}

/// Which lake.
#[derive(Debug, Args)]
pub struct PlaceArgs {
    /// The deployment file whose lake is meant.
    #[arg(long, value_name = "FILE", env = "CUSTODY_DEPLOYMENT")]
    pub config: Option<PathBuf>,
    /// Folder of `custody up`, where there is no deployment file.
    #[arg(long, value_name = "FOLDER", env = "CUSTODY_DATA_DIR", default_value = "custody-data")]
    pub data_dir: PathBuf,
}

impl PlaceArgs {
    /// The lake that is meant.
    pub fn lake(&self) -> Result<LakeRoot> {
        match &self.config {
            Some(file) => Ok(Deployment::load(file)?.lake),
            None => Ok(LakeRoot::folder(self.data_dir.join("lake"))),
        }
    }
}

/// Does one task.
pub async fn run(args: LakeArgs) -> Result<ExitCode> {
    match args.task {
        Task::Status { place, litter } => status(&place.lake()?, litter).await?,
        Task::Compact { place, dry_run, target_size } => {
            let config = CompactionConfig { target_bytes: target_size << 20, ..CompactionConfig::default() };
            compact(&place.lake()?, config, dry_run).await?;
        }
        Task::Vacuum { place, dry_run, keep } => {
            let retention = Retention::new(Duration::from_secs(keep.saturating_mul(3600)))?;
            vacuum(&place.lake()?, retention, dry_run).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The tables that are there. Events and dead letters must be; texts are only where some were kept.
pub async fn tables_of(lake: &LakeRoot) -> Result<Vec<LakeTable>> {
    let mut tables = vec![LakeTable::Events, LakeTable::DeadLetters];
    if has_table(lake, LakeTable::Content).await.context("the lake cannot be read")? {
        tables.push(LakeTable::Content);
    }
    Ok(tables)
}

async fn status(lake: &LakeRoot, with_litter: bool) -> Result<()> {
    say(&format!("lake {lake}"));
    let small = CompactionConfig::default().target_bytes / 2;
    for table in tables_of(lake).await? {
        let status = table_status(lake, table, small).await.context("the lake cannot be read")?;
        show(&status);
        if with_litter {
            show_litter(&litter(lake, table).await?);
        }
        if status.needs_abort_multipart_rule && table == LakeTable::Events {
            say("  on S3 the bucket needs a lifecycle rule that aborts incomplete multipart uploads");
        }
    }
    Ok(())
}

fn show(status: &TableStatus) {
    let checkpoint = status.checkpoint_version.map_or_else(|| "none".to_owned(), |version| version.to_string());
    let committed = status.committed_at.map_or_else(|| "unknown".to_owned(), shown_time);
    let dates = match (&status.oldest_date, &status.newest_date) {
        (Some(oldest), Some(newest)) => format!("{oldest} to {newest}"),
        _ => "none".to_owned(),
    };
    let TableStatus { table, version, files, rows, small_files, bytes, .. } = status;
    say(table.name());
    say(&format!("  version   {version}, committed {committed}, checkpoint {checkpoint}"));
    say(&format!("  rows      {rows} in {files} files, {}; {small_files} files are small", HumanBytes(*bytes)));
    say(&format!("  dates     {dates}"));
    for (partition, position) in &status.positions {
        say(&format!("  stored    {partition} below {position}"));
    }
}

fn show_litter(litter: &Litter) {
    let Litter { orphans, orphan_bytes, removed, removed_bytes, oldest_orphan } = litter;
    say(&format!("  removed   {removed} files, {}, kept for readers of older versions", HumanBytes(*removed_bytes)));
    let oldest = oldest_orphan.map_or_else(String::new, |time| format!("; the oldest is of {}", shown_time(time)));
    say(&format!("  orphans   {orphans} files, {}, never committed or about to be{oldest}", HumanBytes(*orphan_bytes)));
}

async fn compact(lake: &LakeRoot, config: CompactionConfig, dry_run: bool) -> Result<()> {
    for table in tables_of(lake).await? {
        if !table.is_compacted() {
            say(&format!("{}: files are left as they are, and dropped whole when their texts expire", table.name()));
            continue;
        }
        let compactor = Compactor::open(lake, table, config, Arc::new(SystemClock::new()), Arc::new(SystemIds)).await?;
        let name = table.name();
        if dry_run {
            let plan = compactor.plan().await?;
            for group in &plan.groups {
                say(&format!("{name}: {} files of {}, {}, would become one", group.files, group.event_date, HumanBytes(group.bytes)));
            }
            if plan.groups.is_empty() {
                say(&format!("{name}: nothing to do"));
            }
            continue;
        }
        let bar = bar(name);
        let report = compactor
            .run(
                |at| {
                    bar.set_length(at.bytes);
                    bar.set_position(at.bytes_done);
                },
                &until_interrupted(),
            )
            .await;
        bar.finish_and_clear();
        let report = report?;
        let (before, after) = (HumanBytes(report.bytes_before), HumanBytes(report.bytes_after));
        say(&format!("{name}: {} files ({before}) became {} ({after}), {} rows", report.files_before, report.files_after, report.rows));
        for (date, why) in &report.left {
            say(&format!("{name}: files of {date} are left as they are: {why}"));
        }
        if report.stopped {
            say(&format!("{name}: stopped before the end; what is done stays done"));
        }
    }
    Ok(())
}

async fn vacuum(lake: &LakeRoot, retention: Retention, dry_run: bool) -> Result<()> {
    for table in tables_of(lake).await? {
        let vacuum = Vacuum::open(lake, table, retention, Arc::new(SystemClock::new())).await?;
        let name = table.name();
        if dry_run {
            let plan = vacuum.plan().await?;
            plan.files.iter().for_each(|file| say(&format!("{name}: {} would be deleted", file.path)));
            say(&format!("{name}: {} files, {}, would be deleted", plan.files.len(), HumanBytes(plan.bytes())));
            continue;
        }
        let bar = bar(name);
        let done = vacuum
            .run(
                |at| {
                    bar.set_length(at.bytes);
                    bar.set_position(at.bytes_deleted);
                },
                &until_interrupted(),
            )
            .await;
        bar.finish_and_clear();
        let done = done?;
        say(&format!("{name}: {} files, {}, deleted", done.files_deleted, HumanBytes(done.bytes_deleted)));
    }
    Ok(())
}

fn bar(name: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} {bar:30} {bytes}/{total_bytes}").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style).with_prefix(name)
}

/// Long work stops after the step that is under way.
fn until_interrupted() -> watch::Receiver<bool> {
    let (stop, stopping) = watch::channel(false);
    tokio::spawn(async move {
        interrupted().await;
        stop.send_replace(true);
        // The sender lives on, so that the receivers see the value and not a closed channel.
        std::future::pending::<()>().await;
    });
    stopping
}
