//! The table of texts as the loop sees it: staging is the vault step, committing looks at keys and tombstones once more.
//!
//! ```text
//! stage   settle, wait, park ─▶ rows ─▶ files that no reader sees
//! commit  is each key that sealed still kept, and no text forgotten since? ─▶ no: the batch is surely not made, and is read again
//!                                             ─▶ yes: rows and positions ─▶ landed ─▶ claims of the edge are deleted
//! ```
//! Both are looked at after the snapshot was taken. An erasure sets its tombstone first and ends with a version of the table, even where
//! it found nothing to delete. So a tombstone that was not there at this look has its version still to come: either before this commit,
//! which then meets a table that moved on, or after it, and then finds the rows. The keys alone don't tell: a text that was read before
//! the tombstone and sealed after its keys were destroyed has a new key, which lives.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use custody_lake::{CommitError, ContentRows, StoreError, TableState, TableStore};
use custody_seal::{
    TextContext,
    rest::{ShredUnit, UnitKeyId},
};
use custody_types::{Timestamp, fault_point};
use custody_vault::VaultError;
use uuid::Uuid;

use super::{metrics::Tally, outcome::SettledText, step::VaultStep, texts::SealedTexts};

const STAGING: &str = "opening and sealing texts";
const CHECKING: &str = "checking that the keys of sealed texts are still kept and no text is forgotten";

/// A table of texts behind the vault step.
pub struct VaultedContentStore<S> {
    step: Arc<VaultStep>,
    table: S,
    /// What is to be done when the last commit turns out to have landed.
    unheard: Mutex<Option<(Uuid, Arc<Landing>)>>,
}

/// Staged rows, and what must hold for them.
#[derive(Debug, Clone)]
pub struct VaultedStaged<T> {
    staged: T,
    landing: Arc<Landing>,
}

/// What a commit of these rows depends on and entails.
#[derive(Debug, Default)]
pub(super) struct Landing {
    /// Texts whose bytes become visible, and when they were made.
    texts: Vec<(TextContext, Timestamp)>,
    keys: BTreeSet<(ShredUnit, UnitKeyId)>,
    pub(super) edge_claims: Vec<String>,
    pub(super) tally: Tally,
}

impl<S> VaultedContentStore<S> {
    /// The step before a table.
    pub const fn new(step: Arc<VaultStep>, table: S) -> Self {
        Self { step, table, unheard: Mutex::new(None) }
    }

    async fn landed(&self, landing: &Landing) {
        *self.unheard.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.step.landed(landing).await;
    }
}

impl Landing {
    pub(super) fn of(texts: &[SettledText]) -> Self {
        let mut landing = Self::default();
        for text in texts {
            landing.texts.extend(text.holds.clone());
            landing.keys.extend(text.key.clone());
            landing.edge_claims.extend(text.edge_claim.clone());
            landing.tally.add(text);
        }
        landing
    }
}

impl Tally {
    fn add(&mut self, text: &SettledText) {
        *self.states.entry(text.row.state).or_default() += 1;
        for (kind, count) in &text.redactions {
            *self.redactions.entry(kind.clone()).or_default() += count;
        }
    }
}

impl VaultStep {
    /// Whether rows may be made as they were staged: every key is where it was, and nothing of them was forgotten since.
    pub(super) async fn still_stands(&self, landing: &Landing) -> Result<bool, VaultError> {
        if !self.parts.units.all_kept(landing.keys.iter().cloned()).await? {
            return Ok(false);
        }
        let owners = landing.texts.iter().map(|(context, _)| (&context.tenant, context.person.as_ref()));
        let owners: Vec<_> = owners.collect();
        let forgotten = self.parts.tombstones.of(owners).await?;
        let covers = |(context, made): &&(TextContext, Timestamp)| forgotten.covers(&context.tenant, context.person.as_ref(), *made);
        let covered: Vec<_> = landing.texts.iter().filter(covers).collect();
        if covered.is_empty() {
            return Ok(true);
        }
        let on_hold = self.parts.holds.in_force().await?;
        Ok(covered.iter().all(|(context, _)| on_hold.covers(&context.tenant, context.person.as_ref(), context.request)))
    }

    /// Rows are in the table: what they came from is no longer needed. What stays by a crash goes with the day's key.
    pub(super) async fn landed(&self, landing: &Landing) {
        fault_point("content.committed");
        self.parts.metrics.landed(&landing.tally);
        for claim in &landing.edge_claims {
            if let Err(error) = self.parts.claims.delete(claim).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "a claim of the edge stays until the key of its day goes");
            }
        }
    }
}

fn storage(doing: &'static str, error: VaultError) -> StoreError {
    StoreError::Storage { doing, source: error.into() }
}

#[async_trait]
impl<S: TableStore<Rows = ContentRows>> TableStore for VaultedContentStore<S> {
    type Rows = SealedTexts;
    type Staged = VaultedStaged<S::Staged>;

    async fn snapshot(&self) -> Result<TableState, StoreError> {
        self.table.snapshot().await
    }

    async fn stage(&self, texts: SealedTexts) -> Result<Self::Staged, StoreError> {
        fault_point("content.stage");
        let settled = self.step.settle_patiently(texts.0).await.map_err(|error| storage(STAGING, error))?;
        let parked = settled.waiting.len();
        self.step.park(settled.waiting).await.map_err(|error| storage(STAGING, error))?;
        let mut landing = Landing::of(&settled.texts);
        landing.tally.parked = parked;
        let rows = ContentRows(settled.texts.into_iter().map(|text| text.row).collect());
        Ok(VaultedStaged { staged: self.table.stage(rows).await?, landing: Arc::new(landing) })
    }

    async fn commit(
        &self,
        on: &TableState,
        staged: Self::Staged,
        transactions: &[(String, i64)],
        commit_id: Uuid,
    ) -> Result<u64, CommitError> {
        let VaultedStaged { staged, landing } = staged;
        let failed = |error| CommitError::Failed(storage(CHECKING, error));
        if !self.step.still_stands(&landing).await.map_err(failed)? {
            self.step.parts.metrics.staged_again();
            let source = "a key was destroyed or a text forgotten meanwhile; the texts are read again".into();
            return Err(CommitError::Failed(StoreError::Storage { doing: CHECKING, source }));
        }
        *self.unheard.lock().unwrap_or_else(PoisonError::into_inner) = Some((commit_id, Arc::clone(&landing)));
        let version = self.table.commit(on, staged, transactions, commit_id).await?;
        self.landed(&landing).await;
        Ok(version)
    }

    async fn find_commit(&self, commit_id: Uuid, since_version: u64) -> Result<Option<u64>, StoreError> {
        let found = self.table.find_commit(commit_id, since_version).await?;
        let unheard = self.unheard.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let (Some(_), Some((_, landing))) = (found, unheard.filter(|(id, _)| *id == commit_id)) {
            self.landed(&landing).await;
        }
        Ok(found)
    }
}
