//! The ingest of sealed texts beside that of events: a topic, a group and a table of its own, and the vault's upkeep.

use std::sync::Arc;

use anyhow::{Context, Result};
use async_trait::async_trait;
use custody_gateway::workspace::Workspace;
use custody_ingest::IngestConfig;
use custody_log::kafka::{Assignment, GroupConfig, KafkaGroup, TopicAdmin, TopicPlan};
use custody_types::{Clock, IdSource, LogPosition};
use tokio::{sync::watch, task::JoinHandle};

use super::assigned::{self, Begin, BeginError, Running, readers, tell_group};
use crate::{deployment::Deployment, texts::Texts};

/// Whoever is given it looks after keys and parked texts.
const FIRST_PARTITION: i32 = 0;

/// The texts' side of one process.
pub struct SealedTexts {
    /// What its loops share.
    pub texts: Texts,
    topic: TopicPlan,
    deployment: Arc<Deployment>,
    partitions: i32,
}

/// Its tasks.
pub struct RunningTexts {
    member: Arc<KafkaGroup>,
    ingest: JoinHandle<Result<()>>,
    upkeep: JoinHandle<Result<()>>,
}

impl SealedTexts {
    /// Nothing where the deployment has no vault.
    pub async fn open(deployment: &Arc<Deployment>, clock: &Arc<dyn Clock>, ids: &Arc<dyn IdSource>) -> Result<Option<Self>> {
        let Some((vault, topic)) = deployment.vault.as_ref().zip(deployment.log.content.clone()) else { return Ok(None) };
        let admin = TopicAdmin::open(&deployment.log.kafka)?;
        admin.check(&topic).await.context("the topic of sealed texts cannot be used; `custody topics apply` makes it as it should be")?;
        let partitions = admin.partitions(&topic.name).await?.with_context(|| format!("the topic `{}` does not exist", topic.name))?;
        let workspace = Workspace::load(&deployment.workspace_dir).context("the redaction rules of the workspace cannot be read")?;
        let texts = Texts::new(&deployment.lake, &vault.open(clock).await?, &workspace.handling.redactions, clock, ids)?;
        texts.table().await.context("the lake's table of texts cannot be used")?;
        let deployment = Arc::clone(deployment);
        Ok(Some(Self { texts, topic, deployment, partitions: i32::try_from(partitions)? }))
    }

    /// Joins the group and starts.
    pub fn start(self: Arc<Self>, stopping: &watch::Receiver<bool>) -> Result<RunningTexts> {
        let group = GroupConfig::new(format!("{}-texts", self.deployment.ingest.group), &self.topic.name);
        let member = Arc::new(KafkaGroup::join(&self.deployment.log.kafka, &group)?);
        let (of_loop, stop) = (Arc::clone(&member), stopping.clone());
        let this = Arc::clone(&self);
        let ingest = tokio::spawn(async move { assigned::run(this.as_ref(), &of_loop, stop).await });
        let upkeep = tokio::spawn(self.look_after(member.assignment(), stopping.clone()));
        Ok(RunningTexts { member, ingest, upkeep })
    }

    /// Keys of the days and parked texts, while this instance holds the first partition. Two at once would only do it twice.
    async fn look_after(self: Arc<Self>, mut assignment: watch::Receiver<Assignment>, mut stop: watch::Receiver<bool>) -> Result<()> {
        while !*stop.borrow() {
            tokio::select! {
                is_member = until_held(&mut assignment, true) => if !is_member { return Ok(()) },
                () = until_told(&mut stop) => return Ok(()),
            }
            let logs = match readers(&self.deployment.log.kafka, &self.topic.name, 0..self.partitions) {
                Ok(logs) => logs,
                Err(BeginError::Later(error) | BeginError::Never(error)) => return Err(error),
            };
            let upkeep = self.texts.upkeep(logs).await?;
            tokio::select! {
                () = upkeep.run(stop.clone()) => {}
                is_member = until_held(&mut assignment, false) => if !is_member { return Ok(()) },
            }
        }
        Ok(())
    }
}

/// Done when the first partition is this instance's, or no longer. False when the membership ended, which the loop reports.
async fn until_held(assignment: &mut watch::Receiver<Assignment>, is_held: bool) -> bool {
    assignment.wait_for(|given| given.partitions.contains(&FIRST_PARTITION) == is_held).await.is_ok()
}

async fn until_told(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

#[async_trait]
impl Begin for SealedTexts {
    async fn begin(&self, member: &Arc<KafkaGroup>, current: &Assignment, stop: watch::Receiver<bool>) -> Result<Running, BeginError> {
        let logs = readers(&self.deployment.log.kafka, &self.topic.name, current.partitions.iter().copied())?;
        let told = &self.deployment.ingest;
        let config = IngestConfig { flush_bytes: told.flush_bytes, flush_age: told.flush_age, ..IngestConfig::default() };
        let member = Arc::clone(member);
        let acknowledge = Box::new(move |partition: &str, floor: LogPosition| tell_group(&member, partition, floor));
        let ingest = self.texts.ingest(logs, config, acknowledge).await.map_err(BeginError::of)?;
        Ok(Box::pin(ingest.run(stop)))
    }
}

impl RunningTexts {
    /// Done when the loop has ended: told to, or because it cannot go on.
    pub async fn ended(&mut self) -> Result<()> {
        (&mut self.ingest).await.context("the ingest of texts ended abnormally")?
    }

    /// Leaves the group, once the loop has ended.
    pub async fn leave(self) -> Result<()> {
        self.upkeep.await.context("the upkeep of texts ended abnormally")??;
        if let Some(member) = Arc::into_inner(self.member) {
            member.leave().await;
        }
        Ok(())
    }
}
