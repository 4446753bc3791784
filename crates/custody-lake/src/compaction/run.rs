//! One input of a merge: a file's rows, batch by batch, in the table's order.

use arrow::{
    array::RecordBatch,
    datatypes::SchemaRef,
    row::{OwnedRow, Rows},
};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::{adapt::adapt, merge::Keys};
use crate::error::StoreError;

/// A file that is being read. Invariant: while it has a batch, `row` is a row of it.
pub(super) struct Run {
    name: String,
    rows: usize,
    reader: ParquetRecordBatchReader,
    current: Option<Current>,
    last: Option<OwnedRow>,
}

struct Current {
    batch: RecordBatch,
    keys: Rows,
    row: usize,
    /// Where the merge keeps the batch.
    slot: usize,
}

/// What came of going to the next row.
pub(super) enum Step {
    /// It is in the same batch.
    Row(OwnedRow),
    /// It is the first of the next batch.
    NewBatch(OwnedRow, RecordBatch),
    /// There is none.
    End,
    /// It stands before the row that it follows.
    OutOfOrder,
}

impl Run {
    pub(super) fn open(name: String, bytes: Bytes, batch_rows: usize) -> Result<Self, StoreError> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(StoreError::encoding)?;
        let rows = usize::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or_default();
        let reader = builder.with_batch_size(batch_rows).build().map_err(StoreError::encoding)?;
        Ok(Self { name, rows, reader, current: None, last: None })
    }

    /// All rows as batches of these columns, in no order that anyone checks.
    pub(super) fn batches(self, columns: &SchemaRef) -> impl Iterator<Item = Result<RecordBatch, StoreError>> {
        self.reader.map(move |rows| rows.and_then(|rows| adapt(&rows, columns)).map_err(StoreError::encoding))
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) const fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn batch(&self) -> Option<RecordBatch> {
        self.current.as_ref().map(|current| current.batch.clone())
    }

    /// The row that it stands at, for the merge.
    pub(super) fn place(&self) -> (usize, usize) {
        self.current.as_ref().map(|current| (current.slot, current.row)).unwrap_or_default()
    }

    pub(super) fn stands_at(&mut self, slot: usize) {
        if let Some(current) = &mut self.current {
            current.slot = slot;
        }
    }

    pub(super) fn step(&mut self, columns: &SchemaRef, keys: &Keys) -> Result<Step, StoreError> {
        if let Some(current) = &mut self.current {
            current.row = current.row.saturating_add(1);
            if current.row < current.batch.num_rows() {
                let key = current.keys.row(current.row).owned();
                return Ok(self.in_order(key).map_or(Step::OutOfOrder, Step::Row));
            }
        }
        let Some(batch) = self.next_batch(columns)? else {
            self.current = None;
            return Ok(Step::End);
        };
        let keys = keys.of(&batch)?;
        let key = keys.row(0).owned();
        self.current = Some(Current { batch: batch.clone(), keys, row: 0, slot: 0 });
        Ok(self.in_order(key).map_or(Step::OutOfOrder, |key| Step::NewBatch(key, batch)))
    }

    /// A batch with rows.
    fn next_batch(&mut self, columns: &SchemaRef) -> Result<Option<RecordBatch>, StoreError> {
        for rows in self.reader.by_ref() {
            let rows = rows.and_then(|rows| adapt(&rows, columns)).map_err(StoreError::encoding)?;
            if rows.num_rows() > 0 {
                return Ok(Some(rows));
            }
        }
        Ok(None)
    }

    fn in_order(&mut self, key: OwnedRow) -> Option<OwnedRow> {
        if self.last.as_ref().is_some_and(|last| *last > key) {
            return None;
        }
        self.last = Some(key.clone());
        Some(key)
    }
}
