//! Where Kafka and S3 are, as `cargo xtask services env` tells it, and a topic to measure on.

use std::env;

use anyhow::{Context, Result};
use custody_lake::{LakeRoot, S3Options};
use custody_log::kafka::{KafkaConfig, KafkaSecurity, TopicAdmin, TopicPlan};

#[expect(clippy::disallowed_methods, reason = "a bench is told by its environment where the services are")]
fn variable(name: &str) -> Result<String> {
    env::var(name).with_context(|| format!("`{name}` is not set: eval \"$(cargo xtask services env)\" after `cargo xtask services up`"))
}

/// The brokers.
pub fn kafka() -> Result<KafkaConfig> {
    let brokers = variable("CUSTODY_TEST_KAFKA")?.split(',').map(str::to_owned).collect();
    Ok(KafkaConfig::new(brokers, KafkaSecurity::Plaintext, "custody-bench")?)
}

/// A lake of its own in the bucket of the environment's S3 store.
pub fn s3_lake(prefix: &str) -> Result<LakeRoot> {
    let endpoint = Some(variable("CUSTODY_TEST_S3_ENDPOINT")?.parse().context("the S3 endpoint is not a URL")?);
    let root = format!("s3://{}/{prefix}", variable("CUSTODY_TEST_S3_BUCKET")?);
    Ok(LakeRoot::parse(&root, S3Options { endpoint, region: Some("us-east-1".to_owned()) })?)
}

/// A topic that is forgotten after an hour.
pub async fn make_topic(kafka: &KafkaConfig, name: &str, partitions: u32) -> Result<()> {
    let plan = TopicPlan {
        name: name.to_owned(),
        partitions,
        replication: 1,
        retention_ms: 3_600_000,
        min_insync_replicas: 1,
        max_message_bytes: 2 << 20,
    };
    let admin = TopicAdmin::open(kafka)?;
    let differences = admin.plan(&plan).await?;
    Ok(admin.apply(&plan, &differences).await?)
}
