//! `custody vault`: how the vault does, and the rotation of what wraps its keys.

mod rewrap;
mod rotate;
mod status;

use std::{process::ExitCode, sync::Arc};

use anyhow::Result;
use clap::{Args, Subcommand};
use custody_gateway::{SystemClock, workspace::Workspace};
use custody_types::Clock;

use crate::{lake::PlaceArgs, office::Register, reveal::RevealPlace, vault_parts::VaultArgs};

/// Look after the vault.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  custody vault status                    what stands in the vault, and who wraps its keys
  custody vault rotate --tenant acme      a new wrapping key, and its keys wrapped anew
  custody vault rotate --all              for the product and every tenant
  custody vault rotate --root --new-passphrase-env NEW
                                          locks the key file by another passphrase
  custody vault rewrap                    wraps anew what an older wrapping key wrapped; goes on
                                          where it was cut short
  custody vault rewrap --everything       the rest too, as after a rotation inside KMS, which
                                          keeps the key's name

Rotating and wrapping anew are events (`key.rotated`, `keys.rewrapped`).

What is sealed stays as it is: only the keys that sealed it are wrapped anew. All of it is safe
beside gateways, ingest and readers. An old wrapping key leaves the key file once it wraps nothing
and was replaced an hour ago or more; keys in KMS are made, rotated and removed in KMS.

Exit codes: 0 done, 1 failed, 2 the arguments or the configuration are wrong, 3 `rewrap` left keys
that it could not wrap.")]
pub struct VaultCommand {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Say what stands in the vault.
    Status(VaultArgs),
    /// Make new wrapping keys, and wrap anew what the old ones wrapped.
    Rotate(rotate::RotateArgs),
    /// Wrap keys anew with the current wrapping keys.
    Rewrap(rewrap::RewrapArgs),
}

/// Does one task.
pub async fn run(args: VaultCommand) -> Result<ExitCode> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    match args.task {
        Task::Status(place) => status::run(&place, &clock).await,
        Task::Rotate(args) => rotate::run(&args, &clock).await,
        Task::Rewrap(args) => rewrap::run(&args, &clock).await,
    }
}

/// Where what is done is recorded.
fn register(place: &VaultArgs) -> Result<Register> {
    let place = RevealPlace::of(&PlaceArgs { config: place.config.clone(), data_dir: place.data_dir.clone() })?;
    let workspace = Workspace::load(&place.workspace)?;
    Ok(Register::of_command(place.office, &workspace, "custody vault"))
}

#[cfg(test)]
mod tests;
