//! The topics that we need: compared with what is there, made, and checked at start.

use std::{collections::BTreeMap, fmt, sync::Arc};

use rdkafka::{
    admin::{AdminClient, AdminOptions, AlterConfig, ConfigSource, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication},
    error::{KafkaError, RDKafkaErrorCode},
    metadata::Metadata,
};

use crate::kafka::{
    asker::{Asker, LIMIT},
    config::{KafkaConfig, is_loopback},
    contact::Events,
    error::{KafkaClientError, TopicError},
    topic_facts::TopicFacts,
};

/// A topic as it must be. `cleanup.policy` is always `delete`, `compression.type` the producer's, timestamps the broker's, and leaders
/// are elected cleanly; the whole table stands in `topic_facts.rs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicPlan {
    /// Its name.
    pub name: String,
    /// Partitions; may be raised later, never lowered.
    pub partitions: u32,
    /// Copies of each partition.
    pub replication: u32,
    /// How long records are kept, in milliseconds; -1 for ever.
    pub retention_ms: i64,
    /// Copies that must have a record before it is acknowledged.
    pub min_insync_replicas: u32,
    /// Largest batch; at least [`crate::kafka::ShipperConfig::max_message_bytes`].
    pub max_message_bytes: u32,
}

/// What keeps a topic from being as planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopicDifference {
    /// It does not exist.
    Create,
    /// It has too few partitions.
    AddPartitions {
        /// As it is.
        from: u32,
        /// As planned.
        to: u32,
    },
    /// A setting differs.
    AlterConfig {
        /// The setting.
        key: &'static str,
        /// As it is; empty where the broker does not say.
        from: String,
        /// As planned.
        to: String,
    },
    /// No change of ours mends it.
    Refuse {
        /// Why, for a person.
        sentence: String,
    },
}

impl fmt::Display for TopicDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create => f.write_str("create the topic"),
            Self::AddPartitions { from, to } => write!(f, "add partitions: {from} to {to}"),
            Self::AlterConfig { key, from, to } => write!(f, "alter `{key}`: `{from}` to `{to}`"),
            Self::Refuse { sentence } => f.write_str(sentence),
        }
    }
}

/// Asks about topics and changes them.
pub struct TopicAdmin {
    asker: Arc<Asker>,
    /// Missing with MSK IAM: the library's admin client never asks for a token.
    admin: Option<AdminClient<Events>>,
    is_plaintext: bool,
}

impl fmt::Debug for TopicAdmin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TopicAdmin")
    }
}

impl TopicAdmin {
    /// Prepares to ask. Needs no broker yet.
    ///
    /// With MSK IAM only partitions and replicas can be asked for, and nothing can be changed: settings are then checked by whoever
    /// made the topics.
    pub fn open(kafka: &KafkaConfig) -> Result<Self, KafkaClientError> {
        let doing = || KafkaClientError::new("making an admin client");
        let asker = Arc::new(Asker::open(kafka).map_err(doing())?);
        let admin = match kafka.is_msk_iam() {
            true => None,
            false => Some(kafka.client().create_with_context(kafka.events().without_log()).map_err(doing())?),
        };
        Ok(Self { asker, admin, is_plaintext: kafka.is_plaintext() })
    }

    /// What must be done for the topic to be as planned; nothing is changed.
    pub async fn plan(&self, plan: &TopicPlan) -> Result<Vec<TopicDifference>, TopicError> {
        let (found, _) = self.look(&plan.name).await?;
        let mut differences = plan.differences(found.as_ref());
        if self.admin.is_none() {
            let sentence = "with MSK IAM settings can't be read or changed from here: use the AWS tools".to_owned();
            differences.push(TopicDifference::Refuse { sentence });
        }
        Ok(differences)
    }

    /// Makes the differences that [`TopicAdmin::plan`] found, all or, where one is a refusal, none.
    pub async fn apply(&self, plan: &TopicPlan, differences: &[TopicDifference]) -> Result<(), TopicError> {
        let refused = differences.iter().filter(|difference| matches!(difference, TopicDifference::Refuse { .. }));
        let reasons: Vec<String> = refused.map(ToString::to_string).collect();
        if !reasons.is_empty() {
            return Err(TopicError::Unsafe { topic: plan.name.clone(), reasons });
        }
        let is_altered = differences.iter().any(|difference| matches!(difference, TopicDifference::AlterConfig { .. }));
        for difference in differences {
            match difference {
                TopicDifference::Create => self.create(plan).await?,
                TopicDifference::AddPartitions { to, .. } => self.add_partitions(&plan.name, *to).await?,
                TopicDifference::AlterConfig { .. } | TopicDifference::Refuse { .. } => {}
            }
        }
        if is_altered { self.alter(plan, differences).await } else { Ok(()) }
    }

    /// Refuses a topic that would lose or refuse records: asked at start.
    pub async fn check(&self, plan: &TopicPlan) -> Result<(), TopicError> {
        let (found, strangers) = self.look(&plan.name).await?;
        let mut reasons = plan.dangers(found.as_ref());
        if self.is_plaintext {
            reasons.extend(strangers.iter().map(|host| {
                format!("broker `{host}` would be reached without encryption: advertise a loopback address, or use TLS, SCRAM or IAM")
            }));
        }
        if found.is_some_and(|found| found.settings.is_none()) {
            tracing::warn!(topic = plan.name, "the topic's settings cannot be checked with MSK IAM");
        }
        if reasons.is_empty() { Ok(()) } else { Err(TopicError::Unsafe { topic: plan.name.clone(), reasons }) }
    }

    /// How many partitions the topic has; nothing where it does not exist.
    pub async fn partitions(&self, topic: &str) -> Result<Option<u32>, TopicError> {
        Ok(shape(&self.asker.metadata().await?, topic).map(|facts| facts.partitions))
    }

    /// The topic, if it exists, and the brokers that are not on this machine.
    async fn look(&self, topic: &str) -> Result<(Option<TopicFacts>, Vec<String>), TopicError> {
        let metadata = self.asker.metadata().await?;
        let brokers = metadata.brokers().iter().map(|broker| broker.host().to_owned());
        let strangers = brokers.filter(|host| !is_loopback(host)).collect();
        let Some(mut facts) = shape(&metadata, topic) else { return Ok((None, strangers)) };
        if let Some(admin) = &self.admin {
            let (settings, own) = settings(admin, topic).await?;
            (facts.settings, facts.own) = (Some(settings), own);
        }
        Ok((Some(facts), strangers))
    }

    fn admin(&self) -> Result<&AdminClient<Events>, KafkaClientError> {
        let source = "with MSK IAM topics can't be changed from here: use the AWS tools";
        self.admin.as_ref().ok_or(KafkaClientError { doing: "changing a topic", source: source.into() })
    }

    async fn create(&self, plan: &TopicPlan) -> Result<(), TopicError> {
        let settings = plan.new_topic_settings();
        let (partitions, replication) = (signed(plan.partitions), TopicReplication::Fixed(signed(plan.replication)));
        let topic = NewTopic::new(&plan.name, partitions, replication);
        let topic = settings.iter().fold(topic, |topic, (key, value)| topic.set(key, value));
        let answers = self.admin()?.create_topics([&topic], &options()).await;
        each_done("creating a topic", answers.map(|all| all.into_iter().map(|one| one.map_err(|(_, code)| code).map(drop)).collect()))
    }

    async fn add_partitions(&self, topic: &str, to: u32) -> Result<(), TopicError> {
        let partitions = NewPartitions::new(topic, to as usize);
        let answers = self.admin()?.create_partitions([&partitions], &options()).await;
        each_done("adding partitions", answers.map(|all| all.into_iter().map(|one| one.map_err(|(_, code)| code).map(drop)).collect()))
    }

    /// Alters settings. The request replaces all that were set for the topic, so those are named again.
    async fn alter(&self, plan: &TopicPlan, differences: &[TopicDifference]) -> Result<(), TopicError> {
        let admin = self.admin()?;
        let (_, own) = settings(admin, &plan.name).await?;
        let mut altered = AlterConfig::new(ResourceSpecifier::Topic(&plan.name));
        for (key, value) in &own {
            altered = altered.set(key, value);
        }
        for difference in differences {
            if let TopicDifference::AlterConfig { key, to, .. } = difference {
                altered = altered.set(key, to);
            }
        }
        let answers = admin.alter_configs([&altered], &options()).await;
        each_done("altering a topic", answers.map(|all| all.into_iter().map(|one| one.map_err(|(_, code)| code).map(drop)).collect()))
    }
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(LIMIT)).operation_timeout(Some(LIMIT))
}

fn signed(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn each_done(doing: &'static str, answers: Result<Vec<Result<(), RDKafkaErrorCode>>, KafkaError>) -> Result<(), TopicError> {
    let answers = answers.map_err(KafkaClientError::new(doing))?;
    let refused = answers.into_iter().find_map(Result::err);
    refused.map_or(Ok(()), |code| Err(KafkaClientError::new(doing)(KafkaError::AdminOp(code)).into()))
}

fn shape(metadata: &Metadata, topic: &str) -> Option<TopicFacts> {
    let found = metadata.topics().iter().find(|found| found.name() == topic && !found.partitions().is_empty())?;
    let fewest = found.partitions().iter().map(|partition| partition.replicas().len()).min().unwrap_or_default();
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Some(TopicFacts { partitions: count(found.partitions().len()), replication: count(fewest), ..TopicFacts::default() })
}

type Settings = BTreeMap<String, String>;

/// The topic's settings in force, and those that were set for it.
async fn settings(admin: &AdminClient<Events>, topic: &str) -> Result<(Settings, Settings), TopicError> {
    const DOING: &str = "asking for a topic's settings";
    let answers = admin.describe_configs([&ResourceSpecifier::Topic(topic)], &options()).await;
    let mut answers = answers.map_err(KafkaClientError::new(DOING))?;
    let answer = answers.pop().unwrap_or(Err(RDKafkaErrorCode::InvalidMessage));
    let resource = answer.map_err(|code| KafkaClientError::new(DOING)(KafkaError::AdminOp(code)))?;
    let (mut settings, mut own) = (Settings::new(), Settings::new());
    for entry in resource.entries {
        let Some(value) = entry.value else { continue };
        if entry.source == ConfigSource::DynamicTopic {
            own.insert(entry.name.clone(), value.clone());
        }
        settings.insert(entry.name, value);
    }
    Ok((settings, own))
}
