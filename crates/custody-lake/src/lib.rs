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
//! A lake is a folder or a prefix on S3 ([`LakeRoot`]). [`Compactor`] makes large files of small ones, [`Vacuum`] deletes what no version
//! needs, [`table_status`] tells what is there; all three work beside readers and writers.
//!
//! The program that links this crate installs rustls' provider first (`rustls::crypto::aws_lc_rs::default_provider().install_default()`):
//! two are linked, and with neither chosen the first encrypted connection panics.
//!
//! A third table, `content`, holds sealed texts. It is made when the first text is kept, is partitioned by the date from which its rows
//! are no longer kept, and is the only one whose rows may be deleted ([`forget_texts`], [`erase_texts`]).
//!
//! Columns are derived from the event's Avro schema; there is no hand-written row-to-column code. [`TableStore`] is the port: it
//! promises what Delta promises and no more. What to do about duplicates, holes and unanswered commits is the ingest service's.
//! This crate does not know what a request is, and does not read or write the log.

mod canonical;
mod columns;
mod compaction;
mod content;
mod dead_letters;
mod decode;
mod error;
mod letters;
mod location;
mod lookup;
mod reader;
mod schemas;
mod status;
mod store;
mod table;
#[cfg(test)]
mod testing;
mod vacuum;

pub use canonical::{CanonicalRowError, canonical_from_row};
pub use columns::{COLUMNS_WITH_STATISTICS, event_columns};
pub use compaction::{
    CompactionConfig, CompactionError, CompactionGroup, CompactionPlan, CompactionProgress, CompactionReport, Compactor, WhyLeft,
};
pub use content::{
    ContentRow, ContentRows, ContentScope, ForgetError, ForgottenTexts, TextCounts, TextGroup, TextState, TextUnit, content_columns,
    erase_texts, forget_texts,
};
pub use dead_letters::{DeadLetter, DeadLetterReason, DeadLetterRows, dead_letter_columns};
pub use decode::{Decoded, EventDecoder, EventRows, RowKey, decode};
pub use error::{CommitError, StoreError};
pub use letters::StoredLetter;
pub use location::{LakeRoot, LakeRootError, S3Options};
pub use reader::{LakeReader, Snapshot, has_table};
pub use status::{TableStatus, table_status};
pub use store::{ContentStore, DeadLetterStore, DeltaStore, EventStore, Staged, StagedFile, TableState, TableStore};
pub use table::{LakeRows, LakeTable, TableDefinition};
pub use vacuum::{Litter, Retention, RetentionError, UnneededFile, Vacuum, VacuumPlan, VacuumProgress, litter};
