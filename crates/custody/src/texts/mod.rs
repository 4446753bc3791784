//! Sealed texts into the lake, as every deployment moves them: the vault step before the table, its keys, and what waits for them.

mod backlog;
mod figures;

use std::{collections::BTreeMap, ops::RangeInclusive, sync::Arc};

use anyhow::{Context, Result};
use async_trait::async_trait;
use custody_ingest::{
    Acknowledge, EventLookup, Ingest, IngestConfig, IngestMetrics, IngestObserver, IngestParts,
    content::{
        ContentDecoder, ContentMetrics, ContentUpkeep, RedactionRules, UpkeepConfig, VaultParts as StepParts, VaultStep, VaultStepConfig,
        VaultedContentStore,
    },
};
use custody_lake::{ContentStore, DeadLetterStore, LakeReader, LakeRoot, StoreError};
use custody_log::LogReader;
use custody_redact::Rules;
use custody_types::{Clock, IdSource, Seq, Source, Text};
use custody_vault::{Claims, Holds, ParkedRecords, Tombstones};

pub use self::{
    backlog::{AllPartitions, LogBacklog},
    figures::add_figures,
};
use crate::{office::Register, vault_parts::VaultParts};

/// The loop that moves texts.
pub type TextIngest<L> = Ingest<L, ContentDecoder, VaultedContentStore<ContentStore>, DeadLetterStore>;

/// What the text ingests of one process share.
#[derive(Clone)]
pub struct Texts {
    lake: LakeRoot,
    step: Arc<VaultStep>,
    vault: VaultParts,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    /// What the loop counts.
    pub metrics: Arc<IngestMetrics>,
}

/// The lake as the loop asks it.
struct TextLookup(LakeReader);

impl Texts {
    /// Over a vault; `redactions` is what the workspace's rules name.
    pub fn new(
        lake: &LakeRoot,
        vault: &VaultParts,
        redactions: &BTreeMap<Text, Rules>,
        config: VaultStepConfig,
        clock: &Arc<dyn Clock>,
        ids: &Arc<dyn IdSource>,
    ) -> Result<Self> {
        let named = redactions.iter().map(|(name, rules)| (name.to_string(), rules.clone())).collect();
        let parts = StepParts {
            edge: vault.edge.clone(),
            units: Arc::clone(&vault.units),
            pseudonyms: Arc::clone(&vault.pseudonyms),
            claims: Claims::new(Arc::clone(&vault.objects)),
            parked: ParkedRecords::new(Arc::clone(&vault.objects)),
            tombstones: Tombstones::new(Arc::clone(&vault.objects)),
            holds: Holds::new(Arc::clone(&vault.objects)),
            redaction: RedactionRules::new(&named).context("redaction rules of data-handling.toml cannot be used")?,
            clock: Arc::clone(clock),
            metrics: Arc::new(ContentMetrics::default()),
        };
        let step = Arc::new(VaultStep::new(parts, config));
        let (clock, ids) = (Arc::clone(clock), Arc::clone(ids));
        Ok(Self { lake: lake.clone(), step, vault: vault.clone(), clock, ids, metrics: Arc::default() })
    }

    /// What the vault step counted.
    pub fn step_metrics(&self) -> &Arc<ContentMetrics> {
        self.step.metrics()
    }

    /// The vault.
    pub const fn vault(&self) -> &VaultParts {
        &self.vault
    }

    /// The table, made if it is not there.
    pub async fn table(&self) -> Result<ContentStore, StoreError> {
        ContentStore::open(&self.lake, Arc::clone(&self.clock), Arc::clone(&self.ids)).await
    }

    /// What the table holds at a place.
    pub async fn lookup(&self) -> Result<Arc<dyn EventLookup>, StoreError> {
        Ok(Arc::new(TextLookup(LakeReader::open(&self.lake).await?)))
    }

    /// A loop over these partitions.
    pub async fn ingest<L: LogReader>(
        &self,
        logs: Vec<L>,
        config: IngestConfig,
        acknowledge: Box<dyn Acknowledge>,
    ) -> Result<TextIngest<L>, StoreError> {
        let parts = IngestParts {
            logs,
            decoder: ContentDecoder,
            events: VaultedContentStore::new(Arc::clone(&self.step), self.table().await?),
            dead_letters: DeadLetterStore::open(&self.lake, Arc::clone(&self.clock), Arc::clone(&self.ids)).await?,
            lookup: self.lookup().await?,
            acknowledge,
            clock: Arc::clone(&self.clock),
            ids: Arc::clone(&self.ids),
            observer: Arc::clone(&self.metrics) as Arc<dyn IngestObserver>,
        };
        Ok(Ingest::new(config, parts))
    }

    /// What goes on beside the loops. Keys that it destroys are recorded there.
    pub async fn upkeep(
        &self,
        stream: impl AllPartitions + 'static,
        register: Register,
    ) -> Result<ContentUpkeep<ContentStore>, StoreError> {
        Ok(ContentUpkeep {
            step: Arc::clone(&self.step),
            table: self.table().await?,
            lookup: self.lookup().await?,
            backlog: Arc::new(LogBacklog::new(stream, self.table().await?)),
            witness: Arc::new(register),
            ids: Arc::clone(&self.ids),
            config: UpkeepConfig::default(),
        })
    }
}

#[async_trait]
impl EventLookup for TextLookup {
    async fn event_ids_at(&self, source: Source, seqs: RangeInclusive<u64>) -> Result<Vec<(Seq, String)>, StoreError> {
        self.0.content_ids_at(source, seqs).await
    }

    fn may_forget(&self) -> bool {
        true
    }
}
