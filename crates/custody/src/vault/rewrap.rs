//! `custody vault rewrap`: every key that an older wrapping key wrapped is wrapped by the current one.

use std::{process::ExitCode, sync::Arc};

use anyhow::{Context, Result};
use clap::Args;
use custody_types::Clock;
use custody_vault::{RewrapProgress, RewrapReport, Rewrapper};
use indicatif::{ProgressBar, ProgressStyle};

use super::register;
use crate::{
    office::Register,
    terminal::{note, say},
    vault_parts::{VaultArgs, VaultParts},
};

const EXIT_LEFT: u8 = 3;

/// What to wrap anew.
#[derive(Debug, Args)]
pub struct RewrapArgs {
    #[command(flatten)]
    place: VaultArgs,
    /// Also what the current wrapping key wrapped, as after a rotation inside KMS.
    #[arg(long)]
    everything: bool,
}

pub async fn run(args: &RewrapArgs, clock: &Arc<dyn Clock>) -> Result<ExitCode> {
    let vault = args.place.vault()?;
    let register = register(&args.place)?;
    register.prove().await?;
    rewrap(&vault.open(clock).await?, args.everything, &register).await
}

/// Wraps anew, removes the wrapping keys that wrap nothing any more, and says what was done.
pub async fn rewrap(parts: &VaultParts, everything: bool, register: &Register) -> Result<ExitCode> {
    let rewrapper = Rewrapper::new(Arc::clone(&parts.objects), Arc::clone(&parts.keys));
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("  {wide_bar} {pos}/{len} keys, {eta} left") {
        bar.set_style(style);
    }
    let mut progress = |RewrapProgress { done, of }: RewrapProgress| {
        bar.set_length(u64::try_from(of).unwrap_or(u64::MAX));
        bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
    };
    let report = rewrapper.rewrap_all(everything, &mut progress).await;
    bar.finish_and_clear();
    let report = report.context("the run was cut short; what was done stays, and another run goes on")?;
    show(&report);
    if !report.failed.is_empty() {
        register.record("keys.rewrapped", counts(&report)).await?;
        return Ok(ExitCode::from(EXIT_LEFT));
    }
    let removed = rewrapper.remove_unused().await?;
    removed.iter().for_each(|name| say(&format!("  removed {name}, which wraps nothing any more")));
    let names: Vec<String> = removed.iter().map(ToString::to_string).collect();
    let removed = ("removed", names.join(" "));
    register.record("keys.rewrapped", counts(&report).into_iter().chain([removed]).collect()).await?;
    let calls = parts.keys.calls();
    say(&format!(
        "  key service: {} encrypt, {} decrypt, {} reencrypt; {} throttled",
        calls.encrypt, calls.decrypt, calls.reencrypt, calls.throttled
    ));
    Ok(ExitCode::SUCCESS)
}

fn counts(report: &RewrapReport) -> Vec<(&'static str, String)> {
    let RewrapReport { current, rewrapped, changed, failed } = report;
    vec![
        ("rewrapped", rewrapped.to_string()),
        ("current", current.to_string()),
        ("changed_meanwhile", changed.to_string()),
        ("left", failed.len().to_string()),
    ]
}

fn show(report: &RewrapReport) {
    let RewrapReport { current, rewrapped, changed, failed } = report;
    say(&format!("{rewrapped} keys wrapped anew, {current} were current, {changed} changed meanwhile, {} left", failed.len()));
    for (name, error) in failed {
        note(&format!("  {name}: {error}"));
    }
}
