//! The ingest of sealed texts beside that of events: a topic, a group and a table of its own, and the vault's upkeep.

use std::sync::Arc;

use anyhow::{Context, Result};
use async_trait::async_trait;
use custody_gateway::workspace::Workspace;
use custody_ingest::IngestConfig;
use custody_log::kafka::{Assignment, GroupConfig, KafkaGroup, KafkaReader, TopicAdmin, TopicPlan};
use custody_types::{Clock, IdSource, LogPosition};
use tokio::{sync::watch, task::JoinHandle};

use super::{
    assigned::{self, Begin, BeginError, Running, readers, tell_group},
    looking_after::{BeginUpkeep, RunningUpkeep, look_after},
};
use crate::{
    deployment::Deployment,
    office::{OfficePlace, Register},
    texts::{AllPartitions, Texts},
};

/// The texts' side of one process.
pub struct SealedTexts {
    /// What its loops share.
    pub texts: Texts,
    /// What the topic is called.
    pub topic: String,
    deployment: Arc<Deployment>,
    register: Register,
    member: Arc<KafkaGroup>,
}

/// Its tasks.
pub struct RunningTexts {
    member: Arc<KafkaGroup>,
    ingest: JoinHandle<Result<()>>,
    /// Nothing once its end was seen.
    upkeep: Option<JoinHandle<()>>,
}

/// The content stream as it is now: partitions may be added while an instance runs.
struct ContentStream(Arc<Deployment>, TopicPlan);

impl SealedTexts {
    /// Joins the group. Nothing where the deployment has no vault.
    pub async fn join(deployment: &Arc<Deployment>, clock: &Arc<dyn Clock>, ids: &Arc<dyn IdSource>) -> Result<Option<Self>> {
        let Some((vault, topic)) = deployment.vault.as_ref().zip(deployment.log.content.clone()) else { return Ok(None) };
        let admin = TopicAdmin::open(&deployment.log.kafka)?;
        admin.check(&topic).await.context("the topic of sealed texts cannot be used; `custody topics apply` makes it as it should be")?;
        let workspace = Workspace::load(&deployment.workspace_dir).context("the redaction rules of the workspace cannot be read")?;
        let vault = vault.open(clock).await?;
        let texts = Texts::new(&deployment.lake, &vault, &workspace.handling.redactions, deployment.ingest.vault_step(), clock, ids)?;
        texts.table().await.context("the lake's table of texts cannot be used")?;
        let group = GroupConfig::new(format!("{}-texts", deployment.ingest.group), &topic.name);
        let member = Arc::new(KafkaGroup::join(&deployment.log.kafka, &group)?);
        let register = Register::of_service(OfficePlace::of_service(deployment, "ingest"), &workspace, "custody ingest");
        Ok(Some(Self { texts, topic: topic.name, deployment: Arc::clone(deployment), register, member }))
    }

    /// What this instance is given of the topic.
    pub fn assignment(&self) -> watch::Receiver<Assignment> {
        self.member.assignment()
    }

    /// Starts.
    pub fn start(self: Arc<Self>, stopping: &watch::Receiver<bool>) -> RunningTexts {
        let member = Arc::clone(&self.member);
        let (this, stop) = (Arc::clone(&self), stopping.clone());
        let ingest = tokio::spawn(async move { assigned::run(this.as_ref(), &this.member, stop).await });
        let (assignment, stop) = (member.assignment(), stopping.clone());
        let upkeep = tokio::spawn(async move { look_after(self.as_ref(), assignment, stop).await });
        RunningTexts { member, ingest, upkeep: Some(upkeep) }
    }
}

#[async_trait]
impl AllPartitions for ContentStream {
    type Log = KafkaReader;

    async fn readers(&self) -> Result<Vec<KafkaReader>> {
        let Self(deployment, topic) = self;
        let partitions = TopicAdmin::open(&deployment.log.kafka)?.partitions(&topic.name).await?;
        let partitions = partitions.with_context(|| format!("the topic `{}` does not exist", topic.name))?;
        match readers(&deployment.log.kafka, &topic.name, 0..i32::try_from(partitions)?) {
            Ok(readers) => Ok(readers),
            Err(BeginError::Later(error) | BeginError::Never(error)) => Err(error),
        }
    }
}

#[async_trait]
impl BeginUpkeep for SealedTexts {
    async fn begin(&self, stop: watch::Receiver<bool>) -> Result<RunningUpkeep> {
        let topic = self.deployment.log.content.clone().context("the deployment has no topic of sealed texts")?;
        let stream = ContentStream(Arc::clone(&self.deployment), topic);
        Ok(Box::pin(self.texts.upkeep(stream, self.register.clone()).await?.run(stop)))
    }
}

#[async_trait]
impl Begin for SealedTexts {
    async fn begin(&self, member: &Arc<KafkaGroup>, current: &Assignment, stop: watch::Receiver<bool>) -> Result<Running, BeginError> {
        let logs = readers(&self.deployment.log.kafka, &self.topic, current.partitions.iter().copied())?;
        let told = &self.deployment.ingest;
        let config = IngestConfig { flush_bytes: told.flush_bytes, flush_age: told.flush_age, ..IngestConfig::default() };
        let member = Arc::clone(member);
        let acknowledge = Box::new(move |partition: &str, floor: LogPosition| tell_group(&member, partition, floor));
        let ingest = self.texts.ingest(logs, config, acknowledge).await.map_err(BeginError::of)?;
        Ok(Box::pin(ingest.run(stop)))
    }
}

impl RunningTexts {
    /// Done when the loop has ended, told to or because it cannot go on; or when the upkeep ended by a defect: keys that nobody makes
    /// would end in refused requests.
    pub async fn ended(&mut self) -> Result<()> {
        ended_of(&mut self.ingest, &mut self.upkeep).await
    }

    /// Leaves the group, once the loop has ended.
    pub async fn leave(mut self) -> Result<()> {
        if self.upkeep.is_some() {
            of_upkeep(&mut self.upkeep).await?;
        }
        if let Some(member) = Arc::into_inner(self.member) {
            member.leave().await;
        }
        Ok(())
    }
}

async fn ended_of(ingest: &mut JoinHandle<Result<()>>, upkeep: &mut Option<JoinHandle<()>>) -> Result<()> {
    loop {
        tokio::select! {
            ended = &mut *ingest => return ended.context("the ingest of texts ended abnormally")?,
            ended = of_upkeep(upkeep) => {
                *upkeep = None;
                ended?;
            }
        }
    }
}

/// The end of the upkeep; never where that was seen.
async fn of_upkeep(upkeep: &mut Option<JoinHandle<()>>) -> Result<()> {
    match upkeep {
        Some(upkeep) => upkeep.await.context("the upkeep of texts ended abnormally"),
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A gateway seals to keys that the upkeep makes: where it died, the process must not go on as if nothing was.
    #[tokio::test]
    async fn an_upkeep_that_panics_ends_the_process_with_an_error() {
        let mut ingest = tokio::spawn(std::future::pending::<Result<()>>());
        let mut upkeep = Some(tokio::spawn(async { panic!("a defect") }));
        let ended = tokio::select! {
            ended = ended_of(&mut ingest, &mut upkeep) => ended,
            () = tokio::time::sleep(std::time::Duration::from_secs(10)) => panic!("the death of the upkeep is not noticed"),
        };
        assert!(ended.unwrap_err().to_string().contains("the upkeep of texts ended abnormally"));
    }
}
