//! `custody topics`: the log's topics compared with the deployment file, and made so.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use custody_log::kafka::{TopicAdmin, TopicDifference, TopicError, TopicPlan};
use custody_types::{Fault, Retry};

use crate::{
    deployment::{Deployment, EXAMPLE, Log},
    terminal::say,
};

const EXIT_DIFFERENT: u8 = 3;

/// Compare and make the log's topics.
#[derive(Debug, Args)]
#[command(after_help = "\
  custody topics example > deployment.toml     a deployment file with every key
  custody topics plan                          what differs, and what would be done; nothing is changed
  custody topics apply                         does it: creates, adds partitions, alters settings

Partitions may be added at any time: a journal stays in the partition that was chosen for it once. They are never
taken away. With a [vault] there are two: one for events, and one for sealed texts, whose records are kept for as long
as the vault can open them. A topic that would lose records (compacted, too few copies in sync, unclean leaders) is refused at the
start of every service, each reason in a sentence.

Exit codes: 0 as planned, or done; 1 failed or refused; 2 the arguments or the configuration are wrong; 3 `plan` found differences.")]
pub struct TopicsArgs {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Print a deployment file with every key.
    Example,
    /// Say what differs; change nothing.
    Plan(FileArgs),
    /// Make the topics as planned.
    Apply(FileArgs),
}

#[derive(Debug, Args)]
struct FileArgs {
    /// The deployment file.
    #[arg(long, value_name = "FILE", env = "CUSTODY_DEPLOYMENT", default_value = "deployment.toml")]
    config: PathBuf,
}

/// Does one task.
pub async fn run(args: TopicsArgs) -> Result<ExitCode> {
    match args.task {
        Task::Example => {
            say(EXAMPLE.trim_end());
            Ok(ExitCode::SUCCESS)
        }
        Task::Plan(file) => plan(&Deployment::load(&file.config)?.log).await,
        Task::Apply(file) => apply(&Deployment::load(&file.config)?.log).await,
    }
}

async fn plan(log: &Log) -> Result<ExitCode> {
    let admin = TopicAdmin::open(&log.kafka)?;
    let mut is_as_planned = true;
    for topic in log.topics() {
        let differences = admin.plan(topic).await?;
        show(topic, &differences);
        is_as_planned &= differences.is_empty();
    }
    Ok(if is_as_planned { ExitCode::SUCCESS } else { ExitCode::from(EXIT_DIFFERENT) })
}

async fn apply(log: &Log) -> Result<ExitCode> {
    let admin = TopicAdmin::open(&log.kafka)?;
    for topic in log.topics() {
        let differences = admin.plan(topic).await?;
        show(topic, &differences);
        admin.apply(topic, &differences).await?;
        if !differences.is_empty() {
            say("done");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(topic: &TopicPlan, differences: &[TopicDifference]) {
    let name = &topic.name;
    if differences.is_empty() {
        say(&format!("topic {name} is as planned"));
    }
    for difference in differences {
        say(&format!("topic {name}: {difference}"));
    }
}

/// Refuses to start on a topic that would lose records, or that can't be asked.
pub async fn refuse_unsafe(log: &Log) -> Result<()> {
    let checked = TopicAdmin::open(&log.kafka)?.check(&log.topic).await;
    checked.context("the log cannot be used; `custody topics plan` shows what differs, `custody topics apply` makes it so")
}

/// The same for a service that works on while the brokers are away: only what they say counts, not their silence.
pub async fn refuse_unsafe_if_there(log: &Log, topic: &TopicPlan) -> Result<()> {
    match TopicAdmin::open(&log.kafka)?.check(topic).await {
        Err(error @ TopicError::Client(_)) if error.retry() != Retry::Never => {
            tracing::warn!(%error, "the log is away; events wait in the journal");
            Ok(())
        }
        checked => checked.context("the log cannot be used; `custody topics plan` shows what differs, `custody topics apply` makes it so"),
    }
}

/// How many partitions the topic has now.
pub async fn partitions(log: &Log) -> Result<i32> {
    let partitions = TopicAdmin::open(&log.kafka)?.partitions(&log.topic.name).await?;
    let partitions =
        partitions.with_context(|| format!("the topic `{}` does not exist; `custody topics apply` makes it", log.topic.name))?;
    Ok(i32::try_from(partitions)?)
}
