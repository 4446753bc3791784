//! Retention: what is kept is kept until its date, and then forgotten with proof (D5, LOG-21).
//!
//! ```text
//! due? ──▶ plan ──▶ unit keys whose last text is due ──▶ rows that are due ──▶ their claim checks ──▶ vacuum ──▶ `retention.expired`
//!          durable
//! ```
//! | What | Goes |
//! | --- | --- |
//! | row of a text | on its `expires_on` |
//! | key of its unit | when no text under it is kept any more, nothing parked may be of its month, and that is so long past that none comes: month end + retention of the content stream + 1 day |
//!
//! Edge keys are ingest's to destroy, which knows how far the content stream is read.
//! A hold keeps rows and keys; they go with the first run after its release.

mod due;
mod needed;
mod plan;
mod report;
mod run;

pub use self::{
    due::{StreamRetention, key_goes_on},
    plan::{RetentionCounts, RetentionPlan, RetentionStep},
    report::{ClassLine, EdgeLine, KeyLine, RetentionReport},
    run::{Retention, RetentionParts},
};

#[cfg(test)]
mod tests;
