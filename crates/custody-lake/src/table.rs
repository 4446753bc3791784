//! What makes a table ours: its name, columns, sort order, statistics and blooms.

use arrow::{datatypes::SchemaRef, record_batch::RecordBatch};

use crate::error::StoreError;

/// Rows that know the table they belong to.
pub trait LakeRows: Send + Sync + 'static {
    /// The table.
    fn definition() -> TableDefinition;

    /// The rows as batches of the table's columns.
    ///
    /// # Errors
    /// When columns and rows do not fit, which would be a defect.
    fn into_batches(self) -> Result<Vec<RecordBatch>, StoreError>;
}

/// A table.
#[derive(Debug, Clone)]
pub struct TableDefinition {
    /// Its folder below the lake's root.
    pub name: &'static str,
    /// Its columns; the last is `event_date`, by which it is partitioned.
    pub columns: SchemaRef,
    /// Columns by which a file is sorted.
    pub sorted_by: &'static [&'static str],
    /// The only columns of which files and the table's log hold least and greatest values.
    pub with_statistics: &'static [&'static str],
    /// Columns with a bloom filter.
    pub with_bloom: &'static [&'static str],
}
