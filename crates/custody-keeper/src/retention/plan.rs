//! What a run of expiry is to do, as a durable document.

use custody_types::Timestamp;
use serde::{Deserialize, Serialize};

use crate::forgetting::{HeldBy, PlannedKey, RowCount};

/// The document's kind; the run under way, or the last one, stands under [`CURRENT`] and each finished one under its id.
pub(super) const KIND: &str = "retention";
pub(super) const CURRENT: &str = "current";

/// A run of expiry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionPlan {
    /// UUID version 7.
    pub id: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// The day that decides what is due: days since 1970-01-01.
    pub today: i32,
    /// Unit keys to destroy; once they are, those that were.
    pub keys: Vec<PlannedKey>,
    /// Unit keys that would go but for a hold.
    pub held: Vec<HeldBy>,
    /// Claim checks to delete.
    pub claims: Vec<String>,
    /// What was counted when the plan was made.
    pub counts: RetentionCounts,
    /// Id of the event that will say so.
    pub event_id: String,
    /// The step that is next; none when all are done.
    pub next: Option<RetentionStep>,
}

/// What a plan covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RetentionCounts {
    /// Rows that are due.
    pub due: RowCount,
    /// Rows that would be due but for a hold.
    pub held: RowCount,
}

/// A step; what comes after it is decided here alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetentionStep {
    /// Unit keys whose last text is due.
    DestroyUnitKeys,
    /// Rows that are due.
    DeleteRows,
    /// Claim checks that are due.
    DeleteClaims,
    /// Files that no row needs.
    Vacuum,
    /// The event.
    Record,
}

impl RetentionStep {
    /// In order.
    pub const ALL: [Self; 5] = [Self::DestroyUnitKeys, Self::DeleteRows, Self::DeleteClaims, Self::Vacuum, Self::Record];

    /// The one after it.
    #[must_use]
    pub fn after(self) -> Option<Self> {
        Self::ALL.into_iter().skip_while(|step| *step != self).nth(1)
    }

    /// The place where it is done and not yet marked.
    #[must_use]
    pub const fn done_point(self) -> &'static str {
        match self {
            Self::DestroyUnitKeys => "retention.keys.done",
            Self::DeleteRows => "retention.rows.done",
            Self::DeleteClaims => "retention.claims.done",
            Self::Vacuum => "retention.vacuum.done",
            Self::Record => "retention.record.done",
        }
    }

    /// The place where it is marked as done.
    #[must_use]
    pub const fn marked_point(self) -> &'static str {
        match self {
            Self::DestroyUnitKeys => "retention.keys.marked",
            Self::DeleteRows => "retention.rows.marked",
            Self::DeleteClaims => "retention.claims.marked",
            Self::Vacuum => "retention.vacuum.marked",
            Self::Record => "retention.record.marked",
        }
    }
}

/// The plan is durable, and nothing of it done.
pub(super) const PLANNED_POINT: &str = "retention.planned";
/// One key of several is destroyed.
pub(super) const KEY_POINT: &str = "retention.key";

impl RetentionPlan {
    /// Whether a step is left.
    pub(super) const fn is_unfinished(&self) -> bool {
        self.next.is_some()
    }

    /// Whether there is anything to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.claims.is_empty() && self.counts.due.rows == 0
    }

    /// Every place where a run may end and the next goes on.
    #[must_use]
    pub fn fault_points() -> Vec<&'static str> {
        let steps = RetentionStep::ALL.into_iter().flat_map(|step| [step.done_point(), step.marked_point()]);
        [PLANNED_POINT, KEY_POINT].into_iter().chain(steps).collect()
    }
}
