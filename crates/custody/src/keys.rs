//! `custody keys`: API keys of a workspace. A key's secret is printed once; only its hash is kept.

use std::{
    collections::BTreeSet,
    fs::File,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use custody_gateway::workspace::{IssuedKey, Workspace, add_tenant_keys};
use custody_policy::PrincipalKind;
use custody_types::TenantId;

use crate::{replay, terminal::say};

/// Make and list API keys.
#[derive(Args, Debug)]
#[command(after_help = "A running `up` reads keys at its start: restart it after a change.

  custody keys add --tenant acme --principal mobile-app
  custody keys add --tenant acme --principal rita --person --group quality-review
  custody keys add --tenants-of trace.csv --principal replay --group replay --out keys.csv
  custody keys list")]
pub struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
    /// Folder of `custody up`.
    #[arg(long, value_name = "FOLDER", env = "CUSTODY_DATA_DIR", default_value = "custody-data", global = true)]
    data_dir: PathBuf,
}

#[derive(Subcommand, Debug)]
enum KeysCommand {
    /// Make a key for each named tenant, adding tenants that are not there yet.
    Add(AddArgs),
    /// List keys: id, tenant, principal, groups.
    List,
}

#[derive(Args, Debug)]
struct AddArgs {
    /// Tenant that the key is for; may be repeated.
    #[arg(long = "tenant", value_name = "TENANT")]
    tenants: Vec<TenantId>,
    /// All tenants that a trace names (see `custody replay`).
    #[arg(long, value_name = "TRACE")]
    tenants_of: Option<PathBuf>,
    /// Who holds the key.
    #[arg(long)]
    principal: String,
    /// The holder is a person, not a program: who sees or approves kept text has to be.
    #[arg(long)]
    person: bool,
    /// Group of the holder, for policies; may be repeated.
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// Write `tenant,key` lines to a new file that only you may read, instead of printing them.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs one of the commands.
pub fn run(args: &KeysArgs) -> Result<ExitCode> {
    let workspace = args.data_dir.join("workspace");
    match &args.command {
        KeysCommand::Add(add) => add_keys(&workspace, add)?,
        KeysCommand::List => list(&workspace)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn add_keys(workspace: &Path, args: &AddArgs) -> Result<()> {
    let mut tenants: BTreeSet<TenantId> = args.tenants.iter().cloned().collect();
    if let Some(trace) = &args.tenants_of {
        let named = replay::tenants_of(trace)?;
        tenants.extend(named.iter().map(|name| name.parse()).collect::<Result<Vec<TenantId>, _>>()?);
    }
    if tenants.is_empty() {
        bail!("name a tenant with --tenant, or a trace that names tenants with --tenants-of");
    }
    let principal = args.principal.parse().context("--principal")?;
    let kind = if args.person { PrincipalKind::User } else { PrincipalKind::Service };
    let groups = args.groups.iter().map(|group| group.parse()).collect::<Result<_, _>>().context("--group")?;
    let tenants: Vec<TenantId> = tenants.into_iter().collect();
    // Before the keys are made: a key that nobody was shown is lost.
    let out = args.out.as_deref().map(create_private).transpose()?;
    let issued = add_tenant_keys(workspace, &tenants, (&principal, kind), &groups).inspect_err(|_| {
        if let Some(path) = &args.out {
            // Still empty, and in the way of the next try.
            let _ = std::fs::remove_file(path);
        }
    })?;
    match out {
        Some(file) => write_keys(file, &issued),
        None => {
            issued.iter().for_each(|key| say(&format!("{},{}", key.tenant, key.token.expose())));
            Ok(())
        }
    }
}

fn create_private(path: &Path) -> Result<File> {
    let mut options = File::options();
    let created = options.write(true).create_new(true).mode(0o600).open(path);
    created.with_context(|| format!("`{}` could not be made; it must not exist yet", path.display()))
}

fn write_keys(mut file: File, issued: &[IssuedKey]) -> Result<()> {
    writeln!(file, "tenant,key")?;
    for key in issued {
        writeln!(file, "{},{}", key.tenant, key.token.expose())?;
    }
    Ok(())
}

fn list(workspace: &Path) -> Result<()> {
    let workspace = Workspace::load(workspace)?;
    let mut lines: Vec<String> = workspace
        .keys
        .iter()
        .map(|key| {
            let record = &key.record;
            let groups: Vec<String> = record.groups.iter().map(ToString::to_string).collect();
            format!("{}  {}  {}  {}", record.id, record.tenant, record.principal, groups.join(","))
        })
        .collect();
    lines.sort();
    lines.iter().for_each(|line| say(line));
    Ok(())
}
