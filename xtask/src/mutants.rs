//! Placeholder.

use anyhow::Result;

pub fn run(_arguments: &[String]) -> Result<()> {
    Ok(())
}
