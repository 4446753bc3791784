//! An erasure, from its plan to its certificate.

use std::{collections::BTreeSet, sync::Arc};

use custody_event::Control;
use custody_seal::{
    rest::UnitKeyId,
    shred::{ShredPlan, ShredScope},
};
use custody_types::{Clock, IdSource, PersonPseudonym, TenantId, Text, fault_point};

use super::{
    certificate::{Certificate, CertificateFacts},
    plan::{CERTIFICATE_KIND, ErasurePlan, ErasureStep, Found, KEY_POINT, KIND, MAX_PASSES, PLANNED_POINT},
};
use crate::{
    forgetting::{
        ContentTable, Evidence, ForgetError, Held, HeldBy, HeldRows, KeptKey, NewEvent, PlannedKey, RowSelection, Scope, VaultStore, Which,
        WrappingKeys, destroy_keys, hash, keys_hash, read, write,
    },
    retention::StreamRetention,
};

/// What an erasure works with.
pub struct ErasureParts {
    /// The vault's store.
    pub vault: Arc<dyn VaultStore>,
    /// The table of texts.
    pub table: Arc<dyn ContentTable>,
    /// The tenants' wrapping keys.
    pub wrapping: Arc<dyn WrappingKeys>,
    /// Where its events go.
    pub evidence: Arc<dyn Evidence>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fresh ids.
    pub ids: Arc<dyn IdSource>,
    /// How long the content stream may hold a text.
    pub stream: StreamRetention,
    /// For how many seconds a process may go on using a key that it holds unwrapped.
    pub key_cache_seconds: u64,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureRequest {
    /// Whose texts.
    pub scope: Scope,
    /// Why, redacted.
    pub reason: String,
}

/// Erasure.
pub struct Erasure {
    parts: ErasureParts,
}

impl Erasure {
    /// Erasure over these parts.
    #[must_use]
    pub const fn new(parts: ErasureParts) -> Self {
        Self { parts }
    }

    /// What an erasure would find now. Nothing is written.
    ///
    /// # Errors
    /// When a store or the table fails.
    pub async fn plan(&self, request: &ErasureRequest) -> Result<ErasurePlan, ForgetError> {
        let mut plan = self.empty_plan(request);
        self.list(&mut plan).await?;
        Ok(plan)
    }

    /// Erases. From the first durable word on, a run that is cut off is resumed by its id.
    ///
    /// # Errors
    /// When a store, the table, the key service or the journal fails.
    pub async fn begin(&self, request: &ErasureRequest) -> Result<ErasurePlan, ForgetError> {
        let plan = self.empty_plan(request);
        write(self.vault(), KIND, &plan.id, &plan).await?;
        tracing::info!(erasure = plan.id, "an erasure begins");
        fault_point(PLANNED_POINT);
        self.carry_out(plan).await
    }

    /// Goes on with an erasure that was cut off. One that is done stays as it is.
    ///
    /// # Errors
    /// When there is none with this id, or a store, the table, the key service or the journal fails.
    pub async fn resume(&self, id: &str) -> Result<ErasurePlan, ForgetError> {
        let plan: Option<ErasurePlan> = read(self.vault(), KIND, id).await?;
        let mut plan = plan.ok_or_else(|| ForgetError::NoSuchErasure(id.to_owned()))?;
        plan.look_on();
        self.carry_out(plan).await
    }

    /// All erasures, done or not, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn all(&self) -> Result<Vec<ErasurePlan>, ForgetError> {
        let mut found = Vec::new();
        for id in self.vault().documents(KIND).await.map_err(ForgetError::at("listing erasures"))? {
            found.extend(read(self.vault(), KIND, &id).await?);
        }
        Ok(found)
    }

    /// The certificate of an erasure that is done.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn certificate(&self, id: &str) -> Result<Option<Certificate>, ForgetError> {
        read(self.vault(), CERTIFICATE_KIND, id).await
    }

    fn vault(&self) -> &dyn VaultStore {
        self.parts.vault.as_ref()
    }

    fn table(&self) -> &dyn ContentTable {
        self.parts.table.as_ref()
    }

    fn empty_plan(&self, request: &ErasureRequest) -> ErasurePlan {
        ErasurePlan {
            id: self.parts.ids.event_id().to_string(),
            scope: request.scope.clone(),
            reason: request.reason.clone(),
            made_at: self.parts.clock.now(),
            keys: Vec::new(),
            gone: Vec::new(),
            held: Vec::new(),
            pseudonym_key: false,
            pseudonym_key_held_by: Vec::new(),
            found: Found::default(),
            passes: 0,
            wrapping_keys: Vec::new(),
            wrapping_keys_retired: false,
            begun_event_id: self.parts.ids.event_id().to_string(),
            erased_event_id: self.parts.ids.event_id().to_string(),
            next: ErasureStep::ALL.first().copied(),
        }
    }

    async fn carry_out(&self, mut plan: ErasurePlan) -> Result<ErasurePlan, ForgetError> {
        while let Some(step) = plan.next {
            plan.next = self.take(step, &mut plan).await?;
            fault_point(step.done_point());
            write(self.vault(), KIND, &plan.id, &plan).await?;
            fault_point(step.marked_point());
        }
        Ok(plan)
    }

    /// Takes a step, and says which is next.
    async fn take(&self, step: ErasureStep, plan: &mut ErasurePlan) -> Result<Option<ErasureStep>, ForgetError> {
        match step {
            ErasureStep::Announce => self.record(&plan.begun_event_id, self.begun(plan)).await?,
            ErasureStep::Forbid => {
                let forbidden = self.vault().write_tombstone(&plan.scope, plan.made_at).await;
                forbidden.map_err(ForgetError::at("writing the tombstone"))?;
            }
            ErasureStep::List => self.list(plan).await?,
            ErasureStep::DestroyUnitKeys => {
                let ports = (self.vault(), self.table());
                let nothing_needs = |_: &KeptKey| false;
                destroy_keys(ports, Some(&plan.scope.tenant), &mut plan.keys, &mut plan.held, nothing_needs, KEY_POINT).await?;
            }
            ErasureStep::DestroyPseudonymKey => self.destroy_pseudonym_key(plan).await?,
            ErasureStep::ForgetParked => {
                let held = Held::read(self.vault(), self.table()).await?;
                let forgotten = self.vault().parked(&plan.scope, plan.made_at, held.rows(), true).await;
                forgotten.map_err(ForgetError::at("forgetting parked texts"))?;
            }
            ErasureStep::DeleteClaims => self.delete_claims(plan).await?,
            ErasureStep::DeleteRows => {
                let rows = self.selection(plan, None).await?;
                self.table().delete(&rows).await.map_err(ForgetError::at("deleting rows"))?;
            }
            ErasureStep::Vacuum => self.table().vacuum().await.map_err(ForgetError::at("deleting files that no row needs"))?,
            ErasureStep::LookAgain => return self.look_again(plan).await.map(Some),
            ErasureStep::RetireWrappingKeys => self.retire_wrapping_keys(plan).await?,
            ErasureStep::Certify => self.certify(plan).await?,
            ErasureStep::Record => {
                let certificate = self.certificate(&plan.id).await?;
                let certificate = certificate.ok_or_else(|| ForgetError::NoSuchErasure(plan.id.clone()))?;
                self.record(&plan.erased_event_id, erased(plan, &certificate)).await?;
            }
        }
        Ok(step.after())
    }

    /// The first look takes every key of the scope; later ones those under which texts arrived that the tombstone forbids.
    async fn list(&self, plan: &mut ErasurePlan) -> Result<(), ForgetError> {
        let held = Held::read(self.vault(), self.table()).await?;
        let keys = self.vault().unit_keys(Some(&plan.scope.tenant)).await.map_err(ForgetError::at("listing the keys"))?;
        let keys = if plan.passes == 0 { keys } else { self.keys_of_late_rows(plan, keys).await? };
        let shred = ShredPlan::of(keys.iter().map(|key| (key.id, &key.unit)), &shred_scope(&plan.scope), &held.as_legal_holds());
        let named = |ids: &[UnitKeyId]| -> Vec<KeptKey> { keys.iter().filter(|key| ids.contains(&key.id)).cloned().collect() };
        let going = named(&shred.destroy);
        plan.gone.append(&mut plan.keys);
        plan.keys = going.iter().map(PlannedKey::from).filter(|key| !plan.gone.contains(key)).collect();
        plan.held = named(&shred.held).iter().map(|key| HeldBy { key: key.id.to_string(), holds: held.by(key) }).collect();
        self.see_pseudonym_key(plan, &held).await?;
        let found = self.find(plan, held.rows()).await?;
        plan.found = plan.found.plus(found);
        plan.passes = plan.passes.saturating_add(1);
        Ok(())
    }

    /// Whether the key of the tenant's pseudonyms is there, and whether it goes. A hold on a person or on requests does not keep it: their
    /// texts are kept whole, with the letters that stand in them.
    async fn see_pseudonym_key(&self, plan: &mut ErasurePlan, held: &Held) -> Result<(), ForgetError> {
        let tenant = &plan.scope.tenant;
        if plan.scope.person.is_some() {
            return Ok(());
        }
        if self.has_pseudonym_key(tenant).await? {
            plan.pseudonym_key_held_by = held.by_tenant(tenant);
            plan.pseudonym_key = plan.pseudonym_key_held_by.is_empty();
        }
        Ok(())
    }

    /// At every look: texts that arrived late had one made anew, perhaps.
    async fn destroy_pseudonym_key(&self, plan: &mut ErasurePlan) -> Result<(), ForgetError> {
        let held = Held::read(self.vault(), self.table()).await?;
        self.see_pseudonym_key(plan, &held).await?;
        if plan.pseudonym_key {
            let destroyed = self.vault().destroy_pseudonym_key(&plan.scope.tenant).await;
            destroyed.map_err(ForgetError::at("destroying the key of the tenant's pseudonyms"))?;
        }
        Ok(())
    }

    async fn has_pseudonym_key(&self, tenant: &TenantId) -> Result<bool, ForgetError> {
        self.vault().has_pseudonym_key(tenant).await.map_err(ForgetError::at("looking for the key of the tenant's pseudonyms"))
    }

    async fn keys_of_late_rows(&self, plan: &ErasurePlan, mut keys: Vec<KeptKey>) -> Result<Vec<KeptKey>, ForgetError> {
        let rows = self.selection(plan, None).await?;
        let late: BTreeSet<UnitKeyId> = self.table().keys(&rows).await.map_err(ForgetError::at("looking for late texts"))?;
        let held: BTreeSet<&str> = plan.held.iter().map(|held| held.key.as_str()).collect();
        keys.retain(|key| late.contains(&key.id) || held.contains(key.id.to_string().as_str()));
        Ok(keys)
    }

    async fn find(&self, plan: &ErasurePlan, held: &HeldRows) -> Result<Found, ForgetError> {
        let going = self.selection(plan, Some(held.clone())).await?;
        let all = RowSelection { except: HeldRows::default(), ..going.clone() };
        let rows = self.table().count(&going).await.map_err(ForgetError::at("counting rows"))?;
        let all = self.table().count(&all).await.map_err(ForgetError::at("counting rows"))?;
        let claims = self.table().claims(&going).await.map_err(ForgetError::at("listing claim checks"))?;
        let parked = self.vault().parked(&plan.scope, plan.made_at, held, false).await;
        let parked = parked.map_err(ForgetError::at("listing parked texts"))?;
        Ok(Found {
            rows,
            held_rows: all.minus(rows),
            claims: claims.len() as u64,
            parked: parked.texts.saturating_sub(parked.held),
            held_parked: parked.held,
        })
    }

    async fn selection(&self, plan: &ErasurePlan, except: Option<HeldRows>) -> Result<RowSelection, ForgetError> {
        let except = match except {
            Some(held) => held,
            None => Held::read(self.vault(), self.table()).await?.rows().clone(),
        };
        let keys = plan.all_keys().filter_map(PlannedKey::kept).map(|key| key.id).collect();
        Ok(RowSelection { which: Which::Erased { scope: plan.scope.clone(), made_up_to: plan.made_at, keys }, except })
    }

    async fn delete_claims(&self, plan: &ErasurePlan) -> Result<(), ForgetError> {
        let rows = self.selection(plan, None).await?;
        for claim in self.table().claims(&rows).await.map_err(ForgetError::at("listing claim checks"))? {
            self.vault().delete_claim(&claim).await.map_err(ForgetError::at("deleting a claim check"))?;
        }
        Ok(())
    }

    async fn look_again(&self, plan: &ErasurePlan) -> Result<ErasureStep, ForgetError> {
        let rows = self.selection(plan, None).await?;
        let left = self.table().count(&rows).await.map_err(ForgetError::at("looking for texts that arrived"))?;
        match left.rows {
            0 => Ok(ErasureStep::RetireWrappingKeys),
            _ if plan.passes < MAX_PASSES => Ok(ErasureStep::List),
            rows => Err(ForgetError::StillArriving { erasure: plan.id.clone(), rows }),
        }
    }

    async fn retire_wrapping_keys(&self, plan: &mut ErasurePlan) -> Result<(), ForgetError> {
        if plan.scope.person.is_some() {
            return Ok(());
        }
        let tenant = &plan.scope.tenant;
        let left = self.vault().unit_keys(Some(tenant)).await.map_err(ForgetError::at("listing the keys"))?;
        let left = left.len().saturating_add(usize::from(self.has_pseudonym_key(tenant).await?));
        let retired = self.parts.wrapping.retire(tenant, left).await;
        let retired = retired.map_err(ForgetError::at("retiring the tenant's wrapping keys"))?;
        (plan.wrapping_keys, plan.wrapping_keys_retired) = (retired.did, retired.all);
        Ok(())
    }

    /// Written once: a certificate that was handed out does not change.
    async fn certify(&self, plan: &ErasurePlan) -> Result<(), ForgetError> {
        if self.certificate(&plan.id).await?.is_some() {
            return Ok(());
        }
        let at = || ForgetError::at("gathering the certificate's facts");
        let facts = CertificateFacts {
            ended_at: self.parts.clock.now(),
            edge_days: self.vault().edge_days().await.map_err(at())?,
            parked_days: self.vault().parked_days().await.map_err(at())?,
            stream: self.parts.stream,
            key_store_window: self.parts.wrapping.key_store_window(plan.wrapping_keys_retired),
            key_cache_seconds: self.parts.key_cache_seconds,
            pseudonym_key_stays: plan.scope.person.is_some() && self.has_pseudonym_key(&plan.scope.tenant).await?,
        };
        write(self.vault(), CERTIFICATE_KIND, &plan.id, &Certificate::of(plan, facts)).await
    }

    async fn record(&self, event_id: &str, control: Control) -> Result<(), ForgetError> {
        if self.parts.evidence.is_recorded(event_id).await.map_err(ForgetError::at("looking for the event"))? {
            return Ok(());
        }
        let event = NewEvent { event_id: event_id.to_owned(), time: self.parts.clock.now(), control };
        self.parts.evidence.record(&event).await.map_err(ForgetError::at("recording the event"))
    }

    fn begun(&self, plan: &ErasurePlan) -> Control {
        control("erasure.begun", plan, None, [("reason", plan.reason.clone())])
    }
}

fn erased(plan: &ErasurePlan, certificate: &Certificate) -> Control {
    let facts = [
        ("unit_keys", certificate.destroyed.unit_keys.len().to_string()),
        ("unit_keys_hash", keys_hash(plan.all_keys())),
        ("unit_keys_held", plan.held.len().to_string()),
        ("pseudonym_keys", u8::from(plan.pseudonym_key).to_string()),
        ("texts", plan.found.rows.rows.to_string()),
        ("text_bytes", plan.found.rows.bytes.to_string()),
        ("texts_held", plan.found.held_rows.rows.to_string()),
        ("claim_checks", plan.found.claims.to_string()),
        ("parked", plan.found.parked.to_string()),
    ];
    control("erased", plan, Some(hash(&certificate.json())), facts)
}

fn control<const N: usize>(action: &str, plan: &ErasurePlan, after_hash: Option<String>, facts: [(&str, String); N]) -> Control {
    let person = plan.scope.person.as_ref().map(PersonPseudonym::as_str);
    let common = [("erasure", plan.id.clone()), ("tenant", plan.scope.tenant.to_string()), ("person", person.unwrap_or("all").to_owned())];
    Control {
        action: Text::from(action),
        subject: Text::from("content"),
        actor: Text::from("operator"),
        before_hash: None,
        after_hash: after_hash.map(Text::from),
        parameters: common.into_iter().chain(facts).map(|(name, value)| (Text::from(name), Text::from(value))).collect(),
    }
}

fn shred_scope(scope: &Scope) -> ShredScope {
    match &scope.person {
        Some(person) => ShredScope::Person(scope.tenant.clone(), person.clone()),
        None => ShredScope::Tenant(scope.tenant.clone()),
    }
}

impl Found {
    /// Both; what a hold keeps is there at every look.
    const fn plus(self, other: Self) -> Self {
        Self {
            rows: self.rows.plus(other.rows),
            held_rows: other.held_rows,
            claims: self.claims.saturating_add(other.claims),
            parked: self.parked.saturating_add(other.parked),
            held_parked: other.held_parked,
        }
    }
}
