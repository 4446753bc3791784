//! The sink's table as its files show it: a Hadoop catalog keeps the number of the newest metadata in `version-hint.text`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde_json::Value;

/// Folder of the catalog, below the run's folder.
pub const WAREHOUSE: &str = "warehouse";
/// The table's name for the sink.
pub const TABLE: &str = "bench.events";

/// A table in a folder.
#[derive(Debug)]
pub struct IcebergTable {
    folder: PathBuf,
}

impl IcebergTable {
    pub fn of(run: &Path) -> Self {
        Self { folder: run.join(WAREHOUSE).join(TABLE.replace('.', "/")) }
    }

    /// Rows of the newest commit; nothing before the first, and while a file is being replaced.
    pub fn rows(&self) -> Option<u64> {
        let metadata = self.folder.join("metadata");
        let version = fs::read_to_string(metadata.join("version-hint.text")).ok()?;
        let text = fs::read(metadata.join(format!("v{}.metadata.json", version.trim()))).ok()?;
        rows(&serde_json::from_slice(&text).ok()?)
    }

    /// Bytes of each data file.
    pub fn file_sizes(&self) -> Result<Vec<u64>> {
        let folder = self.folder.join("data");
        let entries = fs::read_dir(&folder).with_context(|| format!("cannot read `{}`", folder.display()))?;
        entries.map(|entry| Ok(entry?.metadata()?.len())).collect()
    }
}

fn rows(metadata: &Value) -> Option<u64> {
    let current = metadata.get("current-snapshot-id")?.as_i64()?;
    let is_current = |snapshot: &&Value| snapshot.get("snapshot-id").and_then(Value::as_i64) == Some(current);
    let snapshot = metadata.get("snapshots")?.as_array()?.iter().find(is_current)?;
    snapshot.pointer("/summary/total-records")?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_current_snapshot_says_how_many_rows_there_are() {
        let snapshot = |id: i64, rows: &str| json!({"snapshot-id": id, "summary": {"total-records": rows}});
        let snapshots = [snapshot(1, "10"), snapshot(2, "30")];
        assert_eq!(rows(&json!({"current-snapshot-id": 2, "snapshots": snapshots})), Some(30));
        assert_eq!(rows(&json!({"current-snapshot-id": -1, "snapshots": []})), None);
        assert_eq!(rows(&json!({"snapshots": []})), None);
    }
}
