//! Rules of the house that a compiler does not check.

mod layers;
mod licences;
mod openers;
mod schema;
mod sizes;
mod unsealed;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::run;

pub fn run() -> Result<()> {
    let mut findings = layers::findings()?;
    findings.extend(sizes::findings()?);
    findings.extend(openers::findings()?);
    findings.extend(schema::findings()?);
    findings.extend(unsealed::findings()?);
    licences::run()?;
    if findings.is_empty() {
        run::say("check: layers, file sizes, what opens text, schema and features are in order");
        return Ok(());
    }
    findings.iter().for_each(|finding| run::say(finding));
    bail!("{} findings", findings.len())
}

/// All Rust files of the workspace's own code.
fn rust_files() -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in ["crates", "tests", "xtask"] {
        collect(&run::root().join(folder), &mut files)?;
    }
    files.sort();
    Ok(files)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}
