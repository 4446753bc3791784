//! Compaction: many small files of a date become few large ones with the same rows, in the table's order, with its statistics and
//! blooms. Readers and writers go on meanwhile; a reader sees the files before or the files after.
//!
//! ```text
//! snapshot ─▶ plan ─▶ for each group: read inputs ─▶ merge, check content ─▶ upload ─▶ replace (one version, strictly on a snapshot)
//! ```
//! Texts are left out ([`LakeTable::is_compacted`]). What can't be merged is left as it is and reported; only rows that changed on the way, which would be a defect, end the run.

mod adapt;
mod content;
mod error;
mod merge;
mod plan;
mod replace;
mod report;
mod run;

use std::{collections::BTreeMap, sync::Arc};

use arrow::datatypes::{Schema, SchemaRef};
use bytes::Bytes;
use chrono::{NaiveDate, NaiveTime};
use custody_types::{Clock, IdSource};
use deltalake::{
    Path,
    kernel::engine::arrow_conversion::TryIntoArrow,
    logstore::{LogStoreRef, object_store::ObjectStoreExt},
};
use futures::{StreamExt, TryStreamExt};
use tokio::sync::watch;

pub use self::{
    error::{CompactionError, WhyLeft},
    report::{CompactionConfig, CompactionGroup, CompactionPlan, CompactionProgress, CompactionReport},
};
use self::{
    merge::{MergeError, Work, file_columns, merge},
    plan::{Age, Piece, groups},
    replace::{Fate, Replacement},
};
use crate::{
    error::StoreError,
    location::LakeRoot,
    reader::open_table,
    store::{
        StagedFile,
        handle::TableHandle,
        live_file::{LiveFile, live_files},
        parquet_file::EncodedFile,
        storage::Access,
        upload::Uploader,
    },
    table::LakeTable,
};

/// Inputs that are fetched at once.
const FETCHED_AT_ONCE: usize = 8;

/// Compacts one table.
pub struct Compactor {
    table: LakeTable,
    log_store: LogStoreRef,
    uploader: Uploader,
    config: CompactionConfig,
}

struct Group {
    event_date: String,
    files: Vec<LiveFile>,
}

impl Compactor {
    /// A compactor of a table that is there.
    ///
    /// # Errors
    /// When there is no such table or it cannot be read.
    pub async fn open(
        lake: impl Into<LakeRoot>,
        table: LakeTable,
        config: CompactionConfig,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Result<Self, StoreError> {
        let handle = open_table(&lake.into(), table, Access::Rewrite).await?;
        let log_store = Arc::clone(handle.log_store());
        let uploader = Uploader::new(Arc::clone(&log_store), clock, ids);
        Ok(Self { table, log_store, uploader, config })
    }

    /// What a run would do now.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn plan(&self) -> Result<CompactionPlan, StoreError> {
        let handle = TableHandle::open(Arc::clone(&self.log_store)).await?;
        let groups = self.groups(&handle)?.iter().map(Group::describe).collect();
        Ok(CompactionPlan { table: self.table, version: handle.version(), groups })
    }

    /// Compacts what is to be compacted now, group by group, until `stop` says so.
    ///
    /// # Errors
    /// When the store fails, or a rewritten file does not hold what its inputs hold. What was replaced before stays replaced.
    pub async fn run(
        &self,
        mut progress: impl FnMut(CompactionProgress) + Send,
        stop: &watch::Receiver<bool>,
    ) -> Result<CompactionReport, CompactionError> {
        let (columns, groups) = self.prepared().await?;
        let bytes = groups.iter().map(Group::bytes).sum();
        let mut at = CompactionProgress { groups_done: 0, groups: groups.len(), bytes_done: 0, bytes };
        let mut report = CompactionReport::default();
        for group in &groups {
            progress(at);
            let is_asked_to_stop = *stop.borrow();
            if is_asked_to_stop || !self.compact(group, &columns, stop, &mut report).await? {
                report.stopped = true;
                return Ok(report);
            }
            at.groups_done = at.groups_done.saturating_add(1);
            at.bytes_done = at.bytes_done.saturating_add(group.bytes());
        }
        progress(at);
        Ok(report)
    }

    async fn prepared(&self) -> Result<(SchemaRef, Vec<Group>), StoreError> {
        let handle = TableHandle::open(Arc::clone(&self.log_store)).await?;
        Ok((file_columns(&columns(&handle)?, self.table.definition().partitioned_by), self.groups(&handle)?))
    }

    /// False where it was asked to stop.
    async fn compact(
        &self,
        group: &Group,
        columns: &SchemaRef,
        stop: &watch::Receiver<bool>,
        report: &mut CompactionReport,
    ) -> Result<bool, CompactionError> {
        let merged = match self.merged(group, columns, stop).await? {
            Ok(merged) => merged,
            Err(MergeError::Stopped) => return Ok(false),
            Err(MergeError::ContentChanged) => {
                return Err(CompactionError::ContentChanged { table: self.table.name(), event_date: group.event_date.clone() });
            }
            Err(MergeError::NotSorted(file)) => {
                report.leave(group, WhyLeft::NotSorted(file));
                return Ok(true);
            }
            Err(MergeError::Unreadable(error)) => {
                report.leave(group, WhyLeft::unreadable(&error));
                return Ok(true);
            }
        };
        let mut outputs = Vec::with_capacity(merged.len());
        for file in merged {
            outputs.push(self.uploader.upload(file).await?);
        }
        self.replace(group, outputs, report).await?;
        Ok(true)
    }

    async fn replace(&self, group: &Group, outputs: Vec<StagedFile>, report: &mut CompactionReport) -> Result<(), StoreError> {
        let replacement = Replacement {
            inputs: &group.files,
            outputs,
            target_bytes: self.config.target_bytes,
            commit_id: self.uploader.commit_id(),
            at_millis: self.uploader.now_millis(),
        };
        match replacement.land(&self.log_store).await? {
            Fate::Replaced(_) => report.count(group, &replacement.outputs),
            Fate::Overtaken => report.leave(group, WhyLeft::Overtaken),
            Fate::Contended => report.leave(group, WhyLeft::Contended),
        }
        Ok(())
    }

    async fn merged(
        &self,
        group: &Group,
        columns: &SchemaRef,
        stop: &watch::Receiver<bool>,
    ) -> Result<Result<Vec<EncodedFile>, MergeError>, StoreError> {
        let inputs = self.fetch(&group.files).await?;
        let work = Work {
            table: self.table,
            columns: Arc::clone(columns),
            event_date: group.event_date.clone(),
            most_bytes: most_bytes(self.config.target_bytes),
        };
        let stop = stop.clone();
        tokio::task::spawn_blocking(move || merge(&work, inputs, &stop)).await.map_err(StoreError::encoding)
    }

    async fn fetch(&self, files: &[LiveFile]) -> Result<Vec<(String, Bytes)>, StoreError> {
        let store = self.log_store.object_store(None);
        let paths: Vec<Path> = files.iter().map(|file| file.path.clone()).collect();
        let fetched = futures::stream::iter(paths).map(|path| {
            let store = Arc::clone(&store);
            async move { Ok::<_, deltalake::ObjectStoreError>((path.to_string(), store.get(&path).await?.bytes().await?)) }
        });
        fetched.buffered(FETCHED_AT_ONCE).try_collect().await.map_err(StoreError::storage("reading files to be compacted"))
    }

    fn groups(&self, handle: &TableHandle) -> Result<Vec<Group>, StoreError> {
        if !self.table.is_compacted() {
            return Ok(Vec::new());
        }
        let mut by_date: BTreeMap<String, Vec<Piece<LiveFile>>> = BTreeMap::new();
        for file in live_files(handle)?.into_iter().filter(|file| !file.has_deletions) {
            let piece = Piece { bytes: file.bytes, modified_at_millis: file.modified_at_millis, file };
            by_date.entry(piece.file.event_date.clone()).or_default().push(piece);
        }
        let mut planned = Vec::new();
        for (event_date, pieces) in by_date {
            let Some(age) = self.age(&event_date) else { continue };
            for group in groups(pieces, age, self.config.target_bytes) {
                let files = group.into_iter().map(|piece| piece.file).collect();
                planned.push(Group { event_date: event_date.clone(), files });
            }
        }
        Ok(planned)
    }

    /// Nothing for a partition that is no date: this program did not write it.
    fn age(&self, event_date: &str) -> Option<Age> {
        let date = NaiveDate::parse_from_str(event_date, "%Y-%m-%d").ok()?;
        let end = date.succ_opt()?.and_time(NaiveTime::MIN).and_utc().timestamp_millis();
        let wait = i64::try_from(self.config.settled_after.as_millis()).unwrap_or(i64::MAX);
        let is_settled = self.uploader.now_millis() >= end.saturating_add(wait);
        Some(if is_settled { Age::Settled } else { Age::Young })
    }
}

/// A quarter more than the target, so that a group that became a little larger does not end in a crumb.
fn most_bytes(target_bytes: u64) -> usize {
    usize::try_from(target_bytes.saturating_add(target_bytes / 4)).unwrap_or(usize::MAX)
}

/// The table's columns, of which a later program may have added some.
fn columns(handle: &TableHandle) -> Result<SchemaRef, StoreError> {
    let columns: Schema = handle.state().schema().as_ref().try_into_arrow().map_err(StoreError::encoding)?;
    Ok(Arc::new(columns))
}

impl Group {
    fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    fn describe(&self) -> CompactionGroup {
        CompactionGroup { event_date: self.event_date.clone(), files: self.files.len() as u64, bytes: self.bytes() }
    }
}

impl CompactionReport {
    fn count(&mut self, group: &Group, outputs: &[StagedFile]) {
        self.files_before = self.files_before.saturating_add(group.files.len() as u64);
        self.bytes_before = self.bytes_before.saturating_add(group.bytes());
        self.files_after = self.files_after.saturating_add(outputs.len() as u64);
        self.bytes_after = self.bytes_after.saturating_add(outputs.iter().map(|file| file.bytes).sum());
        self.rows = self.rows.saturating_add(outputs.iter().map(|file| file.rows).sum());
    }

    fn leave(&mut self, group: &Group, why: WhyLeft) {
        tracing::warn!(event_date = group.event_date, %why, "small files are left as they are");
        self.left.push((group.event_date.clone(), why));
    }
}

#[cfg(test)]
mod tests;
