//! The lake: Delta tables that take decoded events exactly once, and snapshots of them for SQL.
//!
//! ```text
//! LogRecord* ── decode ──▶ EventRows ──┐                       DeadLetterRows ◀── what no decoder reads
//!                                      ▼                              ▼
//!               stage: sorted Parquet, one file a day        stage (its own table)
//!                                      ▼                              ▼
//!               commit: Add + log positions + commit id, on exactly the snapshot that was read
//!                                      ▼
//!               LakeReader::snapshot: a table provider, and the positions that are in it
//! ```
//! Columns are derived from the event's Avro schema; there is no hand-written row-to-column code. [`TableStore`] is the port: it
//! promises what Delta promises and no more. What to do about duplicates, holes and unanswered commits is the ingest service's.
//! This crate does not know what a request is, and does not read or write the log.

mod canonical;
mod columns;
mod dead_letters;
mod decode;
mod error;
mod lookup;
mod reader;
mod schemas;
mod store;
mod table;
#[cfg(test)]
mod testing;

pub use canonical::{CanonicalRowError, canonical_from_row};
pub use columns::{COLUMNS_WITH_STATISTICS, event_columns};
pub use dead_letters::{DeadLetter, DeadLetterReason, DeadLetterRows, dead_letter_columns};
pub use decode::{Decoded, EventDecoder, EventRows, RowKey, decode};
pub use error::{CommitError, StoreError};
pub use reader::{LakeReader, Snapshot};
pub use store::{DeadLetterStore, DeltaStore, EventStore, Staged, StagedFile, TableState, TableStore};
pub use table::{LakeRows, TableDefinition};
