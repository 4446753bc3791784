//! Everything that a change must pass, cheapest first. One cargo shape throughout (`--workspace --all-targets`): another set of
//! features would build DataFusion again.

use anyhow::Result;

use crate::{check, clients, run};

const WORKSPACE: [&str; 2] = ["--workspace", "--all-targets"];

pub fn run() -> Result<()> {
    run::program("cargo", ["fmt", "--all", "--check"])?;
    check::run()?;
    cargo("build", &[])?;
    cargo("test", &[])?;
    clients::run(&run::target_dir()?.join("debug/custody"))?;
    cargo("clippy", &["--", "--deny", "warnings"])
}

fn cargo(task: &str, more: &[&str]) -> Result<()> {
    let arguments = [task, "--locked"].into_iter().chain(WORKSPACE).chain(more.iter().copied());
    run::program("cargo", arguments)
}
