//! `custody erase`: a person or a tenant is forgotten, with a certificate.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, bail};
use clap::Args;
use custody_keeper::{
    erasure::{Erasure, ErasurePlan, ErasureRequest},
    forgetting::Scope,
};
use custody_types::{PersonPseudonym, TenantId};
use indicatif::HumanBytes;

use super::{
    parts::{Keeping, nothing_kept},
    reason::redacted,
};
use crate::{
    lake::PlaceArgs,
    terminal::{note, say, shown_time},
};

/// Forget a person or a tenant.
#[derive(Debug, Args)]
#[command(after_help = "\
  custody erase --tenant acme --user erika --reason 'request of 2026-11-20'        says what would be destroyed
  custody erase --tenant acme --user erika --reason 'request of 2026-11-20' --yes  destroys it; prints the certificate
  custody erase --resume 01a1f9c0-…               goes on with an erasure that was cut off
  custody erase --certificate 01a1f9c0-…          prints the certificate again (--json: as it is hashed in the event)
  custody erase --list

Texts made up to the start of the erasure are covered, also those that are on their way; what is made later is kept under new
keys. A legal hold keeps what it covers, and the certificate says so. Erasing a tenant also destroys the key of its pseudonyms and
replaces its wrapping key in the key file; a KMS key of its own is named, and deleted in so many days where --schedule-kms-deletion
asks for it.

Exit codes: 0 done, 1 failed (`--resume` goes on), 2 the arguments or the configuration are wrong.")]
#[group(id = "task", required = true, args = ["tenant", "resume", "certificate", "list"])]
pub struct EraseArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// The tenant.
    #[arg(long, requires = "reason")]
    tenant: Option<TenantId>,
    /// Only this person of the tenant, by pseudonym.
    #[arg(long, value_name = "PSEUDONYM", requires = "tenant")]
    person: Option<PersonPseudonym>,
    /// Only this person of the tenant, by the name that callers give as `user`.
    #[arg(long, value_name = "NAME", requires = "tenant", conflicts_with = "person")]
    user: Option<String>,
    /// The gateways' key of keyed hashes, where it is not in its place on this machine.
    #[arg(long, value_name = "FILE", requires = "user")]
    hash_key: Option<PathBuf>,
    /// Why.
    #[arg(long, requires = "tenant")]
    reason: Option<String>,
    /// Do it.
    #[arg(long, requires = "tenant")]
    yes: bool,
    /// Have a tenant's own KMS key deleted in so many days: 7 to 30.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u8).range(7..=30))]
    schedule_kms_deletion: Option<u8>,
    /// Go on with an erasure that was cut off.
    #[arg(long, value_name = "ID", conflicts_with_all = ["tenant", "certificate", "list"])]
    resume: Option<String>,
    /// Print the certificate of an erasure.
    #[arg(long, value_name = "ID", conflicts_with_all = ["tenant", "list"])]
    certificate: Option<String>,
    /// The certificate as JSON.
    #[arg(long)]
    json: bool,
    /// List erasures, also those that were cut off.
    #[arg(long, conflicts_with = "tenant")]
    list: bool,
}

/// Erases, or says what erasing would do.
pub async fn run(args: EraseArgs) -> Result<ExitCode> {
    let Some(keeping) = Keeping::existing(&args.place).await? else {
        if args.list {
            return Ok(nothing_kept());
        }
        bail!("no text was ever kept here: there is nothing to erase");
    };
    // Before anything else is opened: a name that stands for nobody is no request.
    let request = if args.tenant.is_some() { Some(request(&args, &keeping).await?) } else { None };
    let erasure = keeping.erasure(args.schedule_kms_deletion).await?;
    if let Some(id) = &args.certificate {
        show_certificate(&erasure, id, args.json).await?;
    } else if let Some(id) = &args.resume {
        let plan = erasure.resume(id).await?;
        show_certificate(&erasure, &plan.id, args.json).await?;
    } else if args.list {
        list(&erasure).await?;
    } else if let Some(request) = &request {
        erase(&args, request, &erasure).await?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn erase(args: &EraseArgs, request: &ErasureRequest, erasure: &Erasure) -> Result<()> {
    if !args.yes {
        show_plan(&erasure.plan(request).await?);
        return Ok(());
    }
    let plan = match erasure.begin(request).await {
        Ok(plan) => plan,
        Err(error) => {
            for plan in erasure.all().await.unwrap_or_default().iter().filter(|plan| plan.next.is_some()) {
                note(&format!("custody erase --resume {} goes on", plan.id));
            }
            return Err(error.into());
        }
    };
    show_certificate(erasure, &plan.id, args.json).await
}

async fn request(args: &EraseArgs, keeping: &Keeping) -> Result<ErasureRequest> {
    let (Some(tenant), Some(reason)) = (args.tenant.clone(), &args.reason) else { bail!("name the tenant, and a reason") };
    let by_name = match &args.user {
        Some(user) => Some(keeping.pseudonym(&args.place, args.hash_key.as_deref(), &tenant, user).await?),
        None => None,
    };
    Ok(ErasureRequest { scope: Scope { tenant, person: args.person.clone().or(by_name) }, reason: redacted(reason)? })
}

fn show_plan(plan: &ErasurePlan) {
    let found = &plan.found;
    let whose = plan.scope.person.as_ref().map_or_else(|| "everybody".to_owned(), ToString::to_string);
    say(&format!("would erase {whose} of {}; --yes does it", plan.scope.tenant));
    say(&format!("  texts        {}, {}; held {}", found.rows.rows, HumanBytes(found.rows.bytes), found.held_rows.rows));
    say(&format!("  claim checks {}", found.claims));
    say(&format!("  parked       {}; held {}", found.parked, found.held_parked));
    say(&format!("  unit keys    {}; held {}", plan.keys.len(), plan.held.len()));
    if plan.pseudonym_key {
        say("  pseudonyms   their key");
    }
    if !plan.pseudonym_key_held_by.is_empty() {
        say(&format!("  pseudonyms   their key stays, by hold {}", plan.pseudonym_key_held_by.join(", ")));
    }
    for key in &plan.held {
        say(&format!("    {} stays, by hold {}", key.key, key.holds.join(", ")));
    }
}

async fn show_certificate(erasure: &Erasure, id: &str, json: bool) -> Result<()> {
    let certificate = erasure.certificate(id).await?.with_context(|| format!("there is no certificate of an erasure `{id}`"))?;
    say(&if json { certificate.json() } else { certificate.text() });
    Ok(())
}

async fn list(erasure: &Erasure) -> Result<()> {
    let all = erasure.all().await?;
    for plan in &all {
        let whose = plan.scope.person.as_ref().map_or_else(|| "everybody".to_owned(), ToString::to_string);
        let state = if plan.next.is_some() { "cut off" } else { "done" };
        say(&format!("{}  {}  {whose} of {}  {state}: {}", plan.id, shown_time(plan.made_at), plan.scope.tenant, plan.reason));
    }
    if all.is_empty() {
        say("no erasures");
    }
    Ok(())
}
