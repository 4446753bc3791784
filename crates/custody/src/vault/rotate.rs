//! `custody vault rotate`: new wrapping keys, or another lock on the key file.

use std::{process::ExitCode, sync::Arc};

use anyhow::{Context, Result, bail};
use clap::Args;
use custody_gateway::{read_secret, workspace::SecretReference};
use custody_types::{Clock, SensitiveText, TenantId};
use custody_vault::FileKeys;

use super::{register, rewrap::rewrap};
use crate::{
    deployment::{Vault, VaultKeys},
    terminal::say,
    vault_parts::VaultArgs,
};

/// What to rotate.
#[derive(Debug, Args)]
#[group(id = "what", required = true, multiple = false, args = ["tenants", "product", "all", "root"])]
pub struct RotateArgs {
    #[command(flatten)]
    place: VaultArgs,
    /// The wrapping key of a tenant; may be repeated.
    #[arg(long = "tenant", value_name = "TENANT")]
    tenants: Vec<TenantId>,
    /// The product's own wrapping key, which wraps the keys of days.
    #[arg(long)]
    product: bool,
    /// Every wrapping key.
    #[arg(long)]
    all: bool,
    /// What locks the key file. The keys in it stay.
    #[arg(long)]
    root: bool,
    /// Environment variable with the new passphrase; without it the file has none afterwards.
    #[arg(long, value_name = "NAME", requires = "root")]
    new_passphrase_env: Option<String>,
}

pub async fn run(args: &RotateArgs, clock: &Arc<dyn Clock>) -> Result<ExitCode> {
    let vault = args.place.vault()?;
    let register = register(&args.place)?;
    register.prove().await?;
    if args.root {
        relock(&vault, args.new_passphrase_env.as_deref()).await?;
        register.record("key.rotated", vec![("of", "key file".to_owned())]).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let parts = vault.open(clock).await?;
    let mut owners: Vec<Option<TenantId>> = args.tenants.iter().cloned().map(Some).collect();
    if args.product {
        owners.push(None);
    }
    if args.all {
        owners.push(None);
        owners.extend(parts.keys.tenants().await?.into_iter().map(Some));
    }
    for owner in owners {
        let name = parts.keys.rotate(owner.as_ref()).await?;
        let whose = owner.map_or_else(|| "the product".to_owned(), |tenant| tenant.to_string());
        say(&format!("{whose}: {name} wraps from now on"));
        register.record("key.rotated", vec![("of", whose), ("wraps_from_now_on", name.to_string())]).await?;
    }
    rewrap(&parts, false, &register).await
}

async fn relock(vault: &Vault, new: Option<&str>) -> Result<()> {
    let VaultKeys::File { path, passphrase_env } = &vault.keys else {
        bail!("keys in KMS have no passphrase; name another key in [vault.keys] and run `custody vault rewrap`");
    };
    let old = passphrase_env.as_deref().map(passphrase).transpose()?;
    let new = new.map(passphrase).transpose()?;
    let locked = new.is_some();
    FileKeys::change_passphrase(path, old, new).await.context("the key file stays as it was")?;
    say(&format!("`{}` is {}", path.display(), if locked { "locked by the new passphrase" } else { "no longer locked" }));
    say("give the new passphrase to every program that uses the file, and start it again; destroy copies under the old one");
    Ok(())
}

fn passphrase(variable: &str) -> Result<SensitiveText> {
    let passphrase = read_secret(&SecretReference::Environment(variable.to_owned())).map_err(anyhow::Error::msg)?;
    if passphrase.is_empty() {
        bail!("environment variable `{variable}` is empty");
    }
    Ok(passphrase)
}
