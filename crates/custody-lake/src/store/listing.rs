//! What lies in a table's partitions, and who needs it.
//!
//! ```text
//! listed file ─▶ part of the newest version           needed
//!             ─▶ removed by a version, which says when  needed by readers of older versions, for a while
//!             ─▶ neither                                an upload that is not committed yet, or never will be
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use deltalake::{
    ObjectMeta, ObjectStoreError, Path,
    logstore::{LogStoreRef, object_store::ObjectStore},
};
use futures::TryStreamExt;

use super::{handle::TableHandle, live_file::live_files};
use crate::{error::StoreError, table::LakeTable};

const LISTING: &str = "listing the table's folders";

/// A file in a partition.
pub(crate) struct Listed {
    pub(crate) meta: ObjectMeta,
    pub(crate) claim: Claim,
}

/// Why it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// The newest version consists of it.
    Live,
    /// A version removed it at this time.
    Removed {
        /// In milliseconds since the epoch.
        at_millis: i64,
    },
    /// No version that the log remembers knows it.
    Unknown,
}

/// Every file in the table's partitions. The log is read after the folders: what was committed in between is not taken for unclaimed.
pub(crate) async fn listed(log_store: &LogStoreRef, table: LakeTable) -> Result<Vec<Listed>, StoreError> {
    let partitioned_by = table.definition().partitioned_by;
    let found = in_partitions(log_store.object_store(None).as_ref(), partitioned_by).await.map_err(StoreError::storage(LISTING))?;
    let claims = Claims::of(&TableHandle::open(Arc::clone(log_store)).await?).await?;
    Ok(found.into_iter().map(|meta| Listed { claim: claims.on(&meta.location), meta }).collect())
}

async fn in_partitions(store: &dyn ObjectStore, partitioned_by: &str) -> Result<Vec<ObjectMeta>, ObjectStoreError> {
    let folders = store.list_with_delimiter(None).await?.common_prefixes;
    let mut found = Vec::new();
    for folder in folders {
        if is_partition(&folder, partitioned_by) {
            found.extend(store.list(Some(&folder)).try_collect::<Vec<_>>().await?);
        }
    }
    Ok(found)
}

/// The log's folder, and what others may have put beside it, is no business of ours.
fn is_partition(folder: &Path, partitioned_by: &str) -> bool {
    let name = folder.filename().and_then(|name| name.strip_prefix(partitioned_by));
    name.is_some_and(|rest| rest.starts_with('='))
}

struct Claims {
    live: BTreeSet<Path>,
    removed: BTreeMap<Path, i64>,
}

impl Claims {
    async fn of(handle: &TableHandle) -> Result<Self, StoreError> {
        let live = live_files(handle)?.into_iter().map(|file| file.path).collect();
        let mut tombstones = handle.state().all_tombstones(handle.log_store().as_ref());
        let mut removed = BTreeMap::new();
        while let Some(tombstone) = tombstones.try_next().await.map_err(StoreError::storage("reading the table's removals"))? {
            let path = Path::parse(tombstone.path()).unwrap_or_else(|_| Path::from(tombstone.path().as_ref()));
            let at = tombstone.deletion_timestamp().unwrap_or_default();
            let latest = removed.entry(path).or_insert(at);
            *latest = at.max(*latest);
        }
        Ok(Self { live, removed })
    }

    fn on(&self, path: &Path) -> Claim {
        if self.live.contains(path) {
            return Claim::Live;
        }
        self.removed.get(path).map_or(Claim::Unknown, |at_millis| Claim::Removed { at_millis: *at_millis })
    }
}
