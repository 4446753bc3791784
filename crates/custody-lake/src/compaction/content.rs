//! What a set of files holds, as one number that does not depend on the order of rows or on their division into files.
//!
//! ```text
//! row     = SHA-256( length ‖ every column, in Arrow's row encoding ‖ canonical bytes of the event ), its first 128 bits
//! content = ( number of rows, sum of the rows modulo 2^128 )
//! ```
//! All columns are in it, those of the log (partition, position, source, seq) and those of a later program's too. The canonical bytes
//! are what evidence is made of (DESIGN D6), computed by other code than the encoding. The sum is enough because it guards against our
//! own mistakes: a lost, doubled or altered row escapes it by chance once in 2^128. It is no defence against someone who chooses
//! rows to make sums meet; that is what the Merkle trees over the same canonical bytes are for.

use arrow::{
    array::RecordBatch,
    datatypes::SchemaRef,
    row::{RowConverter, SortField},
};
use sha2::{Digest, Sha256};

use crate::{canonical::canonical_from_row, error::StoreError, table::LakeTable};

/// Of some rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Content {
    rows: u64,
    sum: u128,
}

/// Sums up rows of one table.
pub(super) struct ContentMeter {
    table: LakeTable,
    converter: RowConverter,
    content: Content,
}

impl ContentMeter {
    pub(super) fn new(table: LakeTable, columns: &SchemaRef) -> Result<Self, StoreError> {
        let fields = columns.fields().iter().map(|field| SortField::new(field.data_type().clone())).collect();
        let converter = RowConverter::new(fields).map_err(StoreError::encoding)?;
        Ok(Self { table, converter, content: Content::default() })
    }

    /// Adds rows of the columns that the meter was made for.
    pub(super) fn add(&mut self, rows: &RecordBatch) -> Result<(), StoreError> {
        let encoded = self.converter.convert_columns(rows.columns()).map_err(StoreError::encoding)?;
        for (place, columns) in encoded.iter().enumerate() {
            let columns: &[u8] = columns.as_ref();
            let mut hasher = Sha256::new();
            hasher.update((columns.len() as u64).to_le_bytes());
            hasher.update(columns);
            hasher.update(self.canonical(rows, place)?);
            let digest: [u8; 32] = hasher.finalize().into();
            self.content.rows = self.content.rows.saturating_add(1);
            self.content.sum = self.content.sum.wrapping_add(first_half(&digest));
        }
        Ok(())
    }

    pub(super) const fn content(&self) -> Content {
        self.content
    }

    fn canonical(&self, rows: &RecordBatch, place: usize) -> Result<Vec<u8>, StoreError> {
        match self.table {
            LakeTable::Events => canonical_from_row(rows, place).map_err(StoreError::encoding),
            LakeTable::DeadLetters | LakeTable::Content => Ok(Vec::new()),
        }
    }
}

fn first_half(digest: &[u8; 32]) -> u128 {
    digest.first_chunk().map_or(0, |half| u128::from_le_bytes(*half))
}
