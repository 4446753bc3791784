//! A query under way: batches as they come, within the time and rows allowed, and how far it is.

use std::{pin::Pin, sync::Arc, time::Duration};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use datafusion::{
    execution::SendableRecordBatchStream,
    physical_plan::{ExecutionPlan, metrics::MetricValue},
};
use futures::StreamExt;
use tokio::time::Sleep;

use crate::QueryError;

/// The metric in which a Delta scan counts its files.
const FILES_METRIC: &str = "count_files_scanned";

/// A query under way. Dropping it cancels it.
pub struct QueryRun {
    schema: SchemaRef,
    stream: SendableRecordBatchStream,
    plan: Arc<dyn ExecutionPlan>,
    deadline: Pin<Box<Sleep>>,
    allowed: Duration,
    rows_left: Option<usize>,
    was_cut: bool,
    lake_version: u64,
    tail_rows: usize,
}

/// How far a query is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Rows that came out of the tables so far.
    pub rows_scanned: usize,
    /// Bytes of files read so far.
    pub bytes_scanned: usize,
    /// Files that the whole query reads.
    pub files: usize,
}

/// Asks how far a query is while another task drives it.
#[derive(Clone)]
pub struct ProgressProbe(Arc<dyn ExecutionPlan>);

/// What a run needs besides its plan.
pub(crate) struct RunLimits {
    pub deadline: Pin<Box<Sleep>>,
    pub allowed: Duration,
    pub rows: Option<usize>,
}

impl QueryRun {
    pub(crate) fn new(
        plan: Arc<dyn ExecutionPlan>,
        stream: SendableRecordBatchStream,
        limits: RunLimits,
        (lake_version, tail_rows): (u64, usize),
    ) -> Self {
        let RunLimits { deadline, allowed, rows } = limits;
        let schema = stream.schema();
        Self { schema, stream, plan, deadline, allowed, rows_left: rows, was_cut: false, lake_version, tail_rows }
    }

    /// The columns of the result.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The next rows; nothing after the last.
    ///
    /// # Errors
    /// When the time is over, the memory does not suffice, a value can't be worked with, or the lake can't be read.
    pub async fn next_batch(&mut self) -> Result<Option<RecordBatch>, QueryError> {
        if self.was_cut {
            return Ok(None);
        }
        let next = tokio::select! {
            biased;
            () = self.deadline.as_mut() => return Err(QueryError::TimedOut(self.allowed)),
            next = self.stream.next() => next,
        };
        match next {
            None => Ok(None),
            Some(Err(error)) => Err(QueryError::from_running(error)),
            Some(Ok(batch)) => Ok(Some(self.within_limit(batch))),
        }
    }

    fn within_limit(&mut self, batch: RecordBatch) -> RecordBatch {
        let Some(left) = self.rows_left else { return batch };
        self.was_cut = batch.num_rows() > left;
        let kept = batch.num_rows().min(left);
        self.rows_left = Some(left.saturating_sub(kept));
        batch.slice(0, kept)
    }

    /// Whether rows were left out because of the row limit. True or false for good only after the last batch.
    #[must_use]
    pub const fn was_cut(&self) -> bool {
        self.was_cut
    }

    /// Version of the lake that is read.
    #[must_use]
    pub const fn lake_version(&self) -> u64 {
        self.lake_version
    }

    /// Rows that are read from the log, because the lake does not have them yet.
    #[must_use]
    pub const fn tail_rows(&self) -> usize {
        self.tail_rows
    }

    /// A probe for progress.
    #[must_use]
    pub fn probe(&self) -> ProgressProbe {
        ProgressProbe(Arc::clone(&self.plan))
    }
}

impl ProgressProbe {
    /// How far the query is now.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let mut progress = Progress::default();
        add(&self.0, &mut progress);
        progress
    }
}

/// Rows are counted where they come out of a file or the tail: at the leaves.
fn add(plan: &Arc<dyn ExecutionPlan>, progress: &mut Progress) {
    if let Some(metrics) = plan.metrics() {
        let named = |name: &str| metrics.sum_by_name(name).map_or(0, |value| value.as_usize());
        progress.files += named(FILES_METRIC);
        if plan.children().is_empty() {
            progress.bytes_scanned += named("bytes_scanned");
            let rows = metrics.sum(|metric| matches!(metric.value(), MetricValue::OutputRows(_)));
            progress.rows_scanned += rows.map_or(0, |value| value.as_usize());
        }
    }
    for child in plan.children() {
        add(child, progress);
    }
}
