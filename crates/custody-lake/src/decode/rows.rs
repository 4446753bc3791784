//! Rows of the `events` table, and their keys.

use arrow::{
    array::BooleanArray,
    compute::{concat_batches, filter_record_batch},
    error::ArrowError,
    record_batch::RecordBatch,
};
use custody_types::{LogPosition, Seq, Source};

use crate::{
    columns,
    error::StoreError,
    table::{LakeRows, TableDefinition},
};

/// Rows of the `events` table, in log order. Invariant: one key for each row of the batches, in their order.
#[derive(Debug, Clone, Default)]
pub struct EventRows {
    batches: Vec<RecordBatch>,
    keys: Vec<RowKey>,
    /// Rows and keys no longer fit: such rows are never written.
    defect: Option<String>,
}

/// What tells a row apart in its log and among events.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowKey {
    /// Where it stands in its partition.
    pub position: LogPosition,
    /// Who wrote it.
    pub source: Source,
    /// Its place within the source.
    pub seq: Seq,
    /// The event's own id.
    pub event_id: String,
}

impl EventRows {
    pub(super) fn push(&mut self, batch: RecordBatch, keys: Vec<RowKey>) {
        self.batches.push(batch);
        self.keys.extend(keys);
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Their keys, in row order.
    #[must_use]
    pub fn keys(&self) -> Vec<RowKey> {
        self.keys.clone()
    }

    /// The rows, as batches of [`crate::event_columns`].
    #[must_use]
    pub fn batches(&self) -> &[RecordBatch] {
        &self.batches
    }

    /// Bytes that the rows take in memory.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.batches.iter().map(RecordBatch::get_array_memory_size).sum()
    }

    /// Adds rows to the end.
    pub fn append(&mut self, more: Self) {
        self.batches.extend(more.batches);
        self.keys.extend(more.keys);
        self.defect = self.defect.take().or(more.defect);
    }

    /// Makes one batch of many, which takes less memory: a batch of a few rows has room for many in each of its columns.
    pub fn consolidate(&mut self) {
        match concat_batches(&columns::event_columns(), &self.batches) {
            Ok(batch) => self.batches = vec![batch],
            Err(error) => self.defect = Some(error.to_string()),
        }
    }

    /// Keeps the rows whose key passes.
    pub fn retain(&mut self, keep: impl Fn(&RowKey) -> bool) {
        let kept: Vec<bool> = self.keys.iter().map(keep).collect();
        if kept.iter().all(|keep| *keep) {
            return;
        }
        match sift(&self.batches, &kept) {
            Ok(batches) => self.batches = batches,
            Err(error) => self.defect = Some(error.to_string()),
        }
        let mut of_keys = kept.into_iter();
        self.keys.retain(|_| of_keys.next().unwrap_or(true));
    }
}

fn sift(batches: &[RecordBatch], kept: &[bool]) -> Result<Vec<RecordBatch>, ArrowError> {
    let mut of_rows = kept.iter().copied();
    let mut sifted = Vec::with_capacity(batches.len());
    for batch in batches {
        let mask = BooleanArray::from(of_rows.by_ref().take(batch.num_rows()).collect::<Vec<bool>>());
        sifted.push(filter_record_batch(batch, &mask)?);
    }
    sifted.retain(|batch| batch.num_rows() > 0);
    Ok(sifted)
}

impl LakeRows for EventRows {
    fn definition() -> TableDefinition {
        columns::events_table()
    }

    fn into_batches(self) -> Result<Vec<RecordBatch>, StoreError> {
        match self.defect {
            None => Ok(self.batches),
            Some(defect) => Err(StoreError::encoding(defect)),
        }
    }
}
