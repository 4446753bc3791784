//! Takes each safeguard out of a copy of the tree and shows the simulation's failing seed; a mutant that survives fails the task.

use anyhow::Result;

use crate::run;

/// Runs the named mutants, or all.
pub fn run(names: &[String]) -> Result<()> {
    let script = run::root().join("tests/sim/mutants/run");
    run::program(&script.to_string_lossy(), names)
}
