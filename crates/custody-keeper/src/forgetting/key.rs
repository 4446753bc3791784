//! Unit keys as plans write them down.

use custody_seal::rest::{Month, ShredUnit, UnitKeyId};
use custody_types::{PersonPseudonym, Purpose, TenantId};
use serde::{Deserialize, Serialize};

/// A unit key that the key store holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeptKey {
    /// Its name.
    pub id: UnitKeyId,
    /// What it covers.
    pub unit: ShredUnit,
}

/// The same in a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PlannedKey {
    /// Its name, 32 hex digits.
    pub key: String,
    /// Whose texts it covers.
    pub tenant: TenantId,
    /// The person, where the texts name one.
    #[serde(default)]
    pub person: Option<PersonPseudonym>,
    /// Why the texts are kept.
    pub purpose: Purpose,
    /// When they were made: months since the start of the year 0.
    pub month: i32,
}

impl From<&KeptKey> for PlannedKey {
    fn from(kept: &KeptKey) -> Self {
        let ShredUnit { tenant, person, purpose, month } = kept.unit.clone();
        Self { key: kept.id.to_string(), tenant, person, purpose, month: month.number() }
    }
}

impl PlannedKey {
    /// The key that is meant; none where the document was altered.
    #[must_use]
    pub fn kept(&self) -> Option<KeptKey> {
        let Self { tenant, person, purpose, month, .. } = self.clone();
        Some(KeptKey { id: self.key.parse().ok()?, unit: ShredUnit { tenant, person, purpose, month: Month::from_number(month) } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_from_a_document_as_it_was_written() {
        let unit = ShredUnit {
            tenant: "acme".parse().unwrap(),
            person: Some("p-1".parse().unwrap()),
            purpose: "quality".parse().unwrap(),
            month: Month::from_number(24_322),
        };
        let kept = KeptKey { id: UnitKeyId::from_bytes([0xab; 16]), unit };
        let planned = PlannedKey::from(&kept);
        assert_eq!(planned.key, "ab".repeat(16));
        assert_eq!(planned.kept(), Some(kept));
        assert_eq!(PlannedKey { key: "zz".repeat(16), ..planned }.kept(), None);
    }
}
