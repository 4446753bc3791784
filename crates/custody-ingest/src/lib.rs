//! Log to lake, exactly once.
//!
//! ```text
//!  resume ──▶ seek ──▶ gather ──▶ decode ──▶ dead letters ──▶ duplicates, holes ──▶ stage ──▶ position check, commit ──▶ acknowledge
//!    ▲       fresh snapshot:                 own table,       event ids decide;               same snapshot; rows,        the log may
//!    │       position, marks                 first            holes are alarms                positions, commit id        forget
//!    └────────────────────── any failure: drop everything, believe only the table ◀──────────┘
//! ```
//!
//! Sealed texts go the same way into a table of their own, through the vault step ([`content`]).
//!
//! The table is the only memory: position and high-water marks are written in the commit that carries the rows. The loop is
//! [`Ingest`]; its two decisions are the pure types [`Resume`] and [`Fate`]; the marks are in [`sequence`], what the table keeps in
//! [`ledger`]. It knows neither Arrow nor Delta nor Kafka: rows are opaque, log and tables are ports. It does not create tables,
//! does not decide what an event means, and does not read the wall clock but through its `Clock`.

mod begin;
mod bury;
mod commit;
mod config;
pub mod content;
mod dedupe;
mod error;
mod gather;
mod ingest;
mod inspect;
pub mod ledger;
mod observe;
mod port;
mod resume;
mod retry;
pub mod sequence;
mod settle;

pub use config::IngestConfig;
pub use error::IngestError;
pub use ingest::{Ingest, IngestParts, Turn};
pub use observe::{Alarm, BatchCommitted, IngestFigures, IngestMetrics, IngestObserver};
pub use port::{Acknowledge, Decode, EventLookup, FoundLetters, KeyedRows};
pub use resume::{Anchor, Fate, Mismatch, Resume};
pub use retry::{RetriedLetters, retry_letters};

#[cfg(test)]
mod tests;
