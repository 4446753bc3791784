//! `custody hold`: what must not be forgotten.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use custody_event::Control;
use custody_keeper::{
    forgetting::NewEvent,
    hold::{Hold, HoldScope},
};
use custody_types::{PersonPseudonym, RequestId, TenantId, Text};
use custody_vault::Replaced;

use super::{
    parts::{Keeping, nothing_kept},
    reason::redacted,
};
use crate::{
    lake::PlaceArgs,
    terminal::{say, shown_time},
};

/// Keep texts from being forgotten.
#[derive(Debug, Args)]
#[command(after_help = "\
  custody hold add --tenant acme --reason 'case 7'                 everything of a tenant
  custody hold add --tenant acme --user erika --reason 'case 7'    everything of a person
  custody hold add --request 01a1f866-… --reason 'case 7'          the texts of one request
  custody hold add --query \"select request_id from requests where capability = 'hr.answer'\" --reason 'case 7'
  custody hold list
  custody hold release 01a1f9c0-… --reason 'case closed'

A hold stops expiry and erasure until it is released. A query is asked once, when the hold is placed: its first column is
kept as the list of requests. A request's hold keeps its rows, and the keys that open them; these keys may cover other
texts of the same person, purpose and month, of which copies stay readable as long (docs/RETENTION.md).

Exit codes: 0 done, 1 failed, 2 the arguments or the configuration are wrong.")]
pub struct HoldArgs {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Place a hold.
    Add(AddArgs),
    /// List holds.
    List {
        #[command(flatten)]
        place: PlaceArgs,
        /// Also those that were released.
        #[arg(long)]
        all: bool,
    },
    /// Release a hold.
    Release {
        #[command(flatten)]
        place: PlaceArgs,
        /// The hold, as `add` and `list` print it.
        id: String,
        /// Why it ends.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Args)]
#[group(id = "what", required = true, args = ["tenant", "requests", "query"])]
struct AddArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Everything of a tenant.
    #[arg(long, conflicts_with_all = ["requests", "query"])]
    tenant: Option<TenantId>,
    /// Only of this person of the tenant, by pseudonym.
    #[arg(long, value_name = "PSEUDONYM", requires = "tenant")]
    person: Option<PersonPseudonym>,
    /// Only of this person of the tenant, by the name that callers give as `user`.
    #[arg(long, value_name = "NAME", requires = "tenant", conflicts_with = "person")]
    user: Option<String>,
    /// The gateways' key of keyed hashes, where it is not in its place on this machine.
    #[arg(long, value_name = "FILE", requires = "user")]
    hash_key: Option<PathBuf>,
    /// The texts of a request; may be repeated.
    #[arg(long = "request", value_name = "ID", conflicts_with = "query")]
    requests: Vec<RequestId>,
    /// The texts of the requests that a statement finds now.
    #[arg(long, value_name = "SQL")]
    query: Option<String>,
    /// Why.
    #[arg(long)]
    reason: String,
}

/// Does one task.
pub async fn run(args: HoldArgs) -> Result<ExitCode> {
    match args.task {
        Task::Add(add) => place_hold(&add).await?,
        Task::List { place, all } => list(&place, all).await?,
        Task::Release { place, id, reason } => release(&place, &id, &reason).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn place_hold(args: &AddArgs) -> Result<()> {
    let reason = redacted(&args.reason)?;
    let keeping = Keeping::of(&args.place).await?;
    let scope = scope(args, &keeping).await?;
    let (id, shown) = (keeping.ids.event_id().to_string(), scope.shown());
    let hold = Hold::new(id.clone(), scope, reason, keeping.clock.now());
    // The hold first: one that is in force without an event does less harm than an event without a hold.
    keeping.holds().put_new(&id, &hold).await.context("the hold could not be written")?;
    record(&keeping, "hold.placed", &hold, &hold.reason).await?;
    say(&format!("hold {id} keeps {shown}"));
    Ok(())
}

async fn scope(args: &AddArgs, keeping: &Keeping) -> Result<HoldScope> {
    if let Some(tenant) = args.tenant.clone() {
        let by_name = match &args.user {
            Some(user) => Some(keeping.pseudonym(&args.place, args.hash_key.as_deref(), &tenant, user).await?),
            None => None,
        };
        let person = args.person.clone().or(by_name);
        return Ok(person
            .map_or_else(|| HoldScope::Tenant { tenant: tenant.clone() }, |person| HoldScope::Person { tenant: tenant.clone(), person }));
    }
    let mut requests = args.requests.clone();
    if let Some(statement) = &args.query {
        let found = keeping.evidence.questions.first_column(statement).await?;
        requests = found.iter().map(|id| id.parse()).collect::<Result<_, _>>().context("--query: its first column must be request ids")?;
    }
    requests.sort_unstable();
    requests.dedup();
    if requests.is_empty() {
        bail!("the query finds no request: there is nothing to hold");
    }
    Ok(HoldScope::Requests { requests })
}

async fn list(place: &PlaceArgs, all: bool) -> Result<()> {
    let Some(keeping) = Keeping::existing(place).await? else {
        nothing_kept();
        return Ok(());
    };
    let holds = keeping.holds().list().await?;
    let shown: Vec<_> = holds.iter().filter(|(_, hold)| all || hold.is_in_force()).collect();
    for (id, hold) in &shown {
        let ended = hold.released.as_ref().map_or_else(String::new, |end| format!("; released {}: {}", shown_time(end.at), end.reason));
        say(&format!("{id}  {}  since {}: {}{ended}", hold.scope.shown(), shown_time(hold.placed_at), hold.reason));
    }
    if shown.is_empty() {
        say("no holds");
    }
    Ok(())
}

async fn release(place: &PlaceArgs, id: &str, reason: &str) -> Result<()> {
    let reason = redacted(reason)?;
    let keeping = Keeping::existing(place).await?.context("no text was ever kept here, and nothing held")?;
    let hold = keeping.holds().get(id).await?.with_context(|| format!("there is no hold `{id}`"))?;
    if !hold.is_in_force() {
        bail!("hold `{id}` is released already");
    }
    // The event first: nothing may be forgotten before it is known why.
    record(&keeping, "hold.released", &hold, &reason).await?;
    match keeping.holds().replace(id, &hold, &hold.released(reason, keeping.clock.now())).await? {
        Replaced::Done => say(&format!(
            "hold {id} is released; what is due goes with the next run of retention, what it kept from an erasure with a new `custody erase`"
        )),
        Replaced::Changed => bail!("hold `{id}` was changed meanwhile"),
    }
    Ok(())
}

async fn record(keeping: &Keeping, action: &str, hold: &Hold, reason: &str) -> Result<()> {
    let parameters = [("hold", hold.id.clone()), ("keeps", hold.scope.shown()), ("reason", reason.to_owned())];
    let control = Control {
        action: Text::from(action),
        subject: Text::from("content"),
        actor: Text::from("operator"),
        parameters: parameters.into_iter().map(|(name, value)| (Text::from(name), Text::from(value))).collect(),
        ..Control::default()
    };
    let event = NewEvent { event_id: keeping.ids.event_id().to_string(), time: keeping.clock.now(), control };
    keeping.evidence.note(&event).await.context("the event could not be recorded")?;
    Ok(())
}
