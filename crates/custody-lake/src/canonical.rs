//! Canonical bytes from a table row: the evidence leaf must not depend on where the event is read (D6).

use arrow::record_batch::RecordBatch;

/// The row is not an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalRowError {
    /// A column that the event's schema has is missing or has another type.
    #[error("column `{0}` is not as the event's schema has it")]
    Column(String),
    /// The row has no kind.
    #[error("row names no kind of event")]
    NoKind,
}

/// The canonical bytes of one row, equal to those of the event that it was made from.
///
/// # Errors
/// When the row is not an event.
pub fn canonical_from_row(_batch: &RecordBatch, _row: usize) -> Result<Vec<u8>, CanonicalRowError> {
    Err(CanonicalRowError::NoKind)
}
