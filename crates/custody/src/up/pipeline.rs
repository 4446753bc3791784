//! Journal, recovery and ingest as one part that is started and stopped.

use std::{future::Future, ops::RangeInclusive, path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use async_trait::async_trait;
use custody_gateway::{Recorder, recover, workspace::Workspace};
use custody_ingest::{EventLookup, Ingest, IngestConfig, IngestError, IngestMetrics, IngestParts};
use custody_lake::{DeadLetterStore, EventDecoder, EventStore, LakeReader, StoreError};
use custody_log::{FileDisk, Journal, JournalConfig, JournalReader, LogReader, OpenReport};
use custody_types::{Clock, IdSource, JournalId, LogPosition, Seq, Source};
use tokio::{sync::watch, task::JoinHandle};

use super::orphans::Orphanage;

/// The consumer whose floor holds the journal's truncation back.
const INGEST: &str = "ingest";

/// What the pipeline is told.
pub struct PipelineConfig<'a> {
    pub data_dir: &'a Path,
    pub flush_age: Duration,
    pub flush_bytes: usize,
    pub journal_bytes: u64,
}

/// A running journal with its way into the lake.
pub struct Pipeline {
    journal: Journal,
    stop: watch::Sender<bool>,
    ingest: JoinHandle<Result<(), IngestError>>,
    orphanage: JoinHandle<()>,
    ended: watch::Receiver<bool>,
}

impl Pipeline {
    /// Opens the journal, closes what an earlier boot left open, and starts ingest.
    pub async fn start(
        config: &PipelineConfig<'_>,
        workspace: &Arc<Workspace>,
        clock: &Arc<dyn Clock>,
        ids: &Arc<dyn IdSource>,
    ) -> Result<Self> {
        let (journal, report) = open_journal(config, ids.as_ref())?;
        tell(&report);
        let recovered = recover(report.open_requests, workspace, clock.as_ref(), ids.as_ref()).await?;
        if recovered.closed > 0 {
            tracing::warn!(closed = recovered.closed, unreadable = recovered.unreadable, "requests of an earlier run got their outcome");
        }
        let (stop, stopped) = watch::channel(false);
        let (tell_end, ended) = watch::channel(false);
        let orphanage =
            Orphanage { journal: journal.clone(), workspace: Arc::clone(workspace), clock: Arc::clone(clock), ids: Arc::clone(ids) };
        let orphanage = tokio::spawn(orphanage.run(stopped.clone()));
        let ingest = prepare_ingest(config, &journal, clock, ids).await?;
        let ingest = tokio::spawn(async move {
            let result = ingest.run(stopped).await;
            tell_end.send_replace(true);
            result
        });
        Ok(Self { journal, stop, ingest, orphanage, ended })
    }

    /// Done when ingest has ended, which it does by itself only when it cannot go on: the program must then end too, so that
    /// whoever supervises it learns of it, instead of filling the journal in silence.
    pub fn ended(&self) -> impl Future<Output = ()> + use<> {
        let mut ended = self.ended.clone();
        async move {
            // A sender that is gone without a word is ingest's panic.
            let _ = ended.wait_for(|ended| *ended).await;
        }
    }

    /// Where the gateway records.
    pub fn recorder(&self) -> Arc<dyn Recorder> {
        Arc::new(self.journal.clone())
    }

    /// Puts the rest of the journal into the lake and closes it. Run it when no request is under way.
    pub async fn stop(self) -> Result<()> {
        self.stop.send_replace(true);
        self.orphanage.await.context("the task that closes orphaned requests ended abnormally")?;
        let flushed = self.ingest.await.context("ingest ended abnormally")?;
        self.journal.shutdown().await;
        flushed.context("ingest stopped; what is not in the lake stays in the journal")
    }
}

fn open_journal(config: &PipelineConfig<'_>, ids: &dyn IdSource) -> Result<(Journal, OpenReport)> {
    let folder = config.data_dir.join("journal");
    let disk = FileDisk::open(&folder).with_context(|| format!("the journal's folder `{}` cannot be used", folder.display()))?;
    let mut journal_config = JournalConfig::new(JournalId::from_uuid(*ids.request_id().as_uuid()));
    journal_config.max_total_bytes = config.journal_bytes;
    journal_config.consumers = vec![INGEST.to_owned()];
    Ok(Journal::open(journal_config, Arc::new(disk))?)
}

fn tell(report: &OpenReport) {
    let recovery = &report.recovery;
    tracing::info!(source = %recovery.source, first = %recovery.first, end = %recovery.end, "journal opened");
    if let Some(torn) = &recovery.torn {
        tracing::warn!(
            segment = torn.segment,
            offset = torn.offset,
            bytes = torn.bytes,
            kept = torn.quarantine,
            "a torn tail was set aside"
        );
    }
    if recovery.copied {
        tracing::error!(
            "the journal's folder is a copy: if the original is still written, both use one name; events are kept, and told apart by their ids"
        );
    }
    if !recovery.damaged.is_empty() {
        tracing::error!(records = recovery.damaged.len(), "records were altered on disk; they are kept as dead letters");
    }
}

async fn prepare_ingest(
    config: &PipelineConfig<'_>,
    journal: &Journal,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn IdSource>,
) -> Result<Ingest<JournalReader, EventDecoder, EventStore, DeadLetterStore>> {
    let lake = config.data_dir.join("lake");
    std::fs::create_dir_all(&lake).with_context(|| format!("the lake's folder `{}` cannot be made", lake.display()))?;
    let events = EventStore::open(&lake, Arc::clone(clock), Arc::clone(ids)).await?;
    let dead_letters = DeadLetterStore::open(&lake, Arc::clone(clock), Arc::clone(ids)).await?;
    let truncating = journal.clone();
    let parts = IngestParts {
        log: journal.reader(LogPosition::START),
        decoder: EventDecoder::new()?,
        events,
        dead_letters,
        lookup: Arc::new(LakeLookup(LakeReader::open(&lake).await?)),
        acknowledge: Box::new(move |floor| truncating.set_floor(INGEST, floor)),
        clock: Arc::clone(clock),
        ids: Arc::clone(ids),
        observer: Arc::new(IngestMetrics::default()),
    };
    let ingest_config = IngestConfig { flush_bytes: config.flush_bytes, flush_age: config.flush_age, ..IngestConfig::default() };
    tracing::info!(partition = parts.log.partition(), "ingest follows the journal");
    Ok(Ingest::new(ingest_config, parts))
}

/// The lake as ingest asks it.
struct LakeLookup(LakeReader);

#[async_trait]
impl EventLookup for LakeLookup {
    async fn event_ids_at(&self, source: Source, seqs: RangeInclusive<u64>) -> Result<Vec<(Seq, String)>, StoreError> {
        self.0.event_ids_at(source, seqs).await
    }
}
