//! `custody price diff`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Args;
use custody_price::{BookDifference, FieldChange};

use super::{EXIT_FOUND, book};
use crate::terminal::say;

#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The book that was.
    old: PathBuf,
    /// The book that is to be.
    new: PathBuf,
}

pub fn run(args: &DiffArgs) -> Result<ExitCode> {
    let difference = BookDifference::between(&book::read(&args.old)?, &book::read(&args.new)?);
    difference.removed.iter().for_each(|id| say(&format!("- {id}")));
    difference.added.iter().for_each(|id| say(&format!("+ {id}")));
    for (id, changes) in &difference.changed {
        say(&format!("~ {id}"));
        changes.iter().for_each(|change| say(&line(change)));
    }
    let (removed, added, changed) = (difference.removed.len(), difference.added.len(), difference.changed.len());
    say(&format!("{removed} removed, {added} added, {changed} changed, {} the same", difference.same));
    Ok(if difference.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(EXIT_FOUND) })
}

fn line(change: &FieldChange) -> String {
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
    format!("    {}: {} → {}", change.field, shown(&change.old), shown(&change.new))
}
