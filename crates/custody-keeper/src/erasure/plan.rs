//! What an erasure is to do, and how far it is, as a durable document.

use custody_types::Timestamp;
use serde::{Deserialize, Serialize};

use crate::forgetting::{HeldBy, PlannedKey, RowCount, Scope};

/// The document's kind.
pub(super) const KIND: &str = "erasures";
/// The kind of its certificate.
pub(super) const CERTIFICATE_KIND: &str = "certificates";

/// Texts that were on their way when the tombstone was written arrive once more at most; more looks than this in one run are a defect
/// elsewhere.
pub const MAX_PASSES: u32 = 3;

/// An erasure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasurePlan {
    /// UUID version 7.
    pub id: String,
    /// Whose texts.
    pub scope: Scope,
    /// Why, redacted.
    pub reason: String,
    /// When it began: texts made up to this time are forgotten.
    pub made_at: Timestamp,
    /// Unit keys to destroy; once they are, those that were.
    pub keys: Vec<PlannedKey>,
    /// Unit keys of earlier looks that are destroyed.
    #[serde(default)]
    pub gone: Vec<PlannedKey>,
    /// Unit keys that holds keep.
    pub held: Vec<HeldBy>,
    /// Whether the key of the tenant's pseudonyms is to be destroyed; once it is, that it was.
    #[serde(default)]
    pub pseudonym_key: bool,
    /// Holds on the tenant that keep that key.
    #[serde(default)]
    pub pseudonym_key_held_by: Vec<String>,
    /// What was found of it, over all looks.
    pub found: Found,
    /// How often was looked.
    pub passes: u32,
    /// What became of the tenant's wrapping keys.
    #[serde(default)]
    pub wrapping_keys: Vec<String>,
    /// Whether all of them went that were there before.
    #[serde(default)]
    pub wrapping_keys_retired: bool,
    /// Ids of its two events.
    pub begun_event_id: String,
    /// The other.
    pub erased_event_id: String,
    /// The step that is next; none when all are done.
    pub next: Option<ErasureStep>,
}

/// What an erasure found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Found {
    /// Rows that go.
    pub rows: RowCount,
    /// Rows that holds keep.
    pub held_rows: RowCount,
    /// Claim checks that go.
    pub claims: u64,
    /// Parked texts that go.
    pub parked: u64,
    /// Parked texts that holds keep.
    pub held_parked: u64,
}

/// A step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErasureStep {
    /// The event that it begins.
    Announce,
    /// The tombstone.
    Forbid,
    /// Which keys, rows, claim checks and parked texts there are.
    List,
    /// Unit keys.
    DestroyUnitKeys,
    /// The key of the tenant's pseudonyms, where all of the tenant goes.
    DestroyPseudonymKey,
    /// Parked texts.
    ForgetParked,
    /// Claim checks.
    DeleteClaims,
    /// Rows.
    DeleteRows,
    /// Files that no row needs.
    Vacuum,
    /// Whether texts arrived meanwhile.
    LookAgain,
    /// The tenant's wrapping keys.
    RetireWrappingKeys,
    /// The certificate.
    Certify,
    /// The event that it is done.
    Record,
}

impl ErasureStep {
    /// In order.
    pub const ALL: [Self; 13] = [
        Self::Announce,
        Self::Forbid,
        Self::List,
        Self::DestroyUnitKeys,
        Self::DestroyPseudonymKey,
        Self::ForgetParked,
        Self::DeleteClaims,
        Self::DeleteRows,
        Self::Vacuum,
        Self::LookAgain,
        Self::RetireWrappingKeys,
        Self::Certify,
        Self::Record,
    ];

    /// The one after it.
    #[must_use]
    pub fn after(self) -> Option<Self> {
        Self::ALL.into_iter().skip_while(|step| *step != self).nth(1)
    }

    /// The place where it is done and not yet marked.
    #[must_use]
    pub const fn done_point(self) -> &'static str {
        match self {
            Self::Announce => "erasure.announced.done",
            Self::Forbid => "erasure.tombstone.done",
            Self::List => "erasure.list.done",
            Self::DestroyUnitKeys => "erasure.keys.done",
            Self::DestroyPseudonymKey => "erasure.pseudonyms.done",
            Self::ForgetParked => "erasure.parked.done",
            Self::DeleteClaims => "erasure.claims.done",
            Self::DeleteRows => "erasure.rows.done",
            Self::Vacuum => "erasure.vacuum.done",
            Self::LookAgain => "erasure.look_again.done",
            Self::RetireWrappingKeys => "erasure.wrapping_keys.done",
            Self::Certify => "erasure.certificate.done",
            Self::Record => "erasure.record.done",
        }
    }

    /// The place where it is marked as done.
    #[must_use]
    pub const fn marked_point(self) -> &'static str {
        match self {
            Self::Announce => "erasure.announced.marked",
            Self::Forbid => "erasure.tombstone.marked",
            Self::List => "erasure.list.marked",
            Self::DestroyUnitKeys => "erasure.keys.marked",
            Self::DestroyPseudonymKey => "erasure.pseudonyms.marked",
            Self::ForgetParked => "erasure.parked.marked",
            Self::DeleteClaims => "erasure.claims.marked",
            Self::DeleteRows => "erasure.rows.marked",
            Self::Vacuum => "erasure.vacuum.marked",
            Self::LookAgain => "erasure.look_again.marked",
            Self::RetireWrappingKeys => "erasure.wrapping_keys.marked",
            Self::Certify => "erasure.certificate.marked",
            Self::Record => "erasure.record.marked",
        }
    }
}

/// The plan is durable, and nothing of it done.
pub(super) const PLANNED_POINT: &str = "erasure.planned";
/// One key of several is destroyed.
pub(super) const KEY_POINT: &str = "erasure.key";

impl ErasurePlan {
    /// One that ended because texts went on arriving lists what arrived, and looks as often as after its first list.
    pub(super) fn look_on(&mut self) {
        if self.next == Some(ErasureStep::LookAgain) && self.passes >= MAX_PASSES {
            (self.next, self.passes) = (Some(ErasureStep::List), 1);
        }
    }

    /// All unit keys that are destroyed, once they are.
    pub fn all_keys(&self) -> impl Iterator<Item = &PlannedKey> {
        self.gone.iter().chain(&self.keys)
    }

    /// Every place where an erasure may end and `--resume` goes on.
    #[must_use]
    pub fn fault_points() -> Vec<&'static str> {
        let steps = ErasureStep::ALL.into_iter().flat_map(|step| [step.done_point(), step.marked_point()]);
        [PLANNED_POINT, KEY_POINT].into_iter().chain(steps).collect()
    }
}
