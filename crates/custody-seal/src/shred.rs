//! What an erasure or an expiry destroys, decided before anything is touched (D5).
//!
//! | Unit is in the scope | A hold covers it | Then |
//! | --- | --- | --- |
//! | no | – | kept |
//! | yes | yes | held: named in the report, destroyed by a later run once the hold ends |
//! | yes | no | destroyed |

use custody_types::{PersonPseudonym, Purpose, TenantId};

use crate::rest::{Month, ShredUnit, UnitKeyId};

/// What must be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShredScope {
    /// Everything of a tenant.
    Tenant(TenantId),
    /// Everything of a person within a tenant.
    Person(TenantId, PersonPseudonym),
    /// What a purpose kept, from all months before one.
    Expired {
        /// The tenant.
        tenant: TenantId,
        /// Why it was kept.
        purpose: Purpose,
        /// The first month that is kept.
        before: Month,
    },
}

/// What must not be destroyed, whoever asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LegalHold {
    /// Everything of a tenant.
    Tenant(TenantId),
    /// Everything of a person within a tenant.
    Person(TenantId, PersonPseudonym),
    /// One unit, because it covers the text of a request that is on hold.
    Unit(UnitKeyId),
}

/// Each unit of the key store stands in exactly one list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShredPlan {
    /// Keys to destroy.
    pub destroy: Vec<UnitKeyId>,
    /// Keys in the scope that a hold keeps.
    pub held: Vec<UnitKeyId>,
    /// Keys outside the scope.
    pub kept: Vec<UnitKeyId>,
}

impl ShredPlan {
    /// Sorts the units of a key store.
    #[must_use]
    pub fn of<'a>(units: impl IntoIterator<Item = (UnitKeyId, &'a ShredUnit)>, scope: &ShredScope, holds: &[LegalHold]) -> Self {
        let mut plan = Self::default();
        for (key, unit) in units {
            let list = match (scope.covers(unit), holds.iter().any(|hold| hold.covers(key, unit))) {
                (false, _) => &mut plan.kept,
                (true, true) => &mut plan.held,
                (true, false) => &mut plan.destroy,
            };
            list.push(key);
        }
        plan
    }
}

impl ShredScope {
    fn covers(&self, unit: &ShredUnit) -> bool {
        match self {
            Self::Tenant(tenant) => unit.tenant == *tenant,
            Self::Person(tenant, person) => unit.tenant == *tenant && unit.person.as_ref() == Some(person),
            Self::Expired { tenant, purpose, before } => unit.tenant == *tenant && unit.purpose == *purpose && unit.month < *before,
        }
    }
}

impl LegalHold {
    fn covers(&self, key: UnitKeyId, unit: &ShredUnit) -> bool {
        match self {
            Self::Tenant(tenant) => unit.tenant == *tenant,
            Self::Person(tenant, person) => unit.tenant == *tenant && unit.person.as_ref() == Some(person),
            Self::Unit(held) => key == *held,
        }
    }
}
