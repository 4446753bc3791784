//! Membership: partitions are shared out, taken away at once, and given to others.

use std::time::Duration;

use custody_log::kafka::{Assignment, GroupConfig, KafkaGroup};
use custody_types::LogPosition;
use rdkafka::{
    ClientConfig, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
};
use tokio::sync::watch;

use crate::world::{SOON, TOPIC, cluster, config};

async fn until(assignment: &mut watch::Receiver<Assignment>, is_right: impl Fn(&Assignment) -> bool) -> Assignment {
    tokio::time::timeout(SOON, assignment.wait_for(|now| is_right(now))).await.unwrap().unwrap().clone()
}

#[tokio::test]
async fn two_members_share_the_partitions_and_one_takes_over_what_the_other_leaves() {
    let cluster = cluster(4);
    share_and_take_over(&cluster.bootstrap_servers(), TOPIC).await;
}

/// With a topic of four partitions; the group is called like it.
pub async fn share_and_take_over(brokers: &str, topic: &str) {
    let kafka = config(brokers);
    // The mock holds a rebalance back for as long as a session.
    let group = GroupConfig { session_timeout: Duration::from_secs(6), ..GroupConfig::new(topic, topic) };
    let one = KafkaGroup::join(&kafka, &group).unwrap();
    let mut of_one = one.assignment();
    let alone = until(&mut of_one, |now| now.partitions == [0, 1, 2, 3]).await;
    let other = KafkaGroup::join(&kafka, &group).unwrap();
    let mut of_other = other.assignment();
    let shared = until(&mut of_other, |now| now.partitions.len() == 2).await;
    let left = until(&mut of_one, |now| now.partitions.len() == 2).await;
    assert!(left.generation >= alone.generation + 2, "revoked first, then assigned: {left:?} after {alone:?}");
    let mut both: Vec<i32> = shared.partitions.iter().chain(&left.partitions).copied().collect();
    both.sort_unstable();
    assert_eq!(both, [0, 1, 2, 3]);
    other.leave().await;
    until(&mut of_one, |now| now.partitions == [0, 1, 2, 3]).await;
    assert!(of_other.borrow().partitions.is_empty(), "who left reads nothing");
    one.leave().await;
    assert!(of_one.borrow().partitions.is_empty());
}

#[tokio::test]
async fn a_member_that_loses_the_brokers_for_its_session_reads_nothing() {
    let cluster = cluster(2);
    let group = GroupConfig { session_timeout: Duration::from_secs(6), ..GroupConfig::new("ingest", TOPIC) };
    let member = KafkaGroup::join(&config(&cluster.bootstrap_servers()), &group).unwrap();
    let mut assignment = member.assignment();
    until(&mut assignment, |now| now.partitions == [0, 1]).await;
    cluster.broker_down(-1).unwrap();
    until(&mut assignment, |now| now.partitions.is_empty()).await;
    cluster.broker_up(-1).unwrap();
    until(&mut assignment, |now| now.partitions == [0, 1]).await;
    member.leave().await;
}

#[tokio::test]
async fn positions_are_published_for_monitoring() {
    let cluster = cluster(2);
    publish_positions(&cluster.bootstrap_servers(), TOPIC).await;
}

/// With a topic of two partitions; the group is called like it.
pub async fn publish_positions(brokers: &str, topic: &str) {
    let member = KafkaGroup::join(&config(brokers), &GroupConfig::new(topic, topic)).unwrap();
    until(&mut member.assignment(), |now| now.partitions == [0, 1]).await;
    let settings = ClientConfig::new().set("bootstrap.servers", brokers).set("group.id", topic).clone();
    let looker: BaseConsumer = settings.create().unwrap();
    let mut committed = None;
    for _ in 0..100 {
        member.commit_for_monitoring(&[(1, LogPosition::new(7))]);
        tokio::time::sleep(Duration::from_millis(100)).await;
        let mut asked = TopicPartitionList::new();
        asked.add_partition(topic, 1);
        let answer = looker.committed_offsets(asked, SOON).unwrap();
        committed = answer.elements()[0].offset().to_raw();
        if committed == Some(7) {
            break;
        }
    }
    assert_eq!(committed, Some(7));
    member.leave().await;
}
