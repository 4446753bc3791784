//! The vault's store as expiry and erasure see it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use async_trait::async_trait;
use bytes::Bytes;
use custody_event::ContentRecord;
use custody_seal::edge::EdgeDay;
use custody_types::{LogRecord, PersonPseudonym, RequestId, TenantId, Timestamp};
use custody_vault::{
    Claims, Documents, EdgeKeys, ObjectName, Objects, ParkedPlace, ParkedRecords, PseudonymKeys, Put, Replaced, Tombstone, Tombstones,
    UnitKeys, VaultError,
};

use super::{
    error::PortError,
    key::KeptKey,
    ports::{FoundParked, VaultStore},
    rows::{HeldRows, Scope},
};
use crate::hold::Hold;

/// Tries to take texts out of a parked batch while ingest works on it.
const TRIES: u32 = 10;

/// How parked records are written; ingest's to say.
pub trait ParkedForm: Send + Sync {
    /// The records of a batch; nothing where it is none.
    fn read(&self, bytes: &[u8]) -> Option<Vec<LogRecord>>;

    /// A batch of records.
    fn write(&self, records: Vec<LogRecord>) -> Bytes;
}

/// A vault's store.
pub struct VaultObjects {
    objects: Arc<dyn Objects>,
    edge: EdgeKeys,
    units: Arc<UnitKeys>,
    pseudonyms: Arc<PseudonymKeys>,
    claims: Claims,
    parked: ParkedRecords,
    form: Arc<dyn ParkedForm>,
}

impl VaultObjects {
    /// Over a store and its keys.
    #[must_use]
    pub fn new(
        objects: Arc<dyn Objects>,
        edge: EdgeKeys,
        units: Arc<UnitKeys>,
        pseudonyms: Arc<PseudonymKeys>,
        form: Arc<dyn ParkedForm>,
    ) -> Self {
        let (claims, parked) = (Claims::new(Arc::clone(&objects)), ParkedRecords::new(Arc::clone(&objects)));
        Self { objects, edge, units, pseudonyms, claims, parked, form }
    }

    async fn forget_parked_at(&self, place: &ParkedPlace, meant: &Meant<'_>, delete: bool) -> Result<FoundParked, VaultError> {
        for _ in 0..TRIES {
            let Some(bytes) = self.parked.get(place).await? else { return Ok(FoundParked::default()) };
            let Some(records) = self.form.read(&bytes) else { return Err(unreadable(place)) };
            let mut found = FoundParked::default();
            let (mut stay, mut claims) = (Vec::new(), Vec::new());
            for record in records {
                let text = ContentRecord::decode(&record.payload).ok().filter(|text| meant.covers(text));
                let is_held = text.as_ref().is_some_and(|text| meant.is_held(text));
                found.texts = found.texts.saturating_add(u64::from(text.is_some()));
                found.held = found.held.saturating_add(u64::from(is_held));
                match text {
                    Some(text) if !is_held => claims.extend(text.claim),
                    _ => stay.push(record),
                }
            }
            if !delete || found.texts == found.held {
                return Ok(found);
            }
            for claim in claims {
                self.claims.delete(&claim).await?;
            }
            // What is left of a batch without texts goes with the next try to open it.
            if self.parked.replace(place, &bytes, self.form.write(stay)).await? == Replaced::Done {
                return Ok(found);
            }
        }
        Err(unreadable(place))
    }
}

fn unreadable(place: &ParkedPlace) -> VaultError {
    VaultError::Misplaced { object: format!("parked records of day {}, {} from {}", place.day, place.partition, place.first) }
}

/// Texts that are meant, by the words of their records.
struct Meant<'a> {
    scope: &'a Scope,
    made_up_to: Timestamp,
    held: &'a HeldRows,
}

impl Meant<'_> {
    fn covers(&self, text: &ContentRecord) -> bool {
        let person = &self.scope.person;
        !text.is_end()
            && *text.tenant == *self.scope.tenant.as_str()
            && person.as_ref().is_none_or(|person| text.person.as_deref() == Some(person.as_str()))
            && text.time <= self.made_up_to
    }

    fn is_held(&self, text: &ContentRecord) -> bool {
        let person: Option<PersonPseudonym> = text.person.as_deref().and_then(|person| person.parse().ok());
        // One whose request can't be read is held where anything is.
        text.request_id
            .parse::<RequestId>()
            .map_or(!self.held.is_empty(), |request| self.held.keeps(&self.scope.tenant, person.as_ref(), &request))
    }
}

fn document_name(kind: &str, id: &str) -> Result<ObjectName, PortError> {
    format!("{kind}/{id}.json").parse().map_err(|error| PortError::of(&VaultError::from(error)))
}

fn failed(error: VaultError) -> PortError {
    PortError::of(&error)
}

#[async_trait]
impl VaultStore for VaultObjects {
    async fn unit_keys(&self, tenant: Option<&TenantId>) -> Result<Vec<KeptKey>, PortError> {
        let kept = match tenant {
            Some(tenant) => self.units.list(tenant, None).await,
            None => self.units.list_all().await,
        };
        Ok(kept.map_err(failed)?.into_iter().map(|kept| KeptKey { id: kept.key, unit: kept.unit }).collect())
    }

    async fn destroy_unit_key(&self, key: &KeptKey) -> Result<(), PortError> {
        self.units.destroy(&key.unit, key.id).await.map(|_| ()).map_err(failed)
    }

    async fn has_pseudonym_key(&self, tenant: &TenantId) -> Result<bool, PortError> {
        self.pseudonyms.is_kept(tenant).await.map_err(failed)
    }

    async fn destroy_pseudonym_key(&self, tenant: &TenantId) -> Result<(), PortError> {
        self.pseudonyms.destroy(tenant).await.map(|_| ()).map_err(failed)
    }

    async fn edge_days(&self) -> Result<BTreeSet<EdgeDay>, PortError> {
        self.edge.days().await.map_err(failed)
    }

    async fn claims_due(&self, today: i32) -> Result<Vec<String>, PortError> {
        let due = self.claims.expired(today).await.map_err(failed)?;
        Ok(due.iter().map(ToString::to_string).collect())
    }

    async fn delete_claim(&self, claim: &str) -> Result<(), PortError> {
        self.claims.delete(claim).await.map_err(failed)?;
        if claim.ends_with(".redacted") {
            return Ok(());
        }
        self.claims.delete(&format!("{claim}.redacted")).await.map_err(failed)
    }

    async fn parked_days(&self) -> Result<BTreeMap<EdgeDay, u64>, PortError> {
        let mut days = BTreeMap::new();
        for place in self.parked.list().await.map_err(failed)? {
            let objects: &mut u64 = days.entry(place.day).or_default();
            *objects = objects.saturating_add(1);
        }
        Ok(days)
    }

    async fn parked(&self, scope: &Scope, made_up_to: Timestamp, held: &HeldRows, delete: bool) -> Result<FoundParked, PortError> {
        let meant = Meant { scope, made_up_to, held };
        let mut all = FoundParked::default();
        for place in self.parked.list().await.map_err(failed)? {
            let found = self.forget_parked_at(&place, &meant, delete).await.map_err(failed)?;
            all.texts = all.texts.saturating_add(found.texts);
            all.held = all.held.saturating_add(found.held);
        }
        Ok(all)
    }

    async fn write_tombstone(&self, scope: &Scope, made_up_to: Timestamp) -> Result<(), PortError> {
        let tombstone = Tombstone::new(scope.tenant.clone(), scope.person.clone(), made_up_to);
        Tombstones::new(Arc::clone(&self.objects)).put(&tombstone).await.map_err(failed)
    }

    async fn holds(&self) -> Result<Vec<Hold>, PortError> {
        let all = Documents::<Hold>::new(Arc::clone(&self.objects)).list().await.map_err(failed)?;
        Ok(all.into_iter().map(|(_, hold)| hold).filter(Hold::is_in_force).collect())
    }

    async fn document(&self, kind: &'static str, id: &str) -> Result<Option<Vec<u8>>, PortError> {
        let found = self.objects.get(&document_name(kind, id)?).await.map_err(failed)?;
        Ok(found.map(|bytes| bytes.to_vec()))
    }

    async fn put_document(&self, kind: &'static str, id: &str, bytes: Vec<u8>) -> Result<(), PortError> {
        self.objects.put(&document_name(kind, id)?, bytes.into()).await.map_err(failed)
    }

    async fn replace_document(&self, kind: &'static str, id: &str, was: Option<&[u8]>, bytes: Vec<u8>) -> Result<bool, PortError> {
        let (name, new) = (document_name(kind, id)?, Bytes::from(bytes));
        let is_done = match was {
            Some(was) => self.objects.replace(&name, was, new.clone()).await.map_err(failed)? == Replaced::Done,
            None => self.objects.put_new(&name, new.clone()).await.map_err(failed)? == Put::Created,
        };
        // A put whose answer was lost is repeated by the store's client, and then meets itself.
        Ok(is_done || self.objects.get(&name).await.map_err(failed)?.is_some_and(|found| found == new))
    }

    async fn documents(&self, kind: &'static str) -> Result<Vec<String>, PortError> {
        let folder = kind.parse().map_err(|error| PortError::of(&VaultError::from(error)))?;
        let names = self.objects.list(&folder).await.map_err(failed)?;
        Ok(names.iter().filter_map(|name| name.file().strip_suffix(".json")).map(str::to_owned).collect())
    }
}
