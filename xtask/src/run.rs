//! Running other programs and talking to the person at the terminal.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

/// Prints a line.
#[expect(clippy::print_stdout, reason = "the one place where tasks talk to the terminal")]
pub fn say(text: &str) {
    println!("{text}");
}

/// The workspace folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or_else(|| Path::new(".")).to_path_buf()
}

/// Runs a program in the workspace folder and fails unless it succeeds.
pub fn program<I, S>(name: &str, arguments: I) -> Result<()>
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root());
    status(&mut command)
}

/// What cargo tells the program that it runs, about that program.
const OF_THIS_PROGRAM: [&str; 5] = ["CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];

/// Runs a prepared command and fails unless it succeeds. It starts as a person would start it: a cargo that heard of this program's
/// folder would run build scripts again that look at it, and after ring's everything that rests on it, DataFusion included.
pub fn status(command: &mut Command) -> Result<()> {
    let shown = format!("{command:?}").replace('"', "");
    for (name, _) in std::env::vars_os() {
        if OF_THIS_PROGRAM.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    say(&format!("— {shown}"));
    let status = command.status().with_context(|| format!("`{shown}` could not be started"))?;
    if !status.success() {
        bail!("`{shown}` ended with {status}");
    }
    Ok(())
}

/// Where cargo puts what it builds.
pub fn target_dir() -> Result<PathBuf> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(root())
        .output()
        .context("`cargo metadata` could not be started")?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let folder = metadata.get("target_directory").and_then(serde_json::Value::as_str).context("no target folder")?;
    Ok(PathBuf::from(folder))
}
