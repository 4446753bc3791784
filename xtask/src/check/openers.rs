//! Sealed text is opened in two places: where ingest seals it anew, and where a reveal was recorded. Nothing else names what opens.

use anyhow::Result;

use super::rust_files;
use crate::run;

/// What opens, and the folders that may name it.
const OPENERS: [(&str, &[&str]); 2] = [
    (".for_opening(", &["crates/custody-vault/", "crates/custody-ingest/src/content/", "crates/custody-keeper/src/reveal/"]),
    (
        "EdgeOpener",
        &["crates/custody-seal/", "crates/custody-vault/", "crates/custody-ingest/src/content/", "crates/custody-bench/src/seal.rs"],
    ),
];

pub fn findings() -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for file in rust_files()? {
        let shown = file.strip_prefix(run::root()).unwrap_or(&file).display().to_string();
        if shown.contains("tests") || shown.starts_with("xtask/") {
            continue;
        }
        findings.extend(named_outside(&shown, &std::fs::read_to_string(&file)?));
    }
    Ok(findings)
}

fn named_outside(file: &str, text: &str) -> Vec<String> {
    let is_refused =
        |(opener, folders): &&(&str, &[&str])| text.contains(*opener) && !folders.iter().any(|folder| file.starts_with(folder));
    let finding =
        |(opener, _): &(&str, &[&str])| format!("openers: {file} names `{opener}`; kept text is opened by ingest and by reveal only");
    OPENERS.iter().filter(is_refused).map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_else_opens_text_is_found() {
        let text = "let key = units.for_opening(&unit, id).await?;";
        assert!(named_outside("crates/custody-keeper/src/reveal/vault.rs", text).is_empty());
        assert_eq!(named_outside("crates/custody-keeper/src/erasure.rs", text).len(), 1);
        assert_eq!(named_outside("crates/custody/src/sql/mod.rs", "EdgeOpener::new().open(bytes, context); a.for_opening(").len(), 2);
    }
}
