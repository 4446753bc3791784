//! Placeholder.

use anyhow::Result;

pub fn run(_binary: &std::path::Path) -> Result<()> {
    Ok(())
}
