//! A run of expiry, from its plan to its event.

use std::{collections::BTreeSet, sync::Arc};

use custody_event::Control;
use custody_seal::edge::EdgeDay;
use custody_types::{Clock, IdSource, Text, fault_point};

use super::{
    due::StreamRetention,
    needed::Needed,
    plan::{CURRENT, KEY_POINT, KIND, PLANNED_POINT, RetentionCounts, RetentionPlan, RetentionStep},
};
use crate::forgetting::{
    ContentTable, Evidence, ForgetError, Held, HeldBy, HeldRows, KeptKey, NewEvent, PlannedKey, RowCount, RowSelection, VaultStore, Which,
    destroy_keys, keys_hash, read_written, write, write_over,
};

/// What expiry works with.
pub struct RetentionParts {
    /// The vault's store.
    pub vault: Arc<dyn VaultStore>,
    /// The table of texts.
    pub table: Arc<dyn ContentTable>,
    /// Where its event goes.
    pub evidence: Arc<dyn Evidence>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fresh ids.
    pub ids: Arc<dyn IdSource>,
    /// How long the content stream may hold a text.
    pub stream: StreamRetention,
    /// Who acts: `operator`, or `custody` where it runs by itself.
    pub actor: &'static str,
}

/// Expiry.
pub struct Retention {
    pub(super) parts: RetentionParts,
}

impl Retention {
    /// Expiry over these parts.
    #[must_use]
    pub const fn new(parts: RetentionParts) -> Self {
        Self { parts }
    }

    /// What a run would do now, or what is left of the run that was cut off.
    ///
    /// # Errors
    /// When a store or the table fails.
    pub async fn plan(&self) -> Result<RetentionPlan, ForgetError> {
        match self.unfinished().await? {
            Some(plan) => Ok(plan),
            None => self.new_plan().await,
        }
    }

    /// Forgets what is due. A run that was cut off is ended first. Tells of the plans that were carried out.
    ///
    /// # Errors
    /// When a store, the table or the journal fails; the next run goes on.
    pub async fn run(&self) -> Result<Vec<RetentionPlan>, ForgetError> {
        let mut done = Vec::new();
        let (current, mut written) = self.current().await?.unzip();
        if let Some(plan) = current.filter(RetentionPlan::is_unfinished) {
            done.push(self.carry_out(plan, &mut written).await?);
        }
        let plan = self.new_plan().await?;
        if !plan.is_empty() {
            self.mark(&plan, &mut written).await?;
            fault_point(PLANNED_POINT);
            done.push(self.carry_out(plan, &mut written).await?);
        }
        Ok(done)
    }

    /// The run under way, or the last one, and the bytes that it was written as.
    async fn current(&self) -> Result<Option<(RetentionPlan, Vec<u8>)>, ForgetError> {
        read_written(self.vault(), KIND, CURRENT).await
    }

    /// Each mark is written over the one before: where another run made one, that goes on and this one stops.
    async fn mark(&self, plan: &RetentionPlan, written: &mut Option<Vec<u8>>) -> Result<(), ForgetError> {
        if write_over(self.vault(), KIND, CURRENT, written, plan).await? {
            return Ok(());
        }
        let other = self.current().await?;
        Err(ForgetError::AnotherRun(other.map_or_else(|| "unknown".to_owned(), |(plan, _)| plan.id)))
    }

    pub(super) fn vault(&self) -> &dyn VaultStore {
        self.parts.vault.as_ref()
    }

    pub(super) fn table(&self) -> &dyn ContentTable {
        self.parts.table.as_ref()
    }

    pub(super) async fn unfinished(&self) -> Result<Option<RetentionPlan>, ForgetError> {
        Ok(self.current().await?.map(|(plan, _)| plan).filter(RetentionPlan::is_unfinished))
    }

    async fn new_plan(&self) -> Result<RetentionPlan, ForgetError> {
        let now = self.parts.clock.now();
        let today = EdgeDay::of(now).number();
        let held = Held::read(self.vault(), self.table()).await?;
        let needed = Needed::read(self.vault(), self.table(), self.parts.stream).await?;
        let keys = self.vault().unit_keys(None).await.map_err(ForgetError::at("listing the keys"))?;
        let is_due = |key: &&KeptKey| !needed.needs(key, today);
        let (held_keys, going): (Vec<_>, Vec<_>) = keys.iter().filter(is_due).partition(|key| held.keeps(key));
        Ok(RetentionPlan {
            id: self.parts.ids.event_id().to_string(),
            made_at: now,
            today,
            keys: going.into_iter().map(PlannedKey::from).collect(),
            held: held_keys.into_iter().map(|key| HeldBy { key: key.id.to_string(), holds: held.by(key) }).collect(),
            claims: self.claims_due(today, held.rows()).await?,
            counts: self.counts(today, held.rows()).await?,
            event_id: self.parts.ids.event_id().to_string(),
            next: RetentionStep::ALL.first().copied(),
        })
    }

    async fn counts(&self, today: i32, held: &HeldRows) -> Result<RetentionCounts, ForgetError> {
        let due = self.count(today, held.clone()).await?;
        let all = if held.is_empty() { due } else { self.count(today, HeldRows::default()).await? };
        Ok(RetentionCounts { due, held: all.minus(due) })
    }

    async fn count(&self, today: i32, except: HeldRows) -> Result<RowCount, ForgetError> {
        let rows = RowSelection { which: Which::Due { today }, except };
        self.table().count(&rows).await.map_err(ForgetError::at("counting what is due"))
    }

    /// All that lie under a date that has come, also those whose row was never committed; without those of held rows.
    async fn claims_due(&self, today: i32, held: &HeldRows) -> Result<Vec<String>, ForgetError> {
        let mut due = self.vault().claims_due(today).await.map_err(ForgetError::at("listing claim checks"))?;
        if !held.is_empty() && !due.is_empty() {
            let keep = self.held_claims(today, held).await?;
            due.retain(|claim| !keep.contains(beside(claim)));
        }
        Ok(due)
    }

    async fn held_claims(&self, today: i32, held: &HeldRows) -> Result<BTreeSet<String>, ForgetError> {
        let at = || ForgetError::at("looking for held claim checks");
        let all = RowSelection { which: Which::Due { today }, except: HeldRows::default() };
        let going = RowSelection { which: Which::Due { today }, except: held.clone() };
        let all = self.table().claims(&all).await.map_err(at())?;
        let going = self.table().claims(&going).await.map_err(at())?;
        Ok(all.difference(&going).cloned().collect())
    }

    async fn carry_out(&self, mut plan: RetentionPlan, written: &mut Option<Vec<u8>>) -> Result<RetentionPlan, ForgetError> {
        while let Some(step) = plan.next {
            self.take(step, &mut plan).await?;
            fault_point(step.done_point());
            plan.next = step.after();
            if plan.next.is_none() {
                write(self.vault(), KIND, &plan.id, &plan).await?;
            }
            self.mark(&plan, written).await?;
            fault_point(step.marked_point());
        }
        Ok(plan)
    }

    async fn take(&self, step: RetentionStep, plan: &mut RetentionPlan) -> Result<(), ForgetError> {
        match step {
            RetentionStep::DestroyUnitKeys => self.destroy_unit_keys(plan).await,
            RetentionStep::DeleteRows => {
                let except = Held::read(self.vault(), self.table()).await?.rows().clone();
                let rows = RowSelection { which: Which::Due { today: plan.today }, except };
                self.table().delete(&rows).await.map_err(ForgetError::at("deleting rows that are due"))
            }
            RetentionStep::DeleteClaims => self.delete_claims(plan).await,
            RetentionStep::Vacuum => self.table().vacuum().await.map_err(ForgetError::at("deleting files that no row needs")),
            RetentionStep::Record => self.record(plan).await,
        }
    }

    /// A text may have become a row, or have been parked, since the plan was made; its key then stays for a later run.
    async fn destroy_unit_keys(&self, plan: &mut RetentionPlan) -> Result<(), ForgetError> {
        let needed = Needed::read(self.vault(), self.table(), self.parts.stream).await?;
        let is_needed = |key: &KeptKey| needed.needs(key, plan.today);
        let ports = (self.vault(), self.table());
        destroy_keys(ports, None, &mut plan.keys, &mut plan.held, is_needed, KEY_POINT).await
    }

    /// A hold that came after the plan keeps its claim checks too.
    async fn delete_claims(&self, plan: &RetentionPlan) -> Result<(), ForgetError> {
        let held = Held::read(self.vault(), self.table()).await?;
        let keep = if held.rows().is_empty() { BTreeSet::new() } else { self.held_claims(plan.today, held.rows()).await? };
        for claim in plan.claims.iter().filter(|claim| !keep.contains(beside(claim))) {
            self.vault().delete_claim(claim).await.map_err(ForgetError::at("deleting a claim check"))?;
        }
        Ok(())
    }

    async fn record(&self, plan: &RetentionPlan) -> Result<(), ForgetError> {
        let recorded = self.parts.evidence.is_recorded(&plan.event_id).await;
        if recorded.map_err(ForgetError::at("looking for the event"))? {
            return Ok(());
        }
        let event = NewEvent { event_id: plan.event_id.clone(), time: self.parts.clock.now(), control: self.event(plan) };
        self.parts.evidence.record(&event).await.map_err(ForgetError::at("recording the event"))
    }

    fn event(&self, plan: &RetentionPlan) -> Control {
        let parameters = [
            ("plan", plan.id.clone()),
            ("today", crate::forgetting::shown_day(plan.today)),
            ("unit_keys", plan.keys.len().to_string()),
            ("unit_keys_held", plan.held.len().to_string()),
            ("texts", plan.counts.due.rows.to_string()),
            ("text_bytes", plan.counts.due.bytes.to_string()),
            ("texts_held", plan.counts.held.rows.to_string()),
            ("claim_checks", plan.claims.len().to_string()),
        ];
        Control {
            action: Text::from("retention.expired"),
            subject: Text::from("content"),
            actor: Text::from(self.parts.actor),
            before_hash: Some(Text::from(keys_hash(&plan.keys))),
            after_hash: None,
            parameters: parameters.into_iter().map(|(name, value)| (Text::from(name), Text::from(value))).collect(),
        }
    }
}

/// The claim check of the full text, beside which that of the redacted one lies.
fn beside(claim: &str) -> &str {
    claim.strip_suffix(".redacted").unwrap_or(claim)
}
