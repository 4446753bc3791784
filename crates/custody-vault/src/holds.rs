//! Legal holds: what must not be destroyed, whoever asks.

use custody_seal::{rest::UnitKeyId, shred::LegalHold};
use custody_types::{PersonPseudonym, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::documents::{Document, Documents};

/// Keeps the holds.
pub type Holds = Documents<Hold>;

/// A hold. It ends by being released, which stays on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// Of this format: 1.
    pub version: u32,
    /// What is held.
    pub scope: HoldScope,
    /// Why, as the one who placed it wrote.
    pub reason: String,
    /// Who placed it.
    pub placed_by: String,
    /// When, in microseconds since 1970-01-01 UTC.
    pub placed_at_micros: i64,
    /// Who released it.
    pub released_by: Option<String>,
    /// When it was released.
    pub released_at_micros: Option<i64>,
}

/// What a hold covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case", tag = "kind")]
pub enum HoldScope {
    /// Everything of a tenant.
    Tenant {
        /// The tenant.
        tenant: TenantId,
    },
    /// Everything of a person within a tenant.
    Person {
        /// The tenant.
        tenant: TenantId,
        /// The person.
        person: PersonPseudonym,
    },
    /// The texts of a request, by the units that cover them.
    Request {
        /// The tenant.
        tenant: TenantId,
        /// The request.
        request: Uuid,
        /// Ids of the unit keys, 32 hexadecimal digits each.
        units: Vec<String>,
    },
}

impl Hold {
    /// A hold that begins now.
    #[must_use]
    pub fn new(scope: HoldScope, reason: &str, placed_by: &str, now: Timestamp) -> Self {
        let (reason, placed_by) = (reason.to_owned(), placed_by.to_owned());
        Self { version: 1, scope, reason, placed_by, placed_at_micros: now.micros(), released_by: None, released_at_micros: None }
    }

    /// The same hold, released.
    #[must_use]
    pub fn released(&self, by: &str, now: Timestamp) -> Self {
        Self { released_by: Some(by.to_owned()), released_at_micros: Some(now.micros()), ..self.clone() }
    }

    /// Whether it still holds.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        self.released_at_micros.is_none()
    }

    /// What a plan of destruction must leave out; nothing once it is released.
    #[must_use]
    pub fn legal_holds(&self) -> Vec<LegalHold> {
        if !self.is_active() {
            return Vec::new();
        }
        match &self.scope {
            HoldScope::Tenant { tenant } => vec![LegalHold::Tenant(tenant.clone())],
            HoldScope::Person { tenant, person } => vec![LegalHold::Person(tenant.clone(), person.clone())],
            HoldScope::Request { tenant, units, .. } => {
                let ids: Option<Vec<UnitKeyId>> = units.iter().map(|unit| crate::unit_keys::read_id(unit)).collect();
                // A unit that can't be read holds all that it might be.
                ids.map_or_else(|| vec![LegalHold::Tenant(tenant.clone())], |ids| ids.into_iter().map(LegalHold::Unit).collect())
            }
        }
    }
}

impl Document for Hold {
    const FOLDER: &'static str = "holds";
    const VERSION: u32 = 1;

    fn version(&self) -> u32 {
        self.version
    }
}

#[cfg(test)]
mod tests;
