//! The table of texts as the loop sees it: staging is the vault step, committing looks at the keys once more.
//!
//! ```text
//! stage   settle, wait, park ─▶ rows ─▶ files that no reader sees
//! commit  is each key that sealed still kept? ─▶ no: the batch is surely not made, and is read and sealed again
//!                                             ─▶ yes: rows and positions ─▶ landed ─▶ claims of the edge are deleted
//! ```
//! The keys are looked at after the snapshot was taken: an erasure that destroys one later deletes its rows later still, by a version
//! that either comes before this commit, which then meets a table that moved on, or after it, and then finds the rows.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use custody_lake::{CommitError, ContentRows, StoreError, TableState, TableStore};
use custody_seal::rest::{ShredUnit, UnitKeyId};
use custody_types::fault_point;
use custody_vault::VaultError;
use uuid::Uuid;

use super::{metrics::Tally, outcome::SettledText, step::VaultStep, texts::SealedTexts};

const STAGING: &str = "opening and sealing texts";
const CHECKING: &str = "checking that the keys of sealed texts are still kept";

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
    pub(super) keys: BTreeSet<(ShredUnit, UnitKeyId)>,
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
    /// Whether every key is where it was. One that is gone is forgotten here too, so that the next text gets another.
    pub(super) async fn all_kept(&self, keys: &BTreeSet<(ShredUnit, UnitKeyId)>) -> Result<bool, VaultError> {
        let mut all = true;
        for (unit, key) in keys {
            if !self.parts.units.still_kept(unit, *key).await? {
                all = false;
                let _ = self.parts.units.for_opening(unit, *key).await;
            }
        }
        Ok(all)
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
        if !self.step.all_kept(&landing.keys).await.map_err(failed)? {
            self.step.parts.metrics.staged_again();
            let source = "a key was destroyed meanwhile; its texts are read again".into();
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
