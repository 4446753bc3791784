//! Journal, recovery and ingest as one part that is started and stopped.

use std::{future::Future, path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use custody_gateway::{MoreMetrics, Recorder, workspace::Workspace};
use custody_ingest::{Ingest, IngestConfig, IngestError, IngestMetrics, IngestObserver, IngestParts};
use custody_lake::{DeadLetterStore, EventDecoder, EventStore, LakeReader, LakeRoot};
use custody_log::{Journal, JournalReader};
use custody_types::{Clock, IdSource, LogPosition};
use tokio::{sync::watch, task::JoinHandle};

use super::texts::{TextPipeline, TextSource};
use crate::{
    figures::Figures,
    ingest_parts::{LakeLookup, add_figures},
    journal,
    office::{self, StoredMark},
    orphans::Orphanage,
    texts,
};

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
    metrics: Arc<IngestMetrics>,
    /// Nothing while no text is kept.
    texts: Option<TextPipeline>,
}

impl Pipeline {
    /// Opens the journal, closes what an earlier boot left open, and starts ingest; that of texts too, where there are any.
    pub async fn start(
        config: &PipelineConfig<'_>,
        source: Option<TextSource<'_>>,
        workspace: &Arc<Workspace>,
        clock: &Arc<dyn Clock>,
        ids: &Arc<dyn IdSource>,
    ) -> Result<Self> {
        let (journal, report) = journal::open(&config.data_dir.join("journal"), config.journal_bytes, INGEST, ids.as_ref())?;
        journal::close_earlier_requests(report, workspace, clock.as_ref(), ids.as_ref()).await?;
        let (stop, stopped) = watch::channel(false);
        let (tell_end, ended) = watch::channel(false);
        let orphanage =
            Orphanage { journal: journal.clone(), workspace: Arc::clone(workspace), clock: Arc::clone(clock), ids: Arc::clone(ids) };
        let orphanage = tokio::spawn(orphanage.run(stopped.clone()));
        let metrics = Arc::new(IngestMetrics::default());
        let ingest = prepare_ingest(config, &journal, &metrics, (clock, ids)).await?;
        let texts = match source {
            Some(source) => {
                let (lake, tell_end) = (LakeRoot::folder(config.data_dir.join("lake")), tell_end.clone());
                Some(TextPipeline::start(source, &lake, ingest_config(config), (clock, ids), stopped.clone(), tell_end).await?)
            }
            None => None,
        };
        let ingest = tokio::spawn(async move {
            let result = ingest.run(stopped).await;
            tell_end.send_replace(true);
            result
        });
        Ok(Self { journal, stop, ingest, orphanage, ended, metrics, texts })
    }

    /// What ingest has to say at `/metrics`.
    pub fn metrics(&self) -> MoreMetrics {
        let metrics = Arc::clone(&self.metrics);
        let of_texts = self.texts.as_ref().map(|pipeline| pipeline.texts.clone());
        Arc::new(move || {
            let mut figures = Figures::default();
            add_figures(&mut figures, &metrics.figures());
            if let Some(of_texts) = &of_texts {
                texts::add_figures(&mut figures, of_texts);
            }
            figures.into_text()
        })
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
        let texts_flushed = match self.texts {
            Some(texts) => texts.stop().await,
            None => Ok(()),
        };
        self.journal.shutdown().await;
        flushed.context("ingest stopped; what is not in the lake stays in the journal")?;
        texts_flushed
    }
}

async fn prepare_ingest(
    config: &PipelineConfig<'_>,
    journal: &Journal,
    metrics: &Arc<IngestMetrics>,
    (clock, ids): (&Arc<dyn Clock>, &Arc<dyn IdSource>),
) -> Result<Ingest<JournalReader, EventDecoder, EventStore, DeadLetterStore>> {
    let folder = config.data_dir.join("lake");
    std::fs::create_dir_all(&folder).with_context(|| format!("the lake's folder `{}` cannot be made", folder.display()))?;
    let lake = LakeRoot::folder(folder);
    let events = EventStore::open(&lake, Arc::clone(clock), Arc::clone(ids)).await?;
    let dead_letters = DeadLetterStore::open(&lake, Arc::clone(clock), Arc::clone(ids)).await?;
    let office = office::prepare(config.data_dir, ids.as_ref()).await?;
    let commands = JournalReader::open_read_only(&office).context("the office journal cannot be read")?;
    let (truncating, own, office) = (journal.clone(), format!("journal/{}", journal.id()), StoredMark::of(&office));
    let parts = IngestParts {
        logs: vec![journal.reader(LogPosition::START), commands],
        decoder: EventDecoder::new()?,
        events,
        dead_letters,
        lookup: Arc::new(LakeLookup(LakeReader::open(&lake).await?)),
        acknowledge: Box::new(
            move |partition: &str, floor| {
                if partition == own { truncating.set_floor(INGEST, floor) } else { office.write(partition, floor) }
            },
        ),
        clock: Arc::clone(clock),
        ids: Arc::clone(ids),
        observer: Arc::clone(metrics) as Arc<dyn IngestObserver>,
    };
    Ok(Ingest::new(ingest_config(config), parts))
}

fn ingest_config(config: &PipelineConfig<'_>) -> IngestConfig {
    IngestConfig { flush_bytes: config.flush_bytes, flush_age: config.flush_age, ..IngestConfig::default() }
}
