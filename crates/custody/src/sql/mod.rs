//! `custody sql`: questions to the evidence from the command line. Only reads; works beside a running `up` and without one.

mod commands;
mod completion;
pub mod connect;
mod execute;
mod progress;
mod prompt;
mod sink;

use std::{io::IsTerminal, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context;
use clap::{Args, ValueEnum};
use custody_query::{Parameters, QueryError, Script};
use custody_types::{Fault, FaultOwner};

use self::execute::{Ended, Executor};
use crate::terminal::note;

/// Rows of the table form unless asked otherwise: more than a person reads, few enough not to flood a terminal by mistake.
const ROWS_TO_READ: usize = 1000;
const EXIT_FAILED: u8 = 1;
const EXIT_QUESTION: u8 = 2;
const EXIT_LIMIT: u8 = 3;
const EXIT_CANCELLED: u8 = 130;

const EXAMPLES: &str = "\
Examples:
  custody sql 'select tenant, sum(cost_usd) from costs group by tenant'
  custody sql -f queries/request_trail.sql --param request_id=01a1f866-…
  custody sql -f queries/cost_per_tenant_and_day.sql --param from_day=2026-11-01 --param before_day=2026-12-01 --format csv -o november.csv
  custody sql                      a prompt; \\? lists its commands

Tables: events, dead_letters, and one view a kind: requests, prompts, routes, invocations, validations, costs, outcomes,
guardrails, controls, contents, accesses, feedback.

Exit codes:
  0    every question was answered in full, or cut at the stated row limit
  1    the lake, the log or the output could not be read or written
  2    the question is wrong: not SQL, unknown name, missing parameter, or a statement that would write
  3    the time, memory or disk allowed did not suffice
  130  cancelled with Ctrl-C";

/// Asks the evidence in SQL. Reads only: what is stored, and what the log has beyond it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SqlArgs {
    /// Statements, separated by semicolons; without them and without --file, a prompt.
    statements: Option<String>,
    /// Reads the statements from a file; `-` is standard input.
    #[arg(short, long, value_name = "FILE", conflicts_with = "statements")]
    file: Option<PathBuf>,
    /// Form of the result.
    #[arg(long, value_enum, default_value_t = Form::Table)]
    format: Form,
    /// Writes the result to a file instead of standard output; an existing file is replaced when the result is complete.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Most rows of a result; 0 for all. [default: 1000 for the table form, all for the others]
    #[arg(long, value_name = "ROWS")]
    limit: Option<usize>,
    /// Value of a `$name` in the statements; may be repeated.
    #[arg(long = "param", value_name = "NAME=VALUE")]
    parameters: Vec<String>,
    /// Most seconds that one statement may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    timeout: u64,
    /// Folder of `custody up`, with its journal and its lake.
    #[arg(long, value_name = "FOLDER", env = "CUSTODY_DATA_DIR", default_value = "custody-data")]
    data_dir: PathBuf,
    /// Deployment file, to ask a distributed Custody: its lake, and its log after the lake's own positions.
    #[arg(long, value_name = "FILE", env = "CUSTODY_DEPLOYMENT")]
    config: Option<PathBuf>,
}

/// A form of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Aligned columns, to read.
    Table,
    /// Comma-separated values (RFC 4180); null is nothing, empty text is "".
    Csv,
    /// One JSON object a line.
    Json,
    /// An Apache Parquet file.
    Parquet,
}

/// Answers the questions of one command line.
///
/// # Errors
/// When the data folder holds no lake, or a file of statements can't be read.
pub async fn run(args: SqlArgs) -> anyhow::Result<ExitCode> {
    let statements = statements(&args)?;
    let parameters = match Parameters::parse(args.parameters.iter().map(String::as_str)) {
        Ok(parameters) => parameters,
        Err(error) => return Ok(failed(&error)),
    };
    let session = match &args.config {
        Some(file) => connect::open_deployment(file).await?,
        None => match connect::open(&args.data_dir).await {
            Ok(session) => session,
            Err(error) => return Ok(failed(&error)),
        },
    };
    let mut executor = Executor::new(session, parameters, args.format, args.output.clone(), Duration::from_secs(args.timeout));
    executor.limit = args.limit;
    match statements {
        Some(text) => answer_all(&executor, &text).await,
        None => prompt::run(executor).await,
    }
}

impl Form {
    /// The row limit where none was asked for.
    const fn usual_limit(self) -> Option<usize> {
        match self {
            Self::Table => Some(ROWS_TO_READ),
            Self::Csv | Self::Json | Self::Parquet => None,
        }
    }
}

/// The text to answer; nothing where a person is to type it.
fn statements(args: &SqlArgs) -> anyhow::Result<Option<String>> {
    match (&args.statements, &args.file) {
        (Some(text), _) => Ok(Some(text.clone())),
        (None, Some(file)) if file.as_os_str() == "-" => from_standard_input().map(Some),
        (None, Some(file)) => {
            std::fs::read_to_string(file).map(Some).with_context(|| format!("can't read statements from `{}`", file.display()))
        }
        (None, None) if std::io::stdin().is_terminal() => Ok(None),
        (None, None) => from_standard_input().map(Some),
    }
}

fn from_standard_input() -> anyhow::Result<String> {
    std::io::read_to_string(std::io::stdin()).context("can't read statements from standard input")
}

async fn answer_all(executor: &Executor, text: &str) -> anyhow::Result<ExitCode> {
    for statement in Script::split(text).statements {
        match executor.answer(&statement).await {
            Ok(Ended::Answered) => {}
            Ok(Ended::Cancelled) => {
                note("cancelled");
                return Ok(ExitCode::from(EXIT_CANCELLED));
            }
            Err(error) => return Ok(failed(&error)),
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn failed(error: &QueryError) -> ExitCode {
    note(&format!("error: {error} [{}]", error.code()));
    ExitCode::from(exit_code(error))
}

fn exit_code(error: &QueryError) -> u8 {
    match (error, error.owner()) {
        (QueryError::TimedOut(_) | QueryError::TooLarge(_), _) => EXIT_LIMIT,
        (_, FaultOwner::Caller) => EXIT_QUESTION,
        (_, FaultOwner::Operator | FaultOwner::Upstream | FaultOwner::Product) => EXIT_FAILED,
    }
}
