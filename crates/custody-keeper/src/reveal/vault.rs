//! The ports over the real parts: the lake's table of texts, the vault's store and its keys.

use std::sync::Arc;

use async_trait::async_trait;
use custody_lake::{ContentRow, LakeReader, TextState};
use custody_seal::{
    OpenedText, Part, TextContext,
    rest::{ContentSchema, Month},
};
use custody_types::{RequestId, TenantId, Text};
use custody_vault::{Claims, Documents, ObjectName, Objects, Put, Tombstones, UnitKeys, VaultError};

use super::{
    access::Permit,
    desk::Form,
    ports::{Papers, PortError, Texts},
    text::{KeptText, SealedForms, State},
};
use crate::hold::{Hold, HoldScope};

/// The redacted claim lies beside the full one.
const REDACTED_CLAIM: &str = ".redacted";

/// Documents in the vault's store.
#[derive(Debug, Clone)]
pub struct VaultPapers {
    objects: Arc<dyn Objects>,
}

/// Kept texts in a lake, under keys of a vault.
pub struct VaultTexts {
    lake: LakeReader,
    opening: Opening,
}

/// What a vault knows of a text.
#[derive(Debug)]
pub(super) struct Opening {
    units: Arc<UnitKeys>,
    claims: Claims,
    tombstones: Tombstones,
    holds: Documents<Hold>,
}

impl VaultPapers {
    /// Over a store.
    #[must_use]
    pub fn new(objects: Arc<dyn Objects>) -> Self {
        Self { objects }
    }
}

impl VaultTexts {
    /// Over a lake, a store, and the store's keys.
    #[must_use]
    pub fn new(lake: LakeReader, objects: &Arc<dyn Objects>, units: Arc<UnitKeys>) -> Self {
        Self { lake, opening: Opening::new(objects, units) }
    }
}

impl Opening {
    pub(super) fn new(objects: &Arc<dyn Objects>, units: Arc<UnitKeys>) -> Self {
        Self {
            units,
            claims: Claims::new(Arc::clone(objects)),
            tombstones: Tombstones::new(Arc::clone(objects)),
            holds: Documents::new(Arc::clone(objects)),
        }
    }

    /// What a hold kept from an erasure is not forgotten as long as that hold is in force. One that was placed later keeps nothing from it.
    pub(super) async fn is_forgotten(&self, text: &KeptText) -> Result<bool, PortError> {
        for person in [None, text.person()].into_iter().take(1 + usize::from(text.person().is_some())) {
            let tombstone = self.tombstones.get(text.tenant(), person).await.map_err(of)?;
            let erased_at = tombstone.map(|tombstone| tombstone.made_up_to()).filter(|erased_at| text.made_at <= *erased_at);
            if let Some(erased_at) = erased_at
                && !self.has_hold(text, |hold| hold.placed_at <= erased_at).await?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) async fn is_held(&self, text: &KeptText) -> Result<bool, PortError> {
        self.has_hold(text, |_| true).await
    }

    async fn has_hold(&self, text: &KeptText, is_meant: impl Fn(&Hold) -> bool + Send) -> Result<bool, PortError> {
        let holds = self.holds.list().await.map_err(of)?;
        Ok(holds.iter().any(|(_, hold)| hold.is_in_force() && covers(&hold.scope, text) && is_meant(hold)))
    }

    pub(super) async fn open(&self, _: &Permit, text: &KeptText, form: Form) -> Result<OpenedText, PortError> {
        let (unit, key) = text.unit().ok_or_else(|| PortError::unusable("a kept text names no key"))?;
        let sealed = self.sealed(text, form).await?;
        let key = self.units.for_opening(&unit, key).await.map_err(of)?;
        let schema = match form {
            Form::Full => ContentSchema::FULL_TEXT,
            Form::Redacted => ContentSchema::REDACTED_TEXT,
        };
        let opened = key.open(&sealed, schema, &text.context).map_err(|error| PortError::of(&error))?;
        match form {
            Form::Full if opened.commitment().as_bytes().as_slice() != text.commitment => Err(PortError::other_text()),
            Form::Full | Form::Redacted => Ok(opened),
        }
    }

    /// The sealed bytes of one form, from the row or from the place that it names.
    async fn sealed(&self, text: &KeptText, form: Form) -> Result<Vec<u8>, PortError> {
        let (in_row, ending) = match form {
            Form::Full => (&text.sealed.full, ""),
            Form::Redacted => (&text.sealed.redacted, REDACTED_CLAIM),
        };
        if let Some(sealed) = in_row {
            return Ok(sealed.clone());
        }
        let claim = text.sealed.claim.as_ref().ok_or_else(|| PortError::unusable("a kept text has no sealed bytes"))?;
        let found = self.claims.get(&format!("{claim}{ending}")).await.map_err(of)?;
        found.map(|bytes| bytes.to_vec()).ok_or_else(|| PortError::gone("a kept text's place in the vault is empty"))
    }
}

#[async_trait]
impl Texts for VaultTexts {
    async fn of_request(&self, tenant: &TenantId, request: RequestId) -> Result<Vec<KeptText>, PortError> {
        let rows = self.lake.texts_of(&request.to_string()).await.map_err(|error| PortError::of(&error))?;
        rows.into_iter().filter(|row| row.tenant == tenant.as_str()).map(kept).collect()
    }

    async fn is_forgotten(&self, text: &KeptText) -> Result<bool, PortError> {
        self.opening.is_forgotten(text).await
    }

    async fn is_held(&self, text: &KeptText) -> Result<bool, PortError> {
        self.opening.is_held(text).await
    }

    async fn open(&self, permit: &Permit, text: &KeptText, form: Form) -> Result<OpenedText, PortError> {
        self.opening.open(permit, text, form).await
    }
}

fn covers(scope: &HoldScope, text: &KeptText) -> bool {
    match scope {
        HoldScope::Tenant { tenant } => tenant == text.tenant(),
        HoldScope::Person { tenant, person } => tenant == text.tenant() && Some(person) == text.person(),
        HoldScope::Requests { requests } => requests.contains(&text.request()),
    }
}

/// A row as it was written, or none: one that was altered opens nothing.
fn kept(row: ContentRow) -> Result<KeptText, PortError> {
    let unusable = || PortError::unusable(format!("the row of text {} is not as it was written", row.content_id));
    let part = Part::ALL.into_iter().find(|part| part.as_str() == row.part).ok_or_else(unusable)?;
    let unit_key = row.unit_key.as_deref().map(|key| key.parse().map_err(|_| unusable())).transpose()?;
    let context = TextContext {
        tenant: row.tenant.parse().map_err(|_| unusable())?,
        person: row.person.as_deref().map(str::parse).transpose().map_err(|_| unusable())?,
        request: row.request_id.parse().map_err(|_| unusable())?,
        part,
        ordinal: u32::try_from(row.ordinal).map_err(|_| unusable())?,
        purpose: row.purpose.parse().map_err(|_| unusable())?,
        retention: row.retention_class.parse().map_err(|_| unusable())?,
    };
    Ok(KeptText {
        context,
        made_at: row.time,
        expires_on: i64::from(row.expires_on),
        capability: row.capability.parse().map_err(|_| unusable())?,
        data_class: row.data_class.parse().map_err(|_| unusable())?,
        handling_rule: Text::from(row.handling_rule.as_str()),
        state: match row.state {
            TextState::Kept => State::Kept,
            TextState::Forgotten => State::Forgotten,
            TextState::Unopened => State::Unopened,
        },
        unit_key,
        unit_month: row.unit_month.map(Month::from_number),
        content_id: Text::from(row.content_id.as_str()),
        commitment: row.commitment,
        sealed: SealedForms { full: row.sealed, redacted: row.redacted_sealed, claim: row.claim },
    })
}

#[async_trait]
impl Papers for VaultPapers {
    async fn put_new(&self, name: &str, bytes: Vec<u8>) -> Result<bool, PortError> {
        let name = parsed(name)?;
        match self.objects.put_new(&name, bytes.clone().into()).await.map_err(of)? {
            Put::Created => Ok(true),
            Put::Exists => Ok(self.objects.get(&name).await.map_err(of)?.is_some_and(|found| found == bytes)),
        }
    }

    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, PortError> {
        Ok(self.objects.get(&parsed(name)?).await.map_err(of)?.map(|bytes| bytes.to_vec()))
    }

    async fn delete(&self, name: &str) -> Result<(), PortError> {
        self.objects.delete(&parsed(name)?).await.map_err(of)
    }

    async fn list(&self, folder: &str) -> Result<Vec<String>, PortError> {
        let found = self.objects.list(&parsed(folder)?).await.map_err(of)?;
        Ok(found.iter().map(ToString::to_string).collect())
    }
}

fn parsed(name: &str) -> Result<ObjectName, PortError> {
    name.parse().map_err(|error| of(VaultError::Name(error)))
}

fn of(error: VaultError) -> PortError {
    PortError::of(&error)
}
