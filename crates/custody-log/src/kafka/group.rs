//! Who reads what: membership in a consumer group that shares out a topic's partitions, and nothing else.
//!
//! ```text
//!   joining ──assigned──▶ {partitions} ──revoked, or the session is lost──▶ {} ──assigned──▶ {partitions} …
//! ```
//!
//! The assignment is advice, so that few ingests meet at one partition; it is not the guard. Two members may believe in the same
//! partition for a moment, and the table's own check lets one of their commits land. Records are never fetched here, and the offsets
//! committed are for people who watch lag: nobody resumes from them.

use std::{
    fmt,
    sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel},
    thread::JoinHandle,
    time::Duration,
};

use custody_types::LogPosition;
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer},
    error::KafkaError,
};
use tokio::sync::watch;

use crate::kafka::{config::KafkaConfig, error::KafkaClientError, members::Members};

/// How long one poll waits: leaving and commits for monitoring are noticed within it.
const POLL: Duration = Duration::from_millis(100);
/// Commits that may wait; more are dropped, newer ones follow.
const COMMITS: usize = 8;

type Positions = Vec<(i32, LogPosition)>;

/// Which group shares out which topic.
#[derive(Debug, Clone)]
pub struct GroupConfig {
    /// The group.
    pub group: String,
    /// The topic.
    pub topic: String,
    /// A name that outlives restarts (static membership): a member that comes back within the session keeps its partitions.
    pub instance: Option<String>,
    /// How long a member may be silent before its partitions go to others.
    pub session_timeout: Duration,
}

/// What this member reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assignment {
    /// Rises with every change, as seen by this member.
    pub generation: u64,
    /// Partitions, in order.
    pub partitions: Vec<i32>,
}

/// A member of a group. Dropping it leaves the group a moment later; [`KafkaGroup::leave`] waits for that.
pub struct KafkaGroup {
    commits: SyncSender<Positions>,
    assignment: watch::Receiver<Assignment>,
    thread: JoinHandle<()>,
}

impl fmt::Debug for KafkaGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KafkaGroup({:?})", *self.assignment.borrow())
    }
}

impl GroupConfig {
    /// The defaults.
    #[must_use]
    pub fn new(group: impl Into<String>, topic: impl Into<String>) -> Self {
        Self {
            group: group.into(),
            topic: topic.into(),
            instance: None,
            // Two owners for a moment are harmless here, an unread partition is not: shorter than the usual 45 s, and above what brokers
            // accept at least (6 s).
            session_timeout: Duration::from_secs(10),
        }
    }
}

impl KafkaGroup {
    /// Joins. Needs no broker yet: the assignment stays empty until the group answers.
    pub fn join(kafka: &KafkaConfig, config: &GroupConfig) -> Result<Self, KafkaClientError> {
        let (sender, assignment) = watch::channel(Assignment::default());
        let members = Members { events: kafka.events(), topic: config.topic.clone(), assignment: sender };
        let made = settings(kafka, config).create_with_context(members);
        let consumer: BaseConsumer<Members> = made.map_err(KafkaClientError::new("making a group's member"))?;
        consumer.subscribe(&[&config.topic]).map_err(KafkaClientError::new("joining the group"))?;
        let (commits, orders) = sync_channel(COMMITS);
        let topic = config.topic.clone();
        let thread = std::thread::Builder::new()
            .name("kafka-group".into())
            .spawn(move || take_part(&consumer, &orders, &topic))
            .map_err(|source| KafkaClientError { doing: "starting the group's thread", source: source.into() })?;
        Ok(Self { commits, assignment, thread })
    }

    /// The partitions of this member, as they change. Empty at once when they are revoked; closed after leaving, or when the group
    /// refuses this member for good.
    #[must_use]
    pub fn assignment(&self) -> watch::Receiver<Assignment> {
        self.assignment.clone()
    }

    /// Publishes positions as the group's offsets, for lag monitors. Best effort: nothing is resumed from them.
    pub fn commit_for_monitoring(&self, positions: &[(i32, LogPosition)]) {
        let _ = self.commits.try_send(positions.to_vec());
    }

    /// Leaves the group; others may take its partitions when this returns (with static membership, once the session is over).
    pub async fn leave(self) {
        let Self { commits, thread, .. } = self;
        drop(commits);
        let _ = tokio::task::spawn_blocking(move || thread.join()).await;
    }
}

/// The member's thread. Polls, because that is how rebalances are heard, until the handle is gone.
fn take_part(consumer: &BaseConsumer<Members>, orders: &Receiver<Positions>, topic: &str) {
    loop {
        match orders.try_recv() {
            Ok(positions) => commit(consumer, topic, &positions),
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => return,
        }
        // A message that came before the pause is dropped: it is read elsewhere.
        if let Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) = consumer.poll(POLL) {
            tracing::error!(%error, "the group refuses this member; it reads nothing until it is started again");
            return;
        }
    }
}

fn commit(consumer: &BaseConsumer<Members>, topic: &str, positions: &[(i32, LogPosition)]) {
    let mut offsets = TopicPartitionList::new();
    for (partition, position) in positions {
        let offset = Offset::Offset(i64::try_from(position.get()).unwrap_or(i64::MAX));
        let _ = offsets.add_partition_offset(topic, *partition, offset);
    }
    if let Err(error) = consumer.commit(&offsets, CommitMode::Async) {
        tracing::debug!(%error, "positions for monitoring were not sent");
    }
}

fn settings(kafka: &KafkaConfig, config: &GroupConfig) -> ClientConfig {
    let session = config.session_timeout.as_millis();
    let mut client = kafka.client();
    client
        .set("group.id", &config.group)
        // Eager: everything is revoked before anything is assigned. Cooperative assignment with commits by hand is a known trouble of
        // the library (its issue 4059), and here a partition moves in milliseconds anyway.
        .set("partition.assignment.strategy", "range")
        .set("session.timeout.ms", session.to_string())
        // Members hear of a change with their next heartbeat; ten in a session make a hand-over take a second.
        .set("heartbeat.interval.ms", (session / 10).max(1).to_string())
        // The thread polls ten times a second. Silent for this long, the whole process is stuck, and its partitions go to others.
        .set("max.poll.interval.ms", session.max(30_000).to_string())
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "latest")
        // What little is fetched before the pause is thrown away.
        .set("queued.max.messages.kbytes", "64")
        .set("queued.min.messages", "1");
    if let Some(instance) = &config.instance {
        client.set("group.instance.id", instance);
    }
    client
}
