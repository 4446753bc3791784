//! Everything that a change must pass, cheapest first. One cargo shape throughout (`--workspace`, and all targets where it builds):
//! another set of features would build DataFusion again.

use std::process::Command;

use anyhow::Result;

use crate::{
    check, clients, run,
    services::{self, Environment},
};

const ALL: &[&str] = &["--workspace", "--all-targets"];

pub fn run() -> Result<()> {
    run::program("cargo", ["fmt", "--all", "--check"])?;
    check::run()?;
    cargo(&["build"], ALL, None)?;
    cargo(&["test"], ALL, None)?;
    services::with_services(on_real_parts)?;
    clients::run(&run::target_dir()?.join("debug/custody"))?;
    cargo(&["clippy"], &["--workspace", "--all-targets", "--", "--deny", "warnings"], None)
}

/// The adapters against Apache Kafka, an S3 store and a key service, and a small distributed Custody that loses a gateway and an ingest in mid-replay.
/// Services that can't be started fail the run.
fn on_real_parts(environment: &Environment) -> Result<()> {
    let ignored = ["--", "--ignored", "--skip", "measure"];
    cargo(&["test"], &[&["--workspace", "--test", "kafka"], ignored.as_slice()].concat(), Some(environment))?;
    cargo(&["test"], &["--workspace", "--lib", "on_s3", "--", "--ignored"], Some(environment))?;
    cargo(&["test"], &["--workspace", "--lib", "on_kms", "--", "--ignored"], Some(environment))?;
    let mut replay = Command::new("python3");
    replay.arg(run::root().join("tests/cluster/replay.py")).arg(run::target_dir()?.join("debug/custody"));
    // As in production, Kafka is reached over TLS and with a password.
    replay.args(["--rows", "2000", "--seconds-before-kill", "1", "--security", "scram"]);
    run::status(replay.envs(environment.variables()))
}

fn cargo(task: &[&str], arguments: &[&str], environment: Option<&Environment>) -> Result<()> {
    let mut command = Command::new("cargo");
    command.args(task).arg("--locked").args(arguments).current_dir(run::root());
    if let Some(environment) = environment {
        command.envs(environment.variables());
    }
    run::status(&mut command)
}
