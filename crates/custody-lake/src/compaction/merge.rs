//! Merges sorted files into sorted files, and checks that these hold exactly what those held.
//!
//! ```text
//! files in memory, compressed ─▶ one batch of each, decoded ─▶ the least row of all, again and again ─▶ files in memory, compressed
//!          │                                                                                                     │
//!          └────────────▶ content ◀──────────────────────── must be equal ───────────────────────▶ content ◀─────┘ (read back)
//! ```
//! Memory: the compressed inputs (a plan bounds them), as much for the outputs, [`ROWS_IN_MEMORY`] decoded rows, and the encoder's row
//! group. It runs on a thread for blocking work.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc};

use arrow::{
    array::RecordBatch,
    compute::interleave_record_batch,
    datatypes::SchemaRef,
    row::{OwnedRow, RowConverter, SortField},
};
use bytes::Bytes;
use tokio::sync::watch;

use super::{
    content::{Content, ContentMeter},
    run::{Run, Step},
};
use crate::{
    error::StoreError,
    store::parquet_file::{EncodedFile, FileWriter},
    table::{LakeTable, TableDefinition},
};

/// Decoded rows of all inputs together; beside them, one batch of output is under way.
pub(super) const ROWS_IN_MEMORY: usize = 262_144;

/// Rows of an input's batch: fewer would cost more for each than they hold, more are no faster.
#[cfg(not(test))]
const INPUT_ROWS: std::ops::RangeInclusive<usize> = 64..=8192;
#[cfg(not(test))]
const OUTPUT_ROWS: usize = 8192;

/// Small, so that tests go from batch to batch.
#[cfg(test)]
const INPUT_ROWS: std::ops::RangeInclusive<usize> = 5..=7;
#[cfg(test)]
const OUTPUT_ROWS: usize = 16;

/// What is merged, and into what.
pub(super) struct Work {
    pub(super) table: LakeTable,
    /// The table's columns as they are now, without the partition.
    pub(super) columns: SchemaRef,
    pub(super) event_date: String,
    /// An output is closed when it is larger than this.
    pub(super) most_bytes: usize,
}

/// Why there is no merged file.
#[derive(Debug)]
pub(super) enum MergeError {
    /// It was asked to stop.
    Stopped,
    /// This input is not in the table's order: another program wrote it.
    NotSorted(String),
    /// An input can't be read as rows of the table, or these can't be written.
    Unreadable(StoreError),
    /// The outputs do not hold what the inputs hold: a defect.
    ContentChanged,
}

/// Merges files, given by name and bytes.
pub(super) fn merge(work: &Work, inputs: Vec<(String, Bytes)>, stop: &watch::Receiver<bool>) -> Result<Vec<EncodedFile>, MergeError> {
    let mut merger = Merger::open(work, inputs).map_err(MergeError::Unreadable)?;
    merger.run(stop)?;
    let (files, content_before) = merger.finish().map_err(MergeError::Unreadable)?;
    checked(work, files, content_before)
}

/// The files, if they hold what they should.
pub(super) fn checked(work: &Work, files: Vec<EncodedFile>, before: Content) -> Result<Vec<EncodedFile>, MergeError> {
    let after = content_of(work, &files).map_err(MergeError::Unreadable)?;
    if after == before { Ok(files) } else { Err(MergeError::ContentChanged) }
}

/// What encoded files hold, read back from their bytes.
fn content_of(work: &Work, files: &[EncodedFile]) -> Result<Content, StoreError> {
    let mut meter = ContentMeter::new(work.table, &work.columns)?;
    for file in files {
        let run = Run::open(String::new(), Bytes::copy_from_slice(&file.bytes), OUTPUT_ROWS)?;
        for rows in run.batches(&work.columns) {
            meter.add(&rows?)?;
        }
    }
    Ok(meter.content())
}

struct Merger<'w> {
    work: &'w Work,
    definition: TableDefinition,
    rows: usize,
    keys: Keys,
    meter: ContentMeter,
    runs: Vec<Run>,
    /// The next row of each run that has one.
    next: BinaryHeap<Reverse<(OwnedRow, usize)>>,
    picked: Picked,
    output: Option<FileWriter>,
    files: Vec<EncodedFile>,
}

/// How rows compare.
pub(super) struct Keys {
    columns: Vec<usize>,
    converter: RowConverter,
}

/// Rows of the next output batch: which batch, which row of it.
#[derive(Default)]
struct Picked {
    batches: Vec<RecordBatch>,
    places: Vec<(usize, usize)>,
}

impl Keys {
    fn new(definition: &TableDefinition, columns: &SchemaRef) -> Result<Self, StoreError> {
        let places: Vec<usize> = definition.sorted_by.iter().filter_map(|name| columns.index_of(name).ok()).collect();
        let fields = places.iter().map(|place| SortField::new(columns.field(*place).data_type().clone())).collect();
        Ok(Self { columns: places, converter: RowConverter::new(fields).map_err(StoreError::encoding)? })
    }

    pub(super) fn of(&self, rows: &RecordBatch) -> Result<arrow::row::Rows, StoreError> {
        let sorted_by = rows.project(&self.columns).map_err(StoreError::encoding)?;
        self.converter.convert_columns(sorted_by.columns()).map_err(StoreError::encoding)
    }
}

impl<'w> Merger<'w> {
    fn open(work: &'w Work, inputs: Vec<(String, Bytes)>) -> Result<Self, StoreError> {
        let definition = work.table.definition();
        let keys = Keys::new(&definition, &work.columns)?;
        let batch_rows = (ROWS_IN_MEMORY / inputs.len().max(1)).clamp(*INPUT_ROWS.start(), *INPUT_ROWS.end());
        let runs = inputs.into_iter().map(|(name, bytes)| Run::open(name, bytes, batch_rows)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            rows: runs.iter().map(Run::rows).sum(),
            meter: ContentMeter::new(work.table, &work.columns)?,
            work,
            definition,
            keys,
            runs,
            next: BinaryHeap::new(),
            picked: Picked::default(),
            output: None,
            files: Vec::new(),
        })
    }

    fn run(&mut self, stop: &watch::Receiver<bool>) -> Result<(), MergeError> {
        for run in 0..self.runs.len() {
            self.advance(run)?;
        }
        while let Some(Reverse((_, run))) = self.next.pop() {
            self.picked.places.extend(self.runs.get(run).map(Run::place));
            self.advance(run)?;
            if self.picked.places.len() >= OUTPUT_ROWS {
                if *stop.borrow() {
                    return Err(MergeError::Stopped);
                }
                self.flush().map_err(MergeError::Unreadable)?;
            }
        }
        self.flush().map_err(MergeError::Unreadable)
    }

    /// Goes to a run's next row, if it has one.
    fn advance(&mut self, place: usize) -> Result<(), MergeError> {
        let Some(run) = self.runs.get_mut(place) else { return Ok(()) };
        match run.step(&self.work.columns, &self.keys).map_err(MergeError::Unreadable)? {
            Step::Row(key) => self.next.push(Reverse((key, place))),
            Step::NewBatch(key, rows) => {
                self.meter.add(&rows).map_err(MergeError::Unreadable)?;
                run.stands_at(self.picked.batches.len());
                self.picked.batches.push(rows);
                self.next.push(Reverse((key, place)));
            }
            Step::End => {}
            Step::OutOfOrder => return Err(MergeError::NotSorted(run.name().to_owned())),
        }
        Ok(())
    }

    /// Writes what was picked, and keeps of each run only the batch that it stands in.
    fn flush(&mut self) -> Result<(), StoreError> {
        if self.picked.places.is_empty() {
            return Ok(());
        }
        let batches: Vec<&RecordBatch> = self.picked.batches.iter().collect();
        let rows = interleave_record_batch(&batches, &self.picked.places).map_err(StoreError::encoding)?;
        self.picked = Picked::default();
        for run in &mut self.runs {
            if let Some(batch) = run.batch() {
                run.stands_at(self.picked.batches.len());
                self.picked.batches.push(batch);
            }
        }
        self.write(&rows)
    }

    fn write(&mut self, rows: &RecordBatch) -> Result<(), StoreError> {
        let mut output = match self.output.take() {
            Some(output) => output,
            None => FileWriter::new(&self.definition, &self.work.columns, self.work.event_date.clone(), self.rows)?,
        };
        output.write(rows)?;
        if output.bytes() < self.work.most_bytes {
            self.output = Some(output);
        } else {
            self.files.push(output.finish()?);
        }
        Ok(())
    }

    /// The outputs, and what the inputs held.
    fn finish(mut self) -> Result<(Vec<EncodedFile>, Content), StoreError> {
        if let Some(last) = self.output.take() {
            self.files.push(last.finish()?);
        }
        Ok((self.files, self.meter.content()))
    }
}

/// The table's columns without the partition, which stands in paths and not in files.
pub(super) fn file_columns(table: &SchemaRef, partition: &str) -> SchemaRef {
    let kept: Vec<_> = table.fields().iter().filter(|field| field.name() != partition).cloned().collect();
    Arc::new(arrow::datatypes::Schema::new(kept))
}
