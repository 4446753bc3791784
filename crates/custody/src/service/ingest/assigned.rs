//! An ingest over the partitions that a consumer group assigns, again and again.

use std::{pin::Pin, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use async_trait::async_trait;
use custody_ingest::IngestError;
use custody_log::kafka::{Assignment, KafkaConfig, KafkaGroup, KafkaReader};
use custody_types::{Fault, LogPosition, Retry};
use tokio::sync::watch;

/// A pause before an ingest that could not begin is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(2);

/// How long a rebalance may take before partitions that were taken away count as somebody else's.
const REBALANCE: Duration = Duration::from_secs(15);

/// An ingest that runs until it is told to stop.
pub type Running = Pin<Box<dyn Future<Output = Result<(), IngestError>> + Send>>;

/// Begins ingests of one topic.
#[async_trait]
pub trait Begin: Send + Sync {
    /// An ingest over exactly these partitions. Nothing is handed over from one to the next: the table says where to begin.
    async fn begin(&self, member: &Arc<KafkaGroup>, current: &Assignment, stop: watch::Receiver<bool>) -> Result<Running, BeginError>;
}

/// Why an ingest could not begin.
pub enum BeginError {
    /// Trying again helps.
    Later(anyhow::Error),
    /// A person must act.
    Never(anyhow::Error),
}

impl BeginError {
    pub fn of<E: Fault + std::error::Error + Send + Sync + 'static>(error: E) -> Self {
        match error.retry() {
            Retry::Never => Self::Never(error.into()),
            Retry::After(_) => Self::Later(error.into()),
        }
    }
}

/// Ingests what the group assigns, until told to stop.
pub async fn run(begin: &dyn Begin, member: &Arc<KafkaGroup>, mut stop: watch::Receiver<bool>) -> Result<()> {
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
            ended = ingest(begin, member, &current, stop.clone()) => ended?,
        }
    }
    Ok(())
}

/// Ingests these partitions until told to stop. What may pass is tried again.
async fn ingest(begin: &dyn Begin, member: &Arc<KafkaGroup>, current: &Assignment, mut stop: watch::Receiver<bool>) -> Result<()> {
    tracing::info!(partitions = ?current.partitions, "partitions assigned");
    loop {
        match begin.begin(member, current, stop.clone()).await {
            Ok(running) => return running.await.context("ingest cannot go on; what is not stored stays in the log"),
            Err(BeginError::Never(error)) => return Err(error),
            Err(BeginError::Later(error)) => tracing::warn!(error = format!("{error:#}"), "ingest could not begin and tries again"),
        }
        if tokio::time::timeout(TRY_AGAIN, stop.wait_for(|stop| *stop)).await.is_ok() {
            return Ok(());
        }
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

/// Readers of partitions of a topic.
pub fn readers(kafka: &KafkaConfig, topic: &str, partitions: impl IntoIterator<Item = i32>) -> Result<Vec<KafkaReader>, BeginError> {
    partitions.into_iter().map(|partition| KafkaReader::open(kafka, topic, partition).map_err(BeginError::of)).collect()
}

/// The group's offsets are for lag monitors; nothing is resumed from them.
pub fn tell_group(member: &KafkaGroup, partition: &str, floor: LogPosition) {
    if let Some(number) = partition.rsplit_once('/').and_then(|(_, number)| number.parse().ok()) {
        member.commit_for_monitoring(&[(number, floor)]);
    }
}
