//! Puts merged files in the place of their inputs: one version that removes these and adds those, or none.
//!
//! ```text
//! newest snapshot ─▶ our commit is in it ─────────────────────────▶ replaced
//!        ▲         └▶ an input is no longer live ─────────────────▶ overtaken: the merged files are left for vacuum
//!        │         └▶ commit on exactly this snapshot ─▶ landed ──▶ replaced
//!        └─────────────── conflict, or no answer ◀────┘
//! ```
//! The inputs are compared with the newest snapshot each time, so whatever others did in between, no row is lost and none is doubled.
//! Transactions are not touched. Merged files are never deleted here: a commit that seems lost may still land.

use std::{collections::BTreeSet, sync::Arc};

use deltalake::{
    Path,
    kernel::{Action, Add, transaction::PostCommit},
    logstore::LogStoreRef,
    protocol::DeltaOperation,
};
use uuid::Uuid;

use crate::{
    error::{CommitError, StoreError},
    store::{
        StagedFile,
        commit::{NewVersion, add, find},
        handle::TableHandle,
        live_file::{LiveFile, live_files},
    },
};

/// An append comes between a snapshot and a commit on it once in many times, since each takes a fraction of a second.
const TRIES: u32 = 10;

/// What is to be replaced by what.
pub(super) struct Replacement<'a> {
    pub(super) inputs: &'a [LiveFile],
    pub(super) outputs: Vec<StagedFile>,
    pub(super) target_bytes: u64,
    pub(super) commit_id: Uuid,
    pub(super) at_millis: i64,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is the table's version of this number.
    Replaced(u64),
    /// Somebody else removed an input.
    Overtaken,
    /// Others were faster each time.
    Contended,
}

impl Replacement<'_> {
    pub(super) async fn land(&self, log_store: &LogStoreRef) -> Result<Fate, StoreError> {
        let mut first_tried_on = None;
        for _ in 0..TRIES {
            let newest = TableHandle::open(Arc::clone(log_store)).await?;
            if let Some(fate) = self.fate(log_store, &newest, first_tried_on).await? {
                return Ok(fate);
            }
            first_tried_on.get_or_insert(newest.version());
            match self.new_version().land(&newest).await {
                Ok(landed) => return Ok(Fate::Replaced(checkpointed(landed).await)),
                Err(CommitError::Conflict { .. } | CommitError::Ambiguous { .. }) => {}
                Err(CommitError::Failed(error)) => return Err(error),
            }
        }
        let newest = TableHandle::open(Arc::clone(log_store)).await?;
        Ok(self.fate(log_store, &newest, first_tried_on).await?.unwrap_or(Fate::Contended))
    }

    /// What the table says; nothing where the commit is still to be made.
    async fn fate(&self, log_store: &LogStoreRef, newest: &TableHandle, first_tried_on: Option<u64>) -> Result<Option<Fate>, StoreError> {
        if let Some(since) = first_tried_on
            && let Some(version) = find(log_store, self.commit_id, since).await?
        {
            return Ok(Some(Fate::Replaced(version)));
        }
        let live: BTreeSet<Path> = live_files(newest)?.into_iter().map(|file| file.path).collect();
        let all_live = self.inputs.iter().all(|input| live.contains(&input.path));
        Ok((!all_live).then_some(Fate::Overtaken))
    }

    fn new_version(&self) -> NewVersion {
        let removed = self.inputs.iter().map(|input| Action::Remove(input.replaced(self.at_millis)));
        let added = self.outputs.iter().map(|output| Action::Add(Add { data_change: false, ..add(output.clone()) }));
        NewVersion {
            actions: removed.chain(added).collect(),
            transactions: Vec::new(),
            operation: DeltaOperation::Optimize { predicate: None, target_size: i64::try_from(self.target_bytes).unwrap_or(i64::MAX) },
            commit_id: self.commit_id,
        }
    }
}

/// Every fiftieth version has a checkpoint, whoever makes that version; skipped, readers would replay fifty commits more. The version
/// stands either way.
async fn checkpointed(landed: PostCommit) -> u64 {
    let version = landed.version;
    if let Err(error) = landed.await {
        tracing::warn!(%error, version, "a compaction's version was not followed up; its checkpoint may be missing");
    }
    version
}
