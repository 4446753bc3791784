//! The way of sealed texts into the lake within `custody up`: from their journal, through the vault step.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Context, Result};
use async_trait::async_trait;
use custody_ingest::{IngestConfig, IngestError, content::VaultStepConfig};
use custody_lake::LakeRoot;
use custody_log::{Journal, JournalReader};
use custody_redact::Rules;
use custody_types::{Clock, IdSource, LogPosition, Text};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    office::Register,
    texts::{AllPartitions, Texts},
    vault_parts::VaultParts,
};

/// What it is started with: the content journal, already open, and the vault.
pub struct TextSource<'a> {
    /// The content journal.
    pub journal: Journal,
    /// The consumer whose floor holds its truncation back.
    pub consumer: &'static str,
    /// The vault.
    pub vault: &'a VaultParts,
    /// Redaction rules by name.
    pub redactions: &'a BTreeMap<Text, Rules>,
    /// Where it is recorded that keys are destroyed.
    pub register: Register,
}

/// The content stream of `custody up`.
struct OneJournal(Journal);

/// The running loop and its upkeep.
pub struct TextPipeline {
    /// For figures.
    pub texts: Texts,
    ingest: JoinHandle<Result<(), IngestError>>,
    upkeep: JoinHandle<()>,
}

#[async_trait]
impl AllPartitions for OneJournal {
    type Log = JournalReader;

    async fn readers(&self) -> Result<Vec<JournalReader>> {
        Ok(vec![self.0.reader(LogPosition::START)])
    }
}

impl TextPipeline {
    /// Starts both. The tables of events are there already. `ended` is told when the loop ends by itself.
    pub async fn start(
        source: TextSource<'_>,
        lake: &LakeRoot,
        config: IngestConfig,
        (clock, ids): (&Arc<dyn Clock>, &Arc<dyn IdSource>),
        stopped: watch::Receiver<bool>,
        ended: watch::Sender<bool>,
    ) -> Result<Self> {
        let TextSource { journal, consumer, vault, redactions, register } = source;
        let texts = Texts::new(lake, vault, redactions, VaultStepConfig::default(), clock, ids)?;
        let reader = || journal.reader(LogPosition::START);
        let truncating = journal.clone();
        let acknowledge = Box::new(move |_: &str, floor| truncating.set_floor(consumer, floor));
        let ingest = texts.ingest(vec![reader()], config, acknowledge).await?;
        let upkeep = texts.upkeep(OneJournal(journal.clone()), register).await?;
        let upkeep = tokio::spawn(upkeep.run(stopped.clone()));
        let ingest = tokio::spawn(async move {
            let result = ingest.run(stopped).await;
            ended.send_replace(true);
            result
        });
        Ok(Self { texts, ingest, upkeep })
    }

    /// Waits for the last batch; the stop was told before. The journal is closed by who opened it.
    pub async fn stop(self) -> Result<()> {
        self.upkeep.await.context("the upkeep of texts ended abnormally")?;
        let flushed = self.ingest.await.context("the ingest of texts ended abnormally")?;
        flushed.context("the ingest of texts stopped; what is not in the lake stays in the content journal")
    }
}
