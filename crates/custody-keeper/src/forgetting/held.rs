//! What legal holds keep: keys and rows.
//!
//! | Hold | Keys | Rows |
//! | --- | --- | --- |
//! | tenant | every key of the tenant, that of its pseudonyms too | every row of the tenant |
//! | person | every key of the person | every row of the person |
//! | request, query | the keys under which its texts stand | the rows of the request |
//!
//! A key that a request's hold keeps covers other texts of the same person, purpose and month as well. Their rows go when they are due,
//! but a copy of them opens as long as the key is held.

use std::collections::BTreeSet;

use custody_seal::{rest::UnitKeyId, shred::LegalHold};
use custody_types::TenantId;

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
    /// The keys that each of them keeps for the texts of its requests.
    keys: Vec<BTreeSet<UnitKeyId>>,
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
        Self::default().read_again(vault, table).await
    }

    /// Reads the holds again. The table is asked where they changed.
    pub(crate) async fn read_again(self, vault: &dyn VaultStore, table: &dyn ContentTable) -> Result<Self, ForgetError> {
        let holds = vault.holds().await.map_err(ForgetError::at("reading the legal holds"))?;
        if holds == self.holds {
            return Ok(self);
        }
        Self::of(holds, table).await.map_err(ForgetError::at("looking for the texts of held requests"))
    }

    async fn of(holds: Vec<Hold>, table: &dyn ContentTable) -> Result<Self, PortError> {
        let (mut rows, mut keys) = (HeldRows::default(), Vec::with_capacity(holds.len()));
        for hold in &holds {
            let mut of_requests = BTreeSet::new();
            match &hold.scope {
                HoldScope::Tenant { tenant } => drop(rows.tenants.insert(tenant.clone())),
                HoldScope::Person { tenant, person } => drop(rows.persons.insert((tenant.clone(), person.clone()))),
                HoldScope::Requests { requests } => {
                    rows.requests.extend(requests.iter().copied());
                    of_requests = table.keys_of(requests).await?;
                }
            }
            keys.push(of_requests);
        }
        Ok(Self { holds, keys, rows })
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
        tenants.chain(persons).chain(self.keys.iter().flatten().copied().map(LegalHold::Unit)).collect()
    }

    /// Whether a key may not be destroyed.
    #[must_use]
    pub fn keeps(&self, key: &KeptKey) -> bool {
        !self.by(key).is_empty()
    }

    /// Ids of the holds that keep all of a tenant.
    #[must_use]
    pub fn by_tenant(&self, tenant: &TenantId) -> Vec<String> {
        let keeps = |hold: &&Hold| matches!(&hold.scope, HoldScope::Tenant { tenant: held } if held == tenant);
        self.holds.iter().filter(keeps).map(|hold| hold.id.clone()).collect()
    }

    /// Ids of the holds that keep a key.
    #[must_use]
    pub fn by(&self, key: &KeptKey) -> Vec<String> {
        let keeps = |(hold, keys): &(&Hold, &BTreeSet<UnitKeyId>)| match &hold.scope {
            HoldScope::Tenant { tenant } => *tenant == key.unit.tenant,
            HoldScope::Person { tenant, person } => *tenant == key.unit.tenant && Some(person) == key.unit.person.as_ref(),
            HoldScope::Requests { .. } => keys.contains(&key.id),
        };
        self.holds.iter().zip(&self.keys).filter(keeps).map(|(hold, _)| hold.id.clone()).collect()
    }
}
