//! What legal holds keep: keys and rows.
//!
//! | Hold | Keys | Rows |
//! | --- | --- | --- |
//! | tenant | every key of the tenant | every row of the tenant |
//! | person | every key of the person | every row of the person |
//! | request, query | the keys under which its texts stand | the rows of the request |
//!
//! A key that a request's hold keeps covers other texts of the same person, purpose and month as well. Their rows go when they are due,
//! but a copy of them opens as long as the key is held.

use std::collections::{BTreeMap, BTreeSet};

use custody_seal::{rest::UnitKeyId, shred::LegalHold};
use custody_types::RequestId;

use super::{
    error::{ForgetError, PortError},
    key::KeptKey,
    ports::{ContentTable, VaultStore},
    rows::HeldRows,
};
use crate::hold::{Hold, HoldScope};

/// What is held now.
#[derive(Debug, Clone, Default)]
pub struct Held {
    holds: Vec<Hold>,
    by_request: BTreeMap<UnitKeyId, BTreeSet<RequestId>>,
    rows: HeldRows,
}

/// A key and the holds that keep it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HeldBy {
    /// The key's name.
    pub key: String,
    /// Ids of the holds.
    pub holds: Vec<String>,
}

impl Held {
    /// Reads the holds, and asks the table which keys the texts of held requests stand under.
    pub(crate) async fn read(vault: &dyn VaultStore, table: &dyn ContentTable) -> Result<Self, ForgetError> {
        let holds = vault.holds().await.map_err(ForgetError::at("reading the legal holds"))?;
        Self::of(holds, table).await.map_err(ForgetError::at("looking for the texts of held requests"))
    }

    async fn of(holds: Vec<Hold>, table: &dyn ContentTable) -> Result<Self, PortError> {
        let mut rows = HeldRows::default();
        for hold in &holds {
            match &hold.scope {
                HoldScope::Tenant { tenant } => drop(rows.tenants.insert(tenant.clone())),
                HoldScope::Person { tenant, person } => drop(rows.persons.insert((tenant.clone(), person.clone()))),
                HoldScope::Requests { requests } => rows.requests.extend(requests.iter().copied()),
            }
        }
        let by_request = if rows.requests.is_empty() { BTreeMap::new() } else { table.keys_of(&rows.requests).await? };
        Ok(Self { holds, by_request, rows })
    }

    /// Rows that stay.
    #[must_use]
    pub const fn rows(&self) -> &HeldRows {
        &self.rows
    }

    /// The holds in the words of a shred plan.
    pub(crate) fn as_legal_holds(&self) -> Vec<LegalHold> {
        let tenants = self.rows.tenants.iter().cloned().map(LegalHold::Tenant);
        let persons = self.rows.persons.iter().cloned().map(|(tenant, person)| LegalHold::Person(tenant, person));
        tenants.chain(persons).chain(self.by_request.keys().copied().map(LegalHold::Unit)).collect()
    }

    /// Whether a key may not be destroyed.
    #[must_use]
    pub fn keeps(&self, key: &KeptKey) -> bool {
        !self.by(key).is_empty()
    }

    /// Ids of the holds that keep a key.
    #[must_use]
    pub fn by(&self, key: &KeptKey) -> Vec<String> {
        let under_key = self.by_request.get(&key.id);
        let keeps = |hold: &&Hold| match &hold.scope {
            HoldScope::Tenant { tenant } => *tenant == key.unit.tenant,
            HoldScope::Person { tenant, person } => *tenant == key.unit.tenant && Some(person) == key.unit.person.as_ref(),
            HoldScope::Requests { requests } => under_key.is_some_and(|held| requests.iter().any(|request| held.contains(request))),
        };
        self.holds.iter().filter(keeps).map(|hold| hold.id.clone()).collect()
    }
}
