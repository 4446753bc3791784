//! The prompt: statements over several lines until their semicolon, history, completion, and commands that begin with a backslash.

use std::{path::PathBuf, process::ExitCode};

use custody_query::Fault as _;
use rustyline::{Config, Editor, error::ReadlineError, history::FileHistory};

use super::{
    commands::{self, Next},
    completion::Names,
    execute::{Ended, Executor},
};
use crate::terminal::{note, say};

const PROMPT: &str = "custody> ";
const HISTORY_FILE: &str = ".custody_sql_history";
const HISTORY_LENGTH: usize = 5000;

type Line = Editor<Names, FileHistory>;

/// Asks until the person leaves.
pub async fn run(mut executor: Executor) -> anyhow::Result<ExitCode> {
    let names = match executor.session.names().await {
        Ok(names) => names,
        Err(error) => {
            note(&format!("error: {error} [{}]", error.code()));
            Vec::new()
        }
    };
    let mut line = editor(names)?;
    say("custody sql: statements end with a semicolon; \\? lists the commands, \\q leaves");
    loop {
        // Reading a line blocks, so it has a thread of its own, and the editor goes there and comes back.
        let (read, back) = tokio::task::spawn_blocking(move || (line.readline(PROMPT), line)).await?;
        line = back;
        match read {
            Ok(text) => {
                if text.trim().is_empty() {
                    continue;
                }
                line.add_history_entry(text.trim())?;
                if step(&mut executor, text.trim()).await == Next::Leave {
                    break;
                }
            }
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(error.into()),
        }
    }
    if let Some(file) = history_file() {
        // A history that can't be kept is no reason to fail.
        let _ = line.save_history(&file);
    }
    Ok(ExitCode::SUCCESS)
}

async fn step(executor: &mut Executor, text: &str) -> Next {
    if text.starts_with('\\') || matches!(text, "quit" | "exit") {
        return commands::run(executor, text).await;
    }
    for statement in custody_query::Script::split(text).statements {
        match executor.answer(&statement).await {
            Ok(Ended::Answered) => {}
            Ok(Ended::Cancelled) => note("cancelled"),
            Err(error) => note(&format!("error: {error} [{}]", error.code())),
        }
    }
    Next::Ask
}

fn editor(names: Vec<String>) -> anyhow::Result<Line> {
    let config = Config::builder().max_history_size(HISTORY_LENGTH)?.history_ignore_dups(true)?.history_ignore_space(true).build();
    let mut line = Line::with_config(config)?;
    line.set_helper(Some(Names::new(names)));
    if let Some(file) = history_file() {
        // There is none the first time.
        let _ = line.load_history(&file);
    }
    Ok(line)
}

fn history_file() -> Option<PathBuf> {
    std::env::home_dir().map(|home| home.join(HISTORY_FILE))
}
