//! What can go wrong with a question, as data: whose fault, worth a retry, stable code.

use std::time::Duration;

use custody_types::{Fault, FaultOwner, Retry};
use datafusion::error::DataFusionError;

type Cause = Box<dyn std::error::Error + Send + Sync>;

const RETRY_WHEN_BEHIND: Duration = Duration::from_secs(5);
const LONGEST_MESSAGE: usize = 600;
const ENGINE_PREFIXES: [&str; 3] = ["Error during planning: ", "Execution error: ", "Schema error: "];

/// A question that was not answered, or not answered in full.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The statement would change something.
    #[error("`{statement}` is refused: this connection only reads; use SELECT, WITH, VALUES, EXPLAIN, DESCRIBE or SHOW")]
    ReadOnly {
        /// The first words of the statement.
        statement: String,
    },
    /// The text is not one statement of SQL.
    #[error("{0}")]
    Syntax(String),
    /// The statement names something that does not exist or does not fit.
    #[error("{0}")]
    Plan(String),
    /// A parameter is missing or its value does not fit.
    #[error("{0}")]
    Parameter(String),
    /// The statement met a value it can't work with, such as a division by zero.
    #[error("{0}")]
    Value(String),
    /// The time allowed is over.
    #[error("query stopped after {} s, the time allowed; narrow it by time or tenant, or allow more", .0.as_secs_f32())]
    TimedOut(Duration),
    /// The memory and disk allowed do not suffice.
    #[error("query needs more memory than allowed: {0}")]
    TooLarge(String),
    /// The lake lags so far behind the log that the rows between them do not fit the follower's bound.
    #[error("the lake lags behind the log by more than may be held: {rows} rows of a partition, {} MiB in all; ingest must catch up first", bytes >> 20)]
    LakeBehind {
        /// Most rows of one partition.
        rows: usize,
        /// Most bytes of all.
        bytes: usize,
    },
    /// The log has records and does not give them.
    #[error("the log's partition `{partition}` has records that it does not give; its broker may be unreachable")]
    LogSilent {
        /// The partition.
        partition: String,
    },
    /// The lake could not be read.
    #[error("the lake can't be read: {0}")]
    Lake(#[source] Cause),
    /// The log could not be read.
    #[error("the log can't be read: {0}")]
    Log(#[source] Cause),
    /// The result could not be written.
    #[error("the result can't be written: {0}")]
    Output(#[source] Cause),
    /// The engine failed in a way it never should.
    #[error("the query engine failed: {0}")]
    Engine(String),
}

impl QueryError {
    /// Wraps a failure of writing a result.
    pub fn output(cause: impl Into<Cause>) -> Self {
        Self::Output(cause.into())
    }

    pub(crate) fn from_planning(error: DataFusionError) -> Self {
        match error.find_root() {
            DataFusionError::SQL(..) => Self::Syntax(one_line(&error)),
            DataFusionError::ObjectStore(_) | DataFusionError::IoError(_) | DataFusionError::External(_) => Self::Lake(Box::new(error)),
            DataFusionError::Internal(_) => Self::Engine(one_line(&error)),
            _ => Self::Plan(one_line(&error)),
        }
    }

    pub(crate) fn from_running(error: DataFusionError) -> Self {
        match error.find_root() {
            DataFusionError::ResourcesExhausted(_) => Self::TooLarge(one_line(&error)),
            DataFusionError::ArrowError(..) | DataFusionError::Execution(_) | DataFusionError::Plan(_) => Self::Value(one_line(&error)),
            DataFusionError::Internal(_) => Self::Engine(one_line(&error)),
            _ => Self::Lake(Box::new(error)),
        }
    }
}

/// The engine's message without its type names, line breaks, and lists of everything that would have been right.
fn one_line(error: &DataFusionError) -> String {
    let text = match error.find_root() {
        DataFusionError::SQL(cause, _) => return cause.to_string().trim_start_matches("sql parser error: ").to_owned(),
        DataFusionError::ArrowError(cause, _) => return cause.to_string().to_lowercase(),
        other => other.strip_backtrace(),
    };
    let text = ENGINE_PREFIXES.iter().fold(text.as_str(), |text, prefix| text.trim_start_matches(prefix));
    let text = text.split("Valid fields are").next().unwrap_or(text);
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ").replace("No field named", "there is no column");
    line.trim_end_matches('.').chars().take(LONGEST_MESSAGE).collect()
}

impl Fault for QueryError {
    fn owner(&self) -> FaultOwner {
        match self {
            Self::ReadOnly { .. } | Self::Syntax(_) | Self::Plan(_) | Self::Parameter(_) | Self::Value(_) => FaultOwner::Caller,
            Self::TimedOut(_) | Self::TooLarge(_) => FaultOwner::Caller,
            Self::LakeBehind { .. } | Self::LogSilent { .. } | Self::Lake(_) | Self::Log(_) | Self::Output(_) => FaultOwner::Operator,
            Self::Engine(_) => FaultOwner::Product,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::LakeBehind { .. } | Self::LogSilent { .. } => Retry::After(RETRY_WHEN_BEHIND),
            _ => Retry::Never,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::ReadOnly { .. } => "sql_read_only",
            Self::Syntax(_) => "sql_syntax",
            Self::Plan(_) => "sql_plan",
            Self::Parameter(_) => "sql_parameter",
            Self::Value(_) => "sql_value",
            Self::TimedOut(_) => "sql_timed_out",
            Self::TooLarge(_) => "sql_too_large",
            Self::LakeBehind { .. } => "lake_behind",
            Self::LogSilent { .. } => "log_silent",
            Self::Lake(_) => "lake_unreadable",
            Self::Log(_) => "log_unreadable",
            Self::Output(_) => "output_failed",
            Self::Engine(_) => "sql_engine",
        }
    }
}
