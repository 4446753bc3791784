//! SQL over the evidence: every event that a lake snapshot holds, and every event that the log holds after that very snapshot.
//!
//! ```text
//!   SqlSession::query ──▶ LiveLake::cut ──▶ snapshot of the lake, version v, which records "stored up to position P"
//!                              │                │
//!                              │                └─▶ Follower::tail_from(P): the log's rows from P to its durable end
//!                              ▼
//!                       `events` = snapshot ∪ tail, one view a kind ──▶ QueryRun: batches, limits, progress
//! ```
//! Answers questions and changes nothing: a statement that would write, configure or define is refused before it is planned.
//! Does not know where the lake lies (`custody-lake`), how the log is kept (`custody-log`), or who asks.

mod catalog;
mod conform;
mod cut;
mod describe;
mod error;
mod folder;
mod lake_source;
mod live_table;
mod memory;
pub mod output;
mod parameters;
mod pico_usd;
mod read_only;
mod request_bound;
mod run;
mod script;
mod session;
mod tail;
mod views;
mod widened;

#[cfg(test)]
mod attribution_tests;
#[cfg(test)]
mod data_handling_tests;
#[cfg(test)]
mod delta_tests;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod older_lake_tests;
#[cfg(test)]
mod test_lake;

pub use custody_types::Fault;
pub use cut::{Cut, LakeSnapshot, LiveLake, SnapshotSource};
pub use describe::Column;
pub use error::QueryError;
pub use folder::open_folder;
pub use lake_source::LakeTables;
pub use parameters::Parameters;
pub use run::{Progress, ProgressProbe, QueryRun};
pub use script::{Script, ScriptReader};
pub use session::{QueryConfig, QueryEngine, QueryOptions, SqlSession};
pub use tail::{Follower, FollowerConfig, TailBudget};
pub use views::{VIEWS, View};

/// The schema type of results.
pub use arrow::datatypes::SchemaRef;
/// The batch type that results come in; re-exported so that callers need no arrow of their own.
pub use arrow::record_batch::RecordBatch;
