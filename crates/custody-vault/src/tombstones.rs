//! Whose texts were forgotten: texts made up to a time are never written again, wherever a copy of them still turns up.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use custody_types::{PersonPseudonym, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    documents::{Document, Documents},
    error::VaultError,
    objects::{ObjectName, Objects, Replaced},
};

const VERSION: u32 = 1;

/// All texts of a tenant, or of a person of it, that were made up to a time are forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tombstone {
    version: u32,
    tenant: TenantId,
    person: Option<PersonPseudonym>,
    made_up_to_micros: i64,
}

/// Keeps tombstones. They are never removed and never take back a time.
#[derive(Debug, Clone)]
pub struct Tombstones {
    documents: Documents<Tombstone>,
}

/// Tombstones, for checking texts without asking the store for each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Forgotten {
    up_to: BTreeMap<(TenantId, Option<PersonPseudonym>), Timestamp>,
}

impl Tombstone {
    /// Of a tenant, or of a person of it.
    #[must_use]
    pub const fn new(tenant: TenantId, person: Option<PersonPseudonym>, made_up_to: Timestamp) -> Self {
        Self { version: VERSION, tenant, person, made_up_to_micros: made_up_to.micros() }
    }

    /// The tenant.
    #[must_use]
    pub const fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The person; none: everything of the tenant.
    #[must_use]
    pub const fn person(&self) -> Option<&PersonPseudonym> {
        self.person.as_ref()
    }

    /// Texts made at this time or before are forgotten.
    #[must_use]
    pub const fn made_up_to(&self) -> Timestamp {
        Timestamp::from_micros(self.made_up_to_micros)
    }

    fn id(&self) -> String {
        id(&self.tenant, self.person.as_ref())
    }
}

impl Document for Tombstone {
    const FOLDER: &'static str = "forgotten";
    const VERSION: u32 = VERSION;

    fn version(&self) -> u32 {
        self.version
    }
}

impl Tombstones {
    /// Over a store.
    #[must_use]
    pub fn new(objects: Arc<dyn Objects>) -> Self {
        Self { documents: Documents::new(objects) }
    }

    /// Sets a tombstone. One that reaches further is left as it is.
    ///
    /// # Errors
    /// When the store fails; repeating is safe.
    pub async fn put(&self, tombstone: &Tombstone) -> Result<(), VaultError> {
        let id = tombstone.id();
        loop {
            let Some(kept) = self.documents.get(&id).await? else {
                match self.documents.put_new(&id, tombstone).await {
                    Err(VaultError::DocumentExists { .. }) => continue,
                    done => return done,
                }
            };
            if kept.made_up_to() >= tombstone.made_up_to() {
                return Ok(());
            }
            match self.documents.replace(&id, &kept, tombstone).await? {
                Replaced::Done => return Ok(()),
                Replaced::Changed => {}
            }
        }
    }

    /// The tombstone of a person, or of a tenant as a whole.
    ///
    /// # Errors
    /// When the store fails or the tombstone can't be read.
    pub async fn get(&self, tenant: &TenantId, person: Option<&PersonPseudonym>) -> Result<Option<Tombstone>, VaultError> {
        self.documents.get(&id(tenant, person)).await
    }

    /// All tombstones.
    ///
    /// # Errors
    /// When the store fails or a tombstone can't be read: nothing may then be written.
    pub async fn all(&self) -> Result<Forgotten, VaultError> {
        Ok(Forgotten::of(self.documents.list().await?))
    }

    /// The tombstones of these persons and of their tenants. Only these are read, of whatever others there are the names at most: what a
    /// batch of texts costs does not grow with the erasures of others.
    ///
    /// # Errors
    /// As for [`Tombstones::all`].
    pub async fn of<'a>(
        &self,
        owners: impl IntoIterator<Item = (&'a TenantId, Option<&'a PersonPseudonym>)>,
    ) -> Result<Forgotten, VaultError> {
        let (mut tenants, mut wanted) = (BTreeSet::new(), BTreeSet::new());
        for (tenant, person) in owners {
            tenants.insert(ObjectName::label(tenant.as_str()));
            wanted.extend([id(tenant, None), id(tenant, person)]);
        }
        let mut ids = Vec::new();
        for tenant in tenants {
            ids.extend(self.documents.ids_below(&tenant).await?.into_iter().filter(|id| wanted.contains(id)));
        }
        Ok(Forgotten::of(self.documents.read_all(ids).await?))
    }
}

impl Forgotten {
    fn of(tombstones: Vec<(String, Tombstone)>) -> Self {
        let mut forgotten = Self::default();
        tombstones.iter().for_each(|(_, tombstone)| forgotten.add(tombstone));
        forgotten
    }

    /// Adds a tombstone.
    pub fn add(&mut self, tombstone: &Tombstone) {
        let up_to = self.up_to.entry((tombstone.tenant.clone(), tombstone.person.clone())).or_insert(Timestamp::from_micros(i64::MIN));
        *up_to = tombstone.made_up_to().max(*up_to);
    }

    /// Whether a text of this tenant and person, made at this time, is forgotten.
    #[must_use]
    pub fn covers(&self, tenant: &TenantId, person: Option<&PersonPseudonym>, made: Timestamp) -> bool {
        let reaches =
            |person: Option<&PersonPseudonym>| self.up_to.get(&(tenant.clone(), person.cloned())).is_some_and(|up_to| made <= *up_to);
        reaches(None) || (person.is_some() && reaches(person))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.up_to.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.up_to.is_empty()
    }
}

fn id(tenant: &TenantId, person: Option<&PersonPseudonym>) -> String {
    let person = ObjectName::label_or_none(person.map(PersonPseudonym::as_str));
    format!("{}/{person}", ObjectName::label(tenant.as_str()))
}

#[cfg(test)]
mod tests;
