//! `custody ingest`: the log's partitions into the lake, shared by any number of instances.
//!
//! ```text
//! join the group ─▶ given partitions ─▶ an ingest over exactly these ─▶ given others, or none: drop it, begin anew
//!                                                        ▲  the table alone says where to begin; nothing is handed over
//! ```
//! Who holds a partition is a matter of sharing work, not of safety: an instance that does not know yet that it lost one is refused by
//! the position check of its next commit.

mod pages;
mod upkeep;

use std::{path::Path, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use clap::Args;
use custody_gateway::{SystemClock, SystemIds};
use custody_ingest::{Ingest, IngestConfig, IngestMetrics, IngestObserver, IngestParts};
use custody_lake::{DeadLetterStore, EventDecoder, EventStore, LakeReader};
use custody_log::kafka::{Assignment, GroupConfig, KafkaGroup, KafkaReader};
use custody_types::{Clock, Fault, IdSource, LogPosition, Retry};
use tokio::sync::watch;

use self::{pages::IngestPages, upkeep::Upkeep};
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

/// A pause before an ingest that could not begin is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(2);

/// How long a rebalance may take before partitions that were taken away count as somebody else's.
const REBALANCE: Duration = Duration::from_secs(15);

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
    let group = GroupConfig::new(&deployment.ingest.group, &deployment.log.topic.name);
    let member = Arc::new(KafkaGroup::join(&deployment.log.kafka, &group)?);
    let pages = Arc::new(IngestPages::new(&instance.metrics, &deployment, member.assignment()));
    let door = Door::open(address, Arc::clone(&pages) as Arc<dyn super::door::Pages>).await?;
    let interrupted = interrupted();
    say("custody ingest is up");
    say(&format!("  pages     http://{}/metrics", door.address()?));
    say(&format!("  lake      {}", deployment.lake));
    say("  ready");
    let (stop, stopping) = watch::channel(false);
    let door = tokio::spawn(door.serve(stopping.clone()));
    let upkeep = tokio::spawn(Upkeep::new(&deployment, member.assignment()).run(stopping.clone()));
    let expiry = expiry(&deployment, &args.service.config)?;
    let assigned = member.assignment();
    let has_turn = Arc::new(move || upkeep::is_first(&assigned.borrow()));
    let expiry = expiry.map(|expiry| tokio::spawn(expiry.run(has_turn, stopping.clone())));
    let signal = tokio::spawn(async move {
        interrupted.await;
        announce_stop();
        stop.send_replace(true);
    });
    let result = instance.run(&member, stopping).await;
    if let Some(member) = Arc::into_inner(member) {
        member.leave().await;
    }
    signal.abort();
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

/// Expiry in the background, where texts are kept; by the instance that looks after the lake.
fn expiry(deployment: &Deployment, file: &Path) -> Result<Option<Expiry>> {
    if deployment.vault.is_none() {
        return Ok(None);
    }
    let place = RevealPlace::in_deployment(deployment, OfficePlace::of_service(deployment, "ingest"))?;
    Ok(Some(Expiry::in_deployment(place, file)))
}

/// What the ingests of one process share, one after the other.
struct Instance {
    deployment: Arc<Deployment>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    metrics: Arc<IngestMetrics>,
}

type RunningIngest = Ingest<KafkaReader, EventDecoder, EventStore, DeadLetterStore>;

impl Instance {
    fn new(deployment: &Arc<Deployment>) -> Self {
        Self {
            deployment: Arc::clone(deployment),
            clock: Arc::new(SystemClock::new()),
            ids: Arc::new(SystemIds),
            metrics: Arc::new(IngestMetrics::default()),
        }
    }

    /// Ingests what the group assigns, until told to stop.
    async fn run(&self, member: &Arc<KafkaGroup>, mut stop: watch::Receiver<bool>) -> Result<()> {
        let mut assignment = member.assignment();
        while !*stop.borrow() {
            let current = assignment.borrow_and_update().clone();
            if current.partitions.is_empty() {
                tokio::select! {
                    changed = assignment.changed() => changed.context("the group's membership ended")?,
                    _ = stop.wait_for(|stop| *stop) => {}
                }
                continue;
            }
            tokio::select! {
                // Buffers are dropped with the future. Who is given the partitions reads them again from where the table stands.
                changed = given_others(&mut assignment, &current) => changed?,
                ended = self.ingest(member, &current, stop.clone()) => ended?,
            }
        }
        Ok(())
    }

    /// Ingests these partitions until told to stop. What may pass is tried again.
    async fn ingest(&self, member: &Arc<KafkaGroup>, current: &Assignment, mut stop: watch::Receiver<bool>) -> Result<()> {
        tracing::info!(partitions = ?current.partitions, "partitions assigned");
        loop {
            match self.begin(member, current).await {
                Ok(ingest) => return ingest.run(stop).await.context("ingest cannot go on; what is not stored stays in the log"),
                Err(BeginError::Never(error)) => return Err(error),
                Err(BeginError::Later(error)) => tracing::warn!(error = format!("{error:#}"), "ingest could not begin and tries again"),
            }
            if tokio::time::timeout(TRY_AGAIN, stop.wait_for(|stop| *stop)).await.is_ok() {
                return Ok(());
            }
        }
    }

    async fn begin(&self, member: &Arc<KafkaGroup>, current: &Assignment) -> Result<RunningIngest, BeginError> {
        let log = &self.deployment.log;
        let mut logs = Vec::with_capacity(current.partitions.len());
        for partition in &current.partitions {
            logs.push(KafkaReader::open(&log.kafka, &log.topic.name, *partition).map_err(BeginError::of)?);
        }
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
        Ok(Ingest::new(config, parts))
    }

    async fn open_events(&self) -> Result<EventStore, custody_lake::StoreError> {
        EventStore::open(&self.deployment.lake, Arc::clone(&self.clock), Arc::clone(&self.ids)).await
    }

    async fn open_dead_letters(&self) -> Result<DeadLetterStore, custody_lake::StoreError> {
        DeadLetterStore::open(&self.deployment.lake, Arc::clone(&self.clock), Arc::clone(&self.ids)).await
    }
}

/// Done when the group gives this instance other partitions. A rebalance takes all away first and mostly gives the same back: so long the
/// ingest goes on, which the position check makes safe, and the batch that it has is not read again.
async fn given_others(assignment: &mut watch::Receiver<Assignment>, current: &Assignment) -> Result<()> {
    loop {
        assignment.changed().await.context("the group's membership ended")?;
        let is_given = |given: &Assignment| !given.partitions.is_empty();
        let given = tokio::time::timeout(REBALANCE, assignment.wait_for(is_given)).await;
        match given {
            Ok(Ok(given)) if given.partitions == current.partitions => {}
            _ => return Ok(()),
        }
    }
}

/// The group's offsets are for lag monitors; nothing is resumed from them.
fn tell_group(member: &KafkaGroup, partition: &str, floor: LogPosition) {
    if let Some(number) = partition.rsplit_once('/').and_then(|(_, number)| number.parse().ok()) {
        member.commit_for_monitoring(&[(number, floor)]);
    }
}

/// Why an ingest could not begin.
enum BeginError {
    /// Trying again helps.
    Later(anyhow::Error),
    /// A person must act.
    Never(anyhow::Error),
}

impl BeginError {
    fn of<E: Fault + std::error::Error + Send + Sync + 'static>(error: E) -> Self {
        match error.retry() {
            Retry::Never => Self::Never(error.into()),
            Retry::After(_) => Self::Later(error.into()),
        }
    }
}
