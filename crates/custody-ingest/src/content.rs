//! The vault step: sealed texts from their log into the lake's `content` table, opened, redacted and sealed again on the way (D4, D5).
//!
//! ```text
//!  record ─▶ forgotten, expired, and not on hold? ─▶ bytes ─▶ open ─▶ as its event says? ─▶ unit key, pseudonyms' ─▶ redact, seal ─▶ claims ─▶ row
//!               │ facts only                         │ claim gone   │ no key, not authentic   │
//!               ▼                                    ▼              ▼                         ▼ vault away: wait, then
//!            forgotten                            unopened       unopened                   parked: as it came, beside the log; a row later
//! ```
//! It is a [`TableStore`](custody_lake::TableStore) around the table: the loop that moves events moves texts, with the same promises.
//! What the vault can't do now waits in the vault; what a text itself is decides its row. Keys that sealed, and
//! tombstones, are looked at once more right before each commit, so that no row is made of a text that an erasure forgot meanwhile.
//!
//! Opened text is in memory only, a few megabytes at a time, in buffers that are wiped. [`fault_point`](custody_types::fault_point)
//! marks each place between two durable steps: `content.stage`, `content.claims_put`, `content.parked`, `content.committed`,
//! `content.unparked`.

mod decoder;
mod keys;
mod metrics;
mod opener;
mod outcome;
mod parked_batch;
mod parking;
mod redaction;
mod sealing;
mod step;
mod store;
mod texts;
mod unpark;
mod upkeep;

pub use decoder::ContentDecoder;
pub use metrics::{ContentFigures, ContentMetrics};
pub use parked_batch::{ParkedBatch, ParkedBatchError};
pub use redaction::{RedactionRules, RedactionRulesError};
pub use step::{VaultParts, VaultStep, VaultStepConfig};
pub use store::{VaultedContentStore, VaultedStaged};
pub use texts::{SealedText, SealedTexts};
pub use unpark::{Unparked, unpark};
pub use upkeep::{Backlog, ContentUpkeep, KeyWitness, UpkeepConfig};

#[cfg(test)]
mod tests;
