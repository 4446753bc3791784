//! `custody reveal`: kept text for whom the policies let see it, and the agreement of a second person. Works beside a running `up` or
//! service, on the office journal: what is done here is evidence before it is done.

mod counter;
mod place;
mod shown;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Subcommand, ValueEnum};
use custody_gateway::{read_secret, workspace::SecretReference};
use custody_keeper::reveal::{ApproveAnswer, Form, Reveal};
use custody_seal::Part;
use custody_types::{RequestId, SensitiveText};

pub use self::{
    counter::{Identified, RevealCounter},
    place::RevealPlace,
    shown::Shown,
};
use crate::lake::PlaceArgs;

const EXIT_DENIED: u8 = 3;
const EXIT_PENDING: u8 = 4;
const EXIT_CLOSED: u8 = 5;

/// See kept text.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "\
  custody reveal 01a1f866-… --reason 'complaint 4711' --redacted      what redaction leaves
  custody reveal 01a1f866-… --reason 'complaint 4711' --part response the full text of one part
  custody reveal pending                                              what waits for a second person
  custody reveal approve 01a1f9c0-…                                   by the second person, with their own key
  custody reveal 01a1f866-… --reason '…' --approval 01a1f9c0-…        shown once, within a day
  custody reveal withdraw 01a1f9c0-…                                  by the asker, or by who approved

Who asks is said by an API key in an environment variable (--key-env). Who may see what is said by the policies and by the
data-handling rule under which the text was kept: both have to say yes (docs/REVEAL.md). Each attempt is an `access` event before
any text appears, and so is a text that does not open. The reason becomes part of it, redacted.

Exit codes: 0 shown, or done; 1 failed; 2 the arguments or the configuration are wrong; 3 denied; 4 a second person has to approve;
5 some or all of the texts do not open.")]
pub struct RevealArgs {
    #[command(subcommand)]
    task: Option<Task>,
    /// The governed request, as its answer and its events name it.
    #[arg(value_name = "REQUEST", required = true)]
    request: Option<RequestId>,
    /// Why: up to 500 characters. What it should not hold is redacted before it is kept.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// One part of the request only.
    #[arg(long, value_name = "PART", value_parser = parse_part)]
    part: Option<Part>,
    /// What redaction leaves, instead of the full text.
    #[arg(long)]
    redacted: bool,
    /// The approval that a second person gave.
    #[arg(long, value_name = "APPROVAL")]
    approval: Option<String>,
    #[command(flatten)]
    who: WhoArgs,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Agree to somebody's reveal, as the second person.
    Approve(ApprovalArgs),
    /// Take back what you asked for or agreed to.
    Withdraw(ApprovalArgs),
    /// List what waits for a second person: yours, and what you could approve.
    Pending(WhoArgs),
}

#[derive(Debug, Args)]
struct ApprovalArgs {
    /// The approval, as the reveal that waits for it or `pending` names it.
    #[arg(value_name = "APPROVAL")]
    approval: String,
    #[command(flatten)]
    who: WhoArgs,
}

#[derive(Debug, Args)]
struct WhoArgs {
    /// Environment variable that holds your API key.
    #[arg(long, value_name = "NAME", default_value = "CUSTODY_KEY")]
    key_env: String,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    format: Output,
    #[command(flatten)]
    place: PlaceArgs,
}

/// A form of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// The texts, to read.
    Text,
    /// One JSON object.
    Json,
}

/// Does one task.
pub async fn run(args: RevealArgs) -> Result<ExitCode> {
    let who = match &args.task {
        Some(Task::Approve(task) | Task::Withdraw(task)) => &task.who,
        Some(Task::Pending(who)) => who,
        None => &args.who,
    };
    let key = key_of(&who.key_env)?;
    let place = RevealPlace::of(&who.place)?;
    let counter = RevealCounter::open(&place, "custody reveal").await?;
    let shown = attend(&counter, &args, &key).await;
    counter.close().await;
    Ok(shown?.print(who.format))
}

async fn attend(counter: &RevealCounter, args: &RevealArgs, key: &SensitiveText) -> Result<Shown> {
    let approval = match &args.task {
        Some(Task::Approve(task) | Task::Withdraw(task)) => task.approval.as_str(),
        Some(Task::Pending(_)) | None => "",
    };
    let action = match &args.task {
        Some(Task::Approve(_)) => "approve",
        Some(Task::Withdraw(_)) => "withdraw",
        Some(Task::Pending(_)) => "pending",
        None if args.redacted => "reveal_redacted",
        None => "reveal",
    };
    let asker = match counter.identify(key, action, args.request).await? {
        Identified::Known(asker) => asker,
        Identified::Unknown => return Ok(Shown::unidentified()),
    };
    let desk = counter.desk(action, &asker, args.request).await?;
    Ok(match &args.task {
        Some(Task::Approve(_)) => ended(desk.approve(&asker, approval).await?, "approved"),
        Some(Task::Withdraw(_)) => ended(desk.withdraw(&asker, approval).await?, "withdrawn"),
        Some(Task::Pending(_)) => Shown::pending(desk.pending(&asker).await?),
        None => Shown::answer(desk.reveal(&asker, &reveal(args)?).await?),
    })
}

fn reveal(args: &RevealArgs) -> Result<Reveal> {
    Ok(Reveal {
        request: args.request.context("name a request")?,
        part: args.part,
        form: if args.redacted { Form::Redacted } else { Form::Full },
        reason: SensitiveText::new(args.reason.clone().unwrap_or_default()),
        approval: args.approval.clone(),
    })
}

fn ended(answer: ApproveAnswer, done: &'static str) -> Shown {
    match answer {
        ApproveAnswer::Done => Shown::done(done),
        ApproveAnswer::Denied(denial) => Shown::denied(denial),
    }
}

fn key_of(variable: &str) -> Result<SensitiveText> {
    let key = read_secret(&SecretReference::Environment(variable.to_owned()));
    key.map_err(|_| anyhow::anyhow!("environment variable `{variable}` is not set; put your API key there, or name another with --key-env"))
}

/// A part by the name that it has in tables.
pub fn parse_part(name: &str) -> Result<Part, String> {
    let names: Vec<&str> = Part::ALL.iter().map(|part| part.as_str()).collect();
    Part::ALL.into_iter().find(|part| part.as_str() == name).ok_or_else(|| format!("use one of {}", names.join(", ")))
}

#[cfg(test)]
pub mod tests;
