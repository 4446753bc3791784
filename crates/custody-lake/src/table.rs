//! What makes a table ours: its name, columns, sort order, statistics and blooms.

use arrow::{datatypes::SchemaRef, record_batch::RecordBatch};

use crate::{dead_letters::DeadLetterRows, decode::EventRows, error::StoreError};

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

/// One of the lake's tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LakeTable {
    /// Events.
    Events,
    /// Records that are not events.
    DeadLetters,
}

/// What a table is made of.
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

impl LakeTable {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Events, Self::DeadLetters];

    /// Its folder below the lake's root.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::DeadLetters => "dead_letters",
        }
    }

    /// What it is made of.
    #[must_use]
    pub fn definition(self) -> TableDefinition {
        match self {
            Self::Events => EventRows::definition(),
            Self::DeadLetters => DeadLetterRows::definition(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_and_its_definition_have_one_name() {
        for table in LakeTable::ALL {
            assert_eq!(table.name(), table.definition().name);
        }
    }
}
