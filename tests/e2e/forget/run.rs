//! The built binary: run to its end, or halted at a named place and killed.

use std::process::{Command, Stdio};

use super::kept::Site;
use crate::harness::{comes_to, custody, number};

fn command(site: &Site, arguments: &[&str]) -> Command {
    let mut command = Command::new(custody());
    command.args(arguments).arg("--data-dir").arg(site.data());
    command
}

/// What it prints; it must succeed.
pub fn custody_run(site: &Site, arguments: &[&str]) -> String {
    let output = command(site, arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command that stops at a named place, and kills it there. Whether it came there.
pub fn halted_and_killed(site: &Site, point: &str, arguments: &[&str]) -> bool {
    let mut child = command(site, arguments).env("CUSTODY_HALT_AT", point).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let halted = comes_to(child.stderr.take().unwrap(), point);
    child.kill().unwrap();
    child.wait().unwrap();
    halted
}

/// Control events of an action.
pub fn number_of(site: &Site, action: &str) -> i64 {
    number(site.data(), &format!("select count(*) from events where control_action = '{action}'"))
}
