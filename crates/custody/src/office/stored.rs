//! How far the lake has an office journal: told by the `up` that reads it, to the command that next writes it and may then forget.

use std::path::{Path, PathBuf};

use custody_log::Journal;
use custody_types::LogPosition;

const FILE: &str = "stored";

/// A small file in the office journal's folder: the log partition and a position in it. Where it is lost nothing is forgotten, until it
/// is written again.
#[derive(Debug, Clone)]
pub struct StoredMark(PathBuf);

impl StoredMark {
    /// The mark of an office journal.
    pub fn of(folder: &Path) -> Self {
        Self(folder.join(FILE))
    }

    /// Everything before `floor` is in the lake.
    pub fn write(&self, partition: &str, floor: LogPosition) {
        let temporary = self.0.with_extension("new");
        let written = std::fs::write(&temporary, format!("{partition} {floor}\n")).and_then(|()| std::fs::rename(&temporary, &self.0));
        if let Err(error) = written {
            tracing::warn!(%error, "how far the office journal is stored could not be noted; it is kept longer");
        }
    }

    /// Lets a journal forget what the lake has. A mark of another journal in this folder says nothing about this one.
    pub fn free(&self, journal: &Journal, consumer: &str) {
        let Ok(text) = std::fs::read_to_string(&self.0) else { return };
        let Some((partition, floor)) = text.trim_end().split_once(' ') else { return };
        let Some(floor) = floor.parse().ok().map(LogPosition::new) else { return };
        if partition == format!("journal/{}", journal.id()) && floor <= journal.stats().durable {
            journal.set_floor(consumer, floor);
        }
    }
}
