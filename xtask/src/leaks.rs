//! The leak scan: texts sent through every way into Custody, every place that it writes to searched; and the control, a build that seals and
//! redacts nothing, in which the same scan must find them everywhere.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use crate::{
    python, run,
    services::{self, Environment},
};

/// With these rows of the public data the scan takes a minute; all of them go through in `cargo xtask leaks`.
const SOME_ROWS: &[&str] = &["--rows", "300"];

/// The scanner's own test, then the scan of `custody up` with some of the public data.
pub fn embedded(binary: &Path) -> Result<()> {
    embedded_with(binary, SOME_ROWS)
}

fn embedded_with(binary: &Path, rows: &[&str]) -> Result<()> {
    run::status(&mut script("test_scan.py")?)?;
    drive(binary, "embedded", rows, None)
}

/// The scan of a distributed Custody, with some of the public data.
pub fn distributed(binary: &Path, environment: &Environment) -> Result<()> {
    drive(binary, "distributed", SOME_ROWS, Some(environment))
}

/// Everything, with the control build, which lies in a target folder of its own.
pub fn run() -> Result<()> {
    run::program("cargo", ["build", "--locked", "--workspace", "--all-targets"])?;
    let sealed = run::target_dir()?.join("debug/custody");
    let unsealed = build_control()?;
    embedded_with(&sealed, &[])?;
    drive(&unsealed, "embedded", &["--control"], None)?;
    services::with_services(|environment| {
        drive(&sealed, "distributed", &[], Some(environment))?;
        drive(&unsealed, "distributed", &["--control"], Some(environment))
    })
}

fn build_control() -> Result<PathBuf> {
    let target = run::target_dir()?.join("unsealed");
    let mut build = Command::new("cargo");
    build.args(["build", "--locked", "--workspace", "--all-targets", "--features", "custody/unsealed"]);
    run::status(build.current_dir(run::root()).env("CARGO_TARGET_DIR", &target))?;
    Ok(target.join("debug/custody"))
}

fn drive(binary: &Path, parts: &str, more: &[&str], environment: Option<&Environment>) -> Result<()> {
    let mut command = script("drive.py")?;
    command.arg(binary).arg(parts).args(more);
    if let Some(environment) = environment {
        command.envs(environment.variables());
    }
    run::status(&mut command)
}

fn script(name: &str) -> Result<Command> {
    let folder = run::root().join("tests/leaks");
    let python = python::prepare(&run::target_dir()?.join("leak-tests"), &folder.join("requirements.txt"))?;
    let mut command = Command::new(python);
    command.arg(folder.join(name));
    Ok(command)
}
