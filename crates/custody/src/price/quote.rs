//! `custody price quote`.

use std::{
    io::{BufRead, BufWriter, Write, stdin, stdout},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::Args;
use custody_price::{Question, answer_json};

use super::book;
use crate::lake::PlaceArgs;

#[derive(Debug, Args)]
pub struct QuoteArgs {
    /// The price book; without it, the workspace's.
    #[arg(long, value_name = "FILE")]
    book: Option<PathBuf>,
    #[command(flatten)]
    place: PlaceArgs,
}

pub fn run(args: &QuoteArgs) -> Result<ExitCode> {
    let book = book::load(args.book.as_deref(), &args.place)?;
    let mut answers = BufWriter::new(stdout());
    for (number, line) in stdin().lock().lines().enumerate() {
        let line = line.context("standard input cannot be read")?;
        let question = Question::parse(&line).with_context(|| format!("line {}", number + 1))?;
        writeln!(answers, "{}", answer_json(&book.quote(&question.facts, &question.usage)))?;
    }
    answers.flush()?;
    Ok(ExitCode::SUCCESS)
}
