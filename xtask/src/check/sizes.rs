//! A file is about one thing: 500 production lines is the wall.

use anyhow::Result;

use super::rust_files;
use crate::run;

const WALL: usize = 500;

pub fn findings() -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for file in rust_files()? {
        let shown = file.strip_prefix(run::root()).unwrap_or(&file).display().to_string();
        let lines = production_lines(&std::fs::read_to_string(&file)?);
        if !shown.contains("tests") && lines > WALL {
            findings.push(format!("size: {shown} has {lines} production lines, more than {WALL}: split it by what its parts know"));
        }
    }
    Ok(findings)
}

fn production_lines(text: &str) -> usize {
    text.lines().take_while(|line| !line.contains("#[cfg(test)]")).count()
}
