//! The lake's upkeep in the background: compaction, then vacuum, by the instance that holds the first partition. Two at once would
//! only waste work: each is safe beside the other.

use std::sync::Arc;

use anyhow::Result;
use custody_gateway::{SystemClock, SystemIds};
use custody_lake::{CompactionConfig, Compactor, LakeRoot, LakeTable, Retention, Vacuum, has_table};
use custody_log::kafka::Assignment;
use tokio::sync::watch;

use crate::deployment::{Deployment, MaintenanceJob};

/// Whoever is given it looks after the lake.
const FIRST_PARTITION: i32 = 0;

/// The job of one instance.
pub struct Upkeep {
    lake: LakeRoot,
    job: Option<MaintenanceJob>,
    assignment: watch::Receiver<Assignment>,
}

impl Upkeep {
    pub fn new(deployment: &Deployment, assignment: watch::Receiver<Assignment>) -> Self {
        Self { lake: deployment.lake.clone(), job: deployment.ingest.maintenance, assignment }
    }

    /// Works now and then, until told to stop. Its failures are logged and tried again the next time: no row depends on it.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let Some(job) = self.job else { return };
        while tokio::time::timeout(job.every, stop.wait_for(|stop| *stop)).await.is_err() {
            if !self.assignment.borrow().partitions.contains(&FIRST_PARTITION) {
                continue;
            }
            for table in LakeTable::ALL {
                if let Err(error) = self.look_after(table, job, &stop).await {
                    tracing::warn!(error = format!("{error:#}"), table = table.name(), "the lake's upkeep failed and is tried again later");
                }
            }
        }
    }

    async fn look_after(&self, table: LakeTable, job: MaintenanceJob, stop: &watch::Receiver<bool>) -> Result<()> {
        if table == LakeTable::Content && !has_table(&self.lake, table).await? {
            return Ok(());
        }
        let (clock, ids) = (Arc::new(SystemClock::new()), Arc::new(SystemIds));
        let compactor = Compactor::open(&self.lake, table, CompactionConfig::default(), Arc::clone(&clock) as _, ids).await?;
        let compacted = compactor.run(|_| {}, stop).await?;
        let vacuum = Vacuum::open(&self.lake, table, Retention::new(job.keep_removed)?, clock).await?;
        let vacuumed = vacuum.run(|_| {}, stop).await?;
        tracing::info!(
            table = table.name(),
            files_before = compacted.files_before,
            files_after = compacted.files_after,
            files_deleted = vacuumed.files_deleted,
            "the lake was looked after"
        );
        Ok(())
    }
}
