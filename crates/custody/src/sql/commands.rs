//! Commands of the prompt.

use clap::ValueEnum;
use custody_query::{Fault as _, QueryError};

use super::{Form, execute::Executor};
use crate::terminal::{note, say};

const HELP: &str = "\
\\d            tables and views
\\d NAME       columns of a table or view, and what they mean
\\dt           tables and views
\\format FORM  table, csv or json
\\limit ROWS   most rows of a result; 0 for all
\\timing       says how long statements take, or stops saying so
\\?, \\help     this list
\\q            leaves; so do quit and Ctrl-D
Ctrl-C cancels a query or clears the line; Tab completes; statements end with a semicolon";

/// What the prompt does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Asks again.
    Ask,
    /// Ends.
    Leave,
}

/// Runs a command.
pub async fn run(executor: &mut Executor, text: &str) -> Next {
    let text = text.trim_end_matches(';').trim();
    let (command, argument) = text.split_once(char::is_whitespace).map_or((text, ""), |(command, rest)| (command, rest.trim()));
    match command {
        "\\q" | "quit" | "exit" => return Next::Leave,
        "\\?" | "\\help" | "\\h" => say(HELP),
        "\\d" if !argument.is_empty() => shown(describe(executor, argument).await),
        "\\d" | "\\dt" => shown(list(executor).await),
        "\\timing" => {
            executor.shows_timing = !executor.shows_timing;
            say(if executor.shows_timing { "timing is on" } else { "timing is off" });
        }
        "\\format" => match Form::from_str(argument, true) {
            Ok(form) if form != Form::Parquet => executor.form = form,
            _ => note(&format!("error: `{argument}` is no form of a prompt; use table, csv or json")),
        },
        "\\limit" => match argument.parse() {
            Ok(rows) => executor.limit = Some(rows),
            Err(_) => note(&format!("error: `{argument}` is not a number of rows")),
        },
        other => note(&format!("error: `{other}` is no command; \\? lists them")),
    }
    Next::Ask
}

fn shown(result: Result<(), QueryError>) {
    if let Err(error) = result {
        note(&format!("error: {error} [{}]", error.code()));
    }
}

async fn list(executor: &Executor) -> Result<(), QueryError> {
    let sql = "select table_name, table_type from information_schema.tables where table_schema = 'public'";
    executor.answer(sql).await.map(|_| ())
}

async fn describe(executor: &Executor, table: &str) -> Result<(), QueryError> {
    let columns = executor.session.columns(table).await?;
    let width = |of: fn(&custody_query::Column) -> usize| columns.iter().map(of).max().unwrap_or(0);
    let (names, types) = (width(|column| column.name.len()), width(|column| column.sql_type.len()));
    for column in &columns {
        say(format!("{:names$}  {:types$}  {}", column.name, column.sql_type, column.meaning).trim_end());
    }
    Ok(())
}
