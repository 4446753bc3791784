//! One statement to one result, with progress, a row limit that is shown, and Ctrl-C.

use std::{path::PathBuf, time::Duration};

use custody_query::{
    Parameters, QueryError, QueryOptions, QueryRun, SqlSession,
    output::{Format, ResultWriter},
};
use tokio::time::Instant;

use super::{
    Form, progress,
    sink::{self, Sink},
};
use crate::terminal::note;

/// How a statement ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// With a result.
    Answered,
    /// By Ctrl-C.
    Cancelled,
}

/// Answers statements in one way.
pub struct Executor {
    /// The connection.
    pub session: SqlSession,
    /// Form of results.
    pub form: Form,
    /// Most rows, where asked for; 0 for all.
    pub limit: Option<usize>,
    /// Whether to say how long a statement took.
    pub shows_timing: bool,
    parameters: Parameters,
    output: Option<PathBuf>,
    timeout: Duration,
}

impl Executor {
    /// An executor without a row limit of its own.
    pub fn new(session: SqlSession, parameters: Parameters, form: Form, output: Option<PathBuf>, timeout: Duration) -> Self {
        Self { session, form, limit: None, shows_timing: false, parameters, output, timeout }
    }

    /// Answers a statement.
    pub async fn answer(&self, statement: &str) -> Result<Ended, QueryError> {
        let begun = Instant::now();
        let ended = tokio::select! {
            biased;
            _ = tokio::signal::ctrl_c() => Ok(Ended::Cancelled),
            answered = self.write_answer(statement) => answered.map(|()| Ended::Answered),
        };
        if !matches!(ended, Ok(Ended::Answered)) {
            sink::discard(self.output.as_deref());
        }
        if self.shows_timing {
            note(&format!("{:.3} s", begun.elapsed().as_secs_f64()));
        }
        ended
    }

    async fn write_answer(&self, statement: &str) -> Result<(), QueryError> {
        let rows = self.rows();
        let options = QueryOptions { timeout: self.timeout, rows, parameters: self.parameters.clone() };
        let mut run = self.session.query(statement, &options).await?;
        let mut sink = Sink::open(self.output.as_deref())?;
        let probe = run.probe();
        tokio::select! {
            () = progress::show(probe) => {}
            written = write_rows(&mut run, self.format(), &mut sink) => written?,
        }
        sink.keep()?;
        if run.was_cut() {
            note(&format!("cut at {} rows; --limit 0 gives all", rows.unwrap_or_default()));
        }
        Ok(())
    }

    fn rows(&self) -> Option<usize> {
        match self.limit {
            Some(0) => None,
            Some(rows) => Some(rows),
            None => self.form.usual_limit(),
        }
    }

    fn format(&self) -> Format {
        match self.form {
            Form::Table => Format::Table { screen: if self.output.is_none() { sink::screen_width() } else { None } },
            Form::Csv => Format::Csv,
            Form::Json => Format::Json,
            Form::Parquet => Format::Parquet,
        }
    }
}

async fn write_rows(run: &mut QueryRun, format: Format, sink: &mut Sink) -> Result<(), QueryError> {
    let mut writer = ResultWriter::new(format, &run.schema(), sink)?;
    while let Some(batch) = run.next_batch().await? {
        writer.write(&batch)?;
    }
    writer.finish().map(|_| ())
}
