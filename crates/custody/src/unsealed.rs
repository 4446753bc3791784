//! The control of the leak scan: a build in which nothing is sealed, hashed or redacted. It starts only where it is told that this is meant.

use crate::terminal::note;

const VARIABLE: &str = "CUSTODY_UNSEALED";

/// Says what this build is, and whether it may go on.
pub fn is_meant() -> bool {
    note("custody: THIS BUILD SEALS AND REDACTS NOTHING. It exists to show that the leak scan finds what is not sealed.");
    let is_meant = std::env::var_os(VARIABLE).is_some_and(|value| value == "yes");
    if !is_meant {
        note(&format!("custody: refused to start; never use this build for real data. Tests of the leak scan set {VARIABLE}=yes"));
    }
    is_meant
}
