//! `custody price import`.

use std::{fs::File, io::Write, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use chrono::{NaiveDate, NaiveTime};
use clap::Args;
use custody_price::litellm::{self, Import};
use custody_types::{Text, Timestamp};

use super::EXIT_FOUND;
use crate::terminal::note;

#[derive(Debug, Args)]
pub struct ImportArgs {
    /// LiteLLM's `model_prices_and_context_window.json`; entries of providers other than Bedrock are left alone.
    file: PathBuf,
    /// What the book calls itself, in every cost event that it makes.
    #[arg(long, value_name = "NAME")]
    book_version: String,
    /// First day on which the prices hold, UTC; the file does not say.
    #[arg(long, value_name = "DATE")]
    effective_from: NaiveDate,
    /// The book, which must not exist yet: a price in use is never edited.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Also list every field name of the file and what it is taken for.
    #[arg(long)]
    fields: bool,
}

pub fn run(args: &ImportArgs) -> Result<ExitCode> {
    let json = std::fs::read_to_string(&args.file).with_context(|| format!("`{}` cannot be read", args.file.display()))?;
    let from = args.effective_from.and_time(NaiveTime::MIN).and_utc().timestamp_micros();
    let import = litellm::import(&json, &Text::from(args.book_version.as_str()), Timestamp::from_micros(from))?;
    let created = File::create_new(&args.output).and_then(|mut file| file.write_all(import.book.as_bytes()));
    created.with_context(|| format!("`{}` could not be written; it must not exist yet", args.output.display()))?;
    report(&import, args.fields);
    Ok(if import.unexpressed.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(EXIT_FOUND) })
}

fn report(import: &Import, with_fields: bool) {
    if with_fields {
        import.fields.iter().for_each(|(name, fate)| note(&format!("{:5} {name}: {}", fate.entries, fate.taken_for)));
    }
    import.repeated.iter().for_each(|(key, kept)| note(&format!("{key} says nothing that {kept} does not say")));
    for left in &import.unexpressed {
        let place = if left.field.is_empty() { left.model.clone() } else { format!("{} {}", left.model, left.field) };
        note(&format!("not expressed: {place}: {}", left.why));
    }
    note(&format!(
        "{} entries written, {} of other providers left alone, {} things not expressed",
        import.entries,
        import.others,
        import.unexpressed.len()
    ));
}
