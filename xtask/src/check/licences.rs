//! Licences, sources and banned crates, by `cargo deny` (deny.toml), where it is installed.

use anyhow::Result;

use crate::run;

pub fn run() -> Result<()> {
    let installed = std::process::Command::new("cargo-deny").arg("--version").output().is_ok();
    if installed {
        return run::program("cargo", ["deny", "--offline", "check", "licenses", "bans", "sources"]);
    }
    run::say("check: licences NOT checked: cargo-deny is not installed (`cargo install cargo-deny --locked`)");
    Ok(())
}
