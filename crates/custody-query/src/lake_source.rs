//! The real lake as a source of snapshots.

use std::fmt;

use async_trait::async_trait;
use custody_lake::LakeReader;

use crate::{LakeSnapshot, QueryError, SnapshotSource};

/// Snapshots of a lake of `custody-lake`.
pub struct LakeTables(LakeReader);

impl LakeTables {
    /// Wraps an open lake.
    #[must_use]
    pub fn new(reader: LakeReader) -> Self {
        Self(reader)
    }
}

impl fmt::Debug for LakeTables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LakeTables")
    }
}

#[async_trait]
impl SnapshotSource for LakeTables {
    async fn latest(&self) -> Result<LakeSnapshot, QueryError> {
        let snapshot = self.0.snapshot().await.map_err(|error| QueryError::Lake(Box::new(error)))?;
        let (events, dead_letters) = (snapshot.events(), snapshot.dead_letters());
        let custody_lake::Snapshot { version, positions, dead_letter_positions, transactions, .. } = snapshot;
        Ok(LakeSnapshot { version, positions, dead_letter_positions, transactions, events, dead_letters })
    }
}
