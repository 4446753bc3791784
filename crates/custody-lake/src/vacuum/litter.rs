//! What lies about in a table's partitions, counted.

use custody_types::Timestamp;

use crate::{
    error::StoreError,
    location::LakeRoot,
    reader::open_table,
    store::{
        listing::{Claim, Listed, listed},
        storage::Access,
    },
    table::LakeTable,
};

/// Files of a table that its newest version does not consist of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Litter {
    /// Files that no version knows: uploads under way, and those that were never committed.
    pub orphans: u64,
    /// Their bytes.
    pub orphan_bytes: u64,
    /// Files that a version removed, which older versions still consist of.
    pub removed: u64,
    /// Their bytes.
    pub removed_bytes: u64,
    /// When the oldest of the orphans was written.
    pub oldest_orphan: Option<Timestamp>,
}

/// Counts what a table's partitions hold besides the table. Lists every file.
///
/// # Errors
/// When there is no such table or the store fails.
pub async fn litter(lake: impl Into<LakeRoot>, table: LakeTable) -> Result<Litter, StoreError> {
    let handle = open_table(&lake.into(), table, Access::Read).await?;
    let mut litter = Litter::default();
    for file in listed(handle.log_store(), table).await? {
        litter.count(&file);
    }
    Ok(litter)
}

impl Litter {
    fn count(&mut self, file: &Listed) {
        match file.claim {
            Claim::Live => {}
            Claim::Removed { .. } => {
                self.removed = self.removed.saturating_add(1);
                self.removed_bytes = self.removed_bytes.saturating_add(file.meta.size);
            }
            Claim::Unknown => {
                let written = Timestamp::from_micros(file.meta.last_modified.timestamp_micros());
                self.orphans = self.orphans.saturating_add(1);
                self.orphan_bytes = self.orphan_bytes.saturating_add(file.meta.size);
                self.oldest_orphan = Some(self.oldest_orphan.map_or(written, |oldest| oldest.min(written)));
            }
        }
    }
}
