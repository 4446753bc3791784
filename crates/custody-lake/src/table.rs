//! What makes a table ours: its name, columns, sort order, statistics and blooms.

use arrow::{datatypes::SchemaRef, record_batch::RecordBatch};

use crate::{content::ContentRows, dead_letters::DeadLetterRows, decode::EventRows, error::StoreError};

/// What evidence is partitioned by: the UTC day of an event.
pub(crate) const EVENT_DATE: &str = "event_date";

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
    /// Sealed texts; made when the first is kept.
    Content,
}

/// What a table is made of.
#[derive(Debug, Clone)]
pub struct TableDefinition {
    /// Its folder below the lake's root.
    pub name: &'static str,
    /// The column of dates by which it is partitioned; it stands in paths and in the table's log, not in files.
    pub partitioned_by: &'static str,
    /// Whether rows may be deleted. Of evidence, none may.
    pub may_forget: bool,
    /// Its columns.
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
    pub const ALL: [Self; 3] = [Self::Events, Self::DeadLetters, Self::Content];

    /// Its folder below the lake's root.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::DeadLetters => "dead_letters",
            Self::Content => "content",
        }
    }

    /// What it is made of.
    #[must_use]
    pub fn definition(self) -> TableDefinition {
        match self {
            Self::Events => EventRows::definition(),
            Self::DeadLetters => DeadLetterRows::definition(),
            Self::Content => ContentRows::definition(),
        }
    }

    /// Whether small files of it are merged. Texts are not: merging would copy into new files what an erasure is taking out of the old
    /// ones, and whole files of texts are dropped when they expire.
    #[must_use]
    pub const fn is_compacted(self) -> bool {
        match self {
            Self::Events | Self::DeadLetters => true,
            Self::Content => false,
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
