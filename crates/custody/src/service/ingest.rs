//! `custody ingest`: the log's partitions into the lake, shared by any number of instances.
//!
//! ```text
//! join the group ─▶ given partitions ─▶ an ingest over exactly these ─▶ given others, or none: drop it, begin anew
//!                                                        ▲  the table alone says where to begin; nothing is handed over
//! ```
//! Who holds a partition is a matter of sharing work, not of safety: an instance that does not know yet that it lost one is refused by
//! the position check of its next commit.

mod assigned;
mod looking_after;
mod pages;
mod sealed_texts;
mod stream;
mod upkeep;

use std::{path::Path, process::ExitCode, sync::Arc};

use anyhow::{Context, Result};
use async_trait::async_trait;
use clap::Args;
use custody_gateway::{SystemClock, SystemIds};
use custody_ingest::{Ingest, IngestConfig, IngestMetrics, IngestObserver, IngestParts};
use custody_lake::{DeadLetterStore, EventDecoder, EventStore, LakeReader};
use custody_log::kafka::{Assignment, GroupConfig, KafkaGroup};
use custody_types::{Clock, IdSource, LogPosition};
use tokio::sync::watch;

use self::{
    assigned::{Begin, BeginError, Running, readers, tell_group},
    pages::IngestPages,
    sealed_texts::{RunningTexts, SealedTexts},
    upkeep::Upkeep,
};
use super::{ServiceArgs, door::Door, on_loopback};
use crate::{
    deployment::Deployment,
    forget::Expiry,
    ingest_parts::LakeLookup,
    office::OfficePlace,
    process::{announce_stop, interrupted},
    reveal::RevealPlace,
    terminal::say,
    topics,
};

/// Who holds the office journal.
const OFFICE: &str = "custody ingest";

/// Move the log into the lake.
#[derive(Debug, Args)]
#[command(after_help = "\
Start as many as you like: they share the topic's partitions through a consumer group. Each event is stored exactly
once, whatever instance stores it, also through kill -9, rebalances and storage that does not answer.

Ctrl-C or SIGTERM stores what was read, leaves the group and ends. Pages: /healthz, /readyz, /metrics.

Exit codes: 0 stopped, 1 failed, 2 the arguments or the configuration are wrong.")]
pub struct IngestArgs {
    #[command(flatten)]
    service: ServiceArgs,
}

/// Runs until interrupted.
pub async fn run(args: IngestArgs) -> Result<ExitCode> {
    let deployment = Arc::new(Deployment::load(&args.service.config)?);
    let address = on_loopback(args.service.listen.unwrap_or(deployment.ingest.listen))?;
    topics::refuse_unsafe(&deployment.log).await?;
    let instance = Instance::new(&deployment);
    // Made, or given the columns it lacks, before anybody reads or writes: a first commit must not be a first version.
    instance.open_events().await.context("the lake cannot be used")?;
    instance.open_dead_letters().await.context("the lake cannot be used")?;
    let expiry = expiry(&deployment, &args.service.config).await?;
    let texts = SealedTexts::join(&deployment, &instance.clock, &instance.ids).await?.map(Arc::new);
    let group = GroupConfig::new(&deployment.ingest.group, &deployment.log.topic.name);
    let member = Arc::new(KafkaGroup::join(&deployment.log.kafka, &group)?);
    let pages = Arc::new(IngestPages::new(&instance.metrics, &deployment, member.assignment(), texts.as_deref()));
    let door = Door::open(address, Arc::clone(&pages) as Arc<dyn super::door::Pages>).await?;
    let interrupted = interrupted();
    say("custody ingest is up");
    say(&format!("  pages     http://{}/metrics", door.address()?));
    say(&format!("  lake      {}", deployment.lake));
    say("  ready");
    let (stop, stopping) = watch::channel(false);
    let door = tokio::spawn(door.serve(stopping.clone()));
    let upkeep = tokio::spawn(Upkeep::new(&deployment, member.assignment()).run(stopping.clone()));
    let assigned = member.assignment();
    let has_turn = Arc::new(move || upkeep::is_first(&assigned.borrow()));
    let expiry = expiry.map(|expiry| tokio::spawn(expiry.run(has_turn, stopping.clone())));
    let mut running = texts.map(|texts| texts.start(&stopping));
    let stop = Arc::new(stop);
    let stopper = Arc::clone(&stop);
    let signal = tokio::spawn(async move {
        interrupted.await;
        announce_stop();
        stopper.send_replace(true);
    });
    let result = run_both(&instance, &member, running.as_mut(), &stop, stopping).await;
    if let Some(member) = Arc::into_inner(member) {
        member.leave().await;
    }
    signal.abort();
    if let Some(running) = running.filter(|_| result.is_ok()) {
        running.leave().await?;
    }
    if result.is_ok() {
        upkeep.await.context("the lake's upkeep ended abnormally")?;
        if let Some(expiry) = expiry {
            expiry.await.context("the task that forgets what is due ended abnormally")?;
        }
        door.await.context("the door ended abnormally")?;
        say("stopped; what was read is in the lake");
    }
    result.map(|()| ExitCode::SUCCESS)
}

/// Expiry in the background, where texts are kept; by the instance that looks after the lake. What is destroyed is recorded, so that the
/// place for that has to be there from the start.
async fn expiry(deployment: &Deployment, file: &Path) -> Result<Option<Expiry>> {
    if deployment.vault.is_none() {
        return Ok(None);
    }
    let place = RevealPlace::in_deployment(deployment, OfficePlace::of_service(deployment, "ingest"))?;
    place.office.prove(OFFICE).await.context("what is forgotten could not be recorded; [office] folder says where it would be")?;
    Ok(Some(Expiry::in_deployment(place, file)))
}

/// Events and texts until told to stop, or until one of both cannot go on: then the other stores what it has and stops too.
async fn run_both(
    instance: &Instance,
    member: &Arc<KafkaGroup>,
    texts: Option<&mut RunningTexts>,
    stop: &watch::Sender<bool>,
    stopping: watch::Receiver<bool>,
) -> Result<()> {
    let events = async {
        let ended = assigned::run(instance, member, stopping).await;
        stop.send_replace(true);
        ended
    };
    let texts = async {
        let Some(texts) = texts else { return Ok(()) };
        let ended = texts.ended().await;
        stop.send_replace(true);
        ended
    };
    let (events, texts) = tokio::join!(events, texts);
    events.and(texts)
}

/// What the ingests of one process share, one after the other.
struct Instance {
    deployment: Arc<Deployment>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    metrics: Arc<IngestMetrics>,
}

impl Instance {
    fn new(deployment: &Arc<Deployment>) -> Self {
        Self {
            deployment: Arc::clone(deployment),
            clock: Arc::new(SystemClock::new()),
            ids: Arc::new(SystemIds),
            metrics: Arc::new(IngestMetrics::default()),
        }
    }

    async fn open_events(&self) -> Result<EventStore, custody_lake::StoreError> {
        EventStore::open(&self.deployment.lake, Arc::clone(&self.clock), Arc::clone(&self.ids)).await
    }

    async fn open_dead_letters(&self) -> Result<DeadLetterStore, custody_lake::StoreError> {
        DeadLetterStore::open(&self.deployment.lake, Arc::clone(&self.clock), Arc::clone(&self.ids)).await
    }
}

#[async_trait]
impl Begin for Instance {
    async fn begin(&self, member: &Arc<KafkaGroup>, current: &Assignment, stop: watch::Receiver<bool>) -> Result<Running, BeginError> {
        let log = &self.deployment.log;
        let logs = readers(&log.kafka, &log.topic.name, current.partitions.iter().copied())?;
        let told = Arc::clone(member);
        let parts = IngestParts {
            logs,
            decoder: EventDecoder::new().map_err(BeginError::of)?,
            events: self.open_events().await.map_err(BeginError::of)?,
            dead_letters: self.open_dead_letters().await.map_err(BeginError::of)?,
            lookup: Arc::new(LakeLookup(LakeReader::open(&self.deployment.lake).await.map_err(BeginError::of)?)),
            acknowledge: Box::new(move |partition: &str, floor: LogPosition| tell_group(&told, partition, floor)),
            clock: Arc::clone(&self.clock),
            ids: Arc::clone(&self.ids),
            observer: Arc::clone(&self.metrics) as Arc<dyn IngestObserver>,
        };
        let told = &self.deployment.ingest;
        let config = IngestConfig { flush_bytes: told.flush_bytes, flush_age: told.flush_age, ..IngestConfig::default() };
        Ok(Box::pin(Ingest::new(config, parts).run(stop)))
    }
}
