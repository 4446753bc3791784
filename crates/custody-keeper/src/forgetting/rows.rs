//! Which rows of the `content` table are meant, as data: the table's own language belongs to `custody-lake`.

use std::collections::BTreeSet;

use custody_seal::rest::UnitKeyId;
use custody_types::{PersonPseudonym, Purpose, RequestId, RetentionClass, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

/// Whose texts are to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// The tenant.
    pub tenant: TenantId,
    /// One person of the tenant; all of the tenant where there is none.
    #[serde(default)]
    pub person: Option<PersonPseudonym>,
}

/// Rows to forget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowSelection {
    /// Which.
    pub which: Which,
    /// Rows that stay, whatever else is said.
    pub except: HeldRows,
}

/// Why rows are to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// Their date has come: `expires_on` is this day or earlier.
    Due {
        /// Days since 1970-01-01.
        today: i32,
    },
    /// They are of the scope, and were made up to a time or stand under a key that is gone.
    Erased {
        /// Whose.
        scope: Scope,
        /// Made at this time or before.
        made_up_to: Timestamp,
        /// Or under one of these keys.
        keys: Vec<UnitKeyId>,
    },
}

/// Rows that legal holds keep.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeldRows {
    /// All of these tenants.
    pub tenants: BTreeSet<TenantId>,
    /// All of these persons.
    pub persons: BTreeSet<(TenantId, PersonPseudonym)>,
    /// All of these requests.
    pub requests: BTreeSet<RequestId>,
}

/// How many rows, and how much text they hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RowCount {
    /// Texts.
    pub rows: u64,
    /// Their bytes before they were sealed.
    pub bytes: u64,
}

/// Texts of the table that expiry treats alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextGroup {
    /// Whose.
    pub tenant: TenantId,
    /// The person, where the texts name one.
    pub person: Option<PersonPseudonym>,
    /// Why they are kept.
    pub purpose: Purpose,
    /// How long they may be kept.
    pub retention_class: RetentionClass,
    /// Day from which they are no longer kept.
    pub expires_on: i32,
    /// The key that opens them; none where they never opened, or were forgotten before they came.
    pub key: Option<UnitKeyId>,
    /// How many.
    pub count: RowCount,
}

impl HeldRows {
    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tenants.is_empty() && self.persons.is_empty() && self.requests.is_empty()
    }

    /// Whether a text is held.
    #[must_use]
    pub fn keeps(&self, tenant: &TenantId, person: Option<&PersonPseudonym>, request: &RequestId) -> bool {
        let of_person = || person.is_some_and(|person| self.persons.contains(&(tenant.clone(), person.clone())));
        self.tenants.contains(tenant) || self.requests.contains(request) || of_person()
    }
}

impl Scope {
    /// Whether a text is of the scope.
    #[must_use]
    pub fn covers(&self, tenant: &TenantId, person: Option<&PersonPseudonym>) -> bool {
        self.tenant == *tenant && (self.person.is_none() || self.person.as_ref() == person)
    }
}

impl RowCount {
    /// Both.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self { rows: self.rows.saturating_add(other.rows), bytes: self.bytes.saturating_add(other.bytes) }
    }

    /// What is left without some.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self { rows: self.rows.saturating_sub(other.rows), bytes: self.bytes.saturating_sub(other.bytes) }
    }
}
