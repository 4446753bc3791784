//! The price book that is meant: a file, or the workspace's.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use custody_gateway::workspace::Workspace;
use custody_price::PriceBook;

use crate::{deployment::Deployment, lake::PlaceArgs};

/// The workspace's folder in a data folder.
const WORKSPACE: &str = "workspace";

/// Reads the named book, or the one of the workspace that belongs to a place.
pub fn load(named: Option<&Path>, place: &PlaceArgs) -> Result<PriceBook> {
    if let Some(file) = named {
        return read(file);
    }
    let folder = workspace(place)?;
    let workspace = Workspace::load(&folder).with_context(|| format!("no --book is named, and `{}` has none to use", folder.display()))?;
    Ok(workspace.prices)
}

/// Reads a book.
pub fn read(file: &Path) -> Result<PriceBook> {
    let shown = file.display().to_string();
    let text = std::fs::read_to_string(file).with_context(|| format!("the price book `{shown}` cannot be read"))?;
    Ok(PriceBook::parse(&shown, &text)?)
}

fn workspace(place: &PlaceArgs) -> Result<PathBuf> {
    match &place.config {
        Some(file) => Ok(Deployment::load(file)?.workspace_dir),
        None => Ok(place.data_dir.join(WORKSPACE)),
    }
}
