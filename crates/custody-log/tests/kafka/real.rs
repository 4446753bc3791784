//! The suite and the topics on a real broker. Run by `cargo xtask test`, which sets `CUSTODY_TEST_KAFKA` to `host:port` (plaintext, on
//! loopback) and passes `--ignored`.

use std::{sync::Arc, time::Duration};

use custody_log::{
    LogReader,
    kafka::{KafkaConfig, Shipper, ShipperConfig, TopicAdmin, TopicDifference, TopicError, TopicPlan},
};
use custody_testkit::disk::SimDisk;
use custody_types::LogPosition;
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier},
    client::DefaultClientContext,
};
use tokio::{sync::watch, time::Instant};

use crate::world::{KafkaLog, SOON, append, assert_gapless, config, journal};

fn brokers() -> String {
    #[expect(clippy::disallowed_methods, reason = "the address comes from `cargo xtask test`")]
    std::env::var("CUSTODY_TEST_KAFKA").expect("CUSTODY_TEST_KAFKA is not set: run `cargo xtask test`")
}

pub fn plan(partitions: u32) -> TopicPlan {
    let unique = tempfile::Builder::new().prefix("custody-test-").rand_bytes(12).tempdir().unwrap();
    TopicPlan {
        name: unique.path().file_name().unwrap().to_string_lossy().into_owned(),
        partitions,
        replication: 1,
        retention_ms: 3_600_000,
        min_insync_replicas: 1,
        max_message_bytes: 2 << 20,
    }
}

async fn made(partitions: u32) -> (TopicAdmin, TopicPlan) {
    made_with(&config(&brokers()), partitions).await
}

pub async fn made_with(kafka: &KafkaConfig, partitions: u32) -> (TopicAdmin, TopicPlan) {
    let (admin, plan) = (TopicAdmin::open(kafka).unwrap(), plan(partitions));
    let differences = admin.plan(&plan).await.unwrap();
    assert_eq!(differences, [TopicDifference::Create]);
    admin.apply(&plan, &differences).await.unwrap();
    let begun = Instant::now();
    while let Err(error) = admin.check(&plan).await {
        assert!(begun.elapsed() < SOON, "{error}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    (admin, plan)
}

async fn fresh() -> KafkaLog {
    KafkaLog::new(None, brokers(), made(1).await.1.name)
}

fn admin_client() -> AdminClient<DefaultClientContext> {
    ClientConfig::new().set("bootstrap.servers", brokers()).create().unwrap()
}

pub async fn delete_records(log: &KafkaLog, before: i64) -> bool {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(&log.topic, 0, Offset::Offset(before)).unwrap();
    admin_client().delete_records(&list, &AdminOptions::new()).await.unwrap();
    true
}

custody_testkit::log_suite!(fresh, ignore = "needs a broker: run by cargo xtask test");

#[tokio::test]
#[ignore = "needs a broker: run by cargo xtask test"]
async fn a_topic_is_planned_made_and_checked() {
    let (admin, plan) = made(2).await;
    assert_eq!(admin.plan(&plan).await.unwrap(), []);
    let larger = TopicPlan { partitions: 3, retention_ms: 7_200_000, ..plan.clone() };
    assert!(matches!(admin.check(&larger).await, Err(TopicError::Unsafe { reasons, .. }) if reasons.len() == 2));
    let differences = admin.plan(&larger).await.unwrap();
    assert_eq!(differences.len(), 2, "{differences:?}");
    admin.apply(&larger, &differences).await.unwrap();
    let begun = Instant::now();
    while !admin.plan(&larger).await.unwrap().is_empty() {
        assert!(begun.elapsed() < SOON, "{:?}", admin.plan(&larger).await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let smaller = admin.plan(&TopicPlan { partitions: 1, ..larger.clone() }).await.unwrap();
    assert!(matches!(&smaller[..], [TopicDifference::Refuse { sentence }] if sentence.contains("3 partitions")), "{smaller:?}");
    assert!(matches!(admin.apply(&larger, &smaller).await, Err(TopicError::Unsafe { .. })));
}

#[tokio::test]
#[ignore = "needs a broker: run by cargo xtask test"]
async fn a_compacted_or_missing_topic_is_refused_at_start() {
    let (admin, topic) = made(1).await;
    let compact = AlterConfig::new(ResourceSpecifier::Topic(&topic.name)).set("cleanup.policy", "compact");
    admin_client().alter_configs([&compact], &AdminOptions::new()).await.unwrap();
    let begun = Instant::now();
    let refusal = loop {
        match admin.check(&topic).await {
            Err(refusal) => break refusal,
            Ok(()) => assert!(begun.elapsed() < SOON),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert!(refusal.to_string().contains("`cleanup.policy` is `compact`"), "{refusal}");
    let missing = plan(1);
    assert!(admin.check(&missing).await.unwrap_err().to_string().contains("does not exist"));
    assert_eq!(admin.plan(&missing).await.unwrap(), [TopicDifference::Create], "asking does not create it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: run by cargo xtask test"]
async fn a_journal_is_shipped_and_read_back() {
    let (_, plan) = made(1).await;
    let (disk, settings) = (SimDisk::new(), ShipperConfig::new(plan.name.clone(), 16 << 10));
    let journal = journal(&disk);
    append(&journal, 20_000).await;
    let begun = Instant::now();
    let reader = journal.reader(LogPosition::START);
    let shipper = Shipper::open(config(&brokers()), settings, reader, Arc::new(disk.clone()), |_| {}).unwrap();
    let stats = shipper.run(watch::channel(true).1).await.unwrap();
    println!("shipped {} records in {:?}", stats.shipped_records, begun.elapsed());
    assert_eq!((stats.acked, stats.lag_records), (LogPosition::new(20_000), 0));
    let mut reader = custody_log::kafka::KafkaReader::open(&config(&brokers()), &plan.name, 0).unwrap();
    let (begun, mut records) = (Instant::now(), Vec::new());
    while records.len() < 20_000 {
        records.extend(reader.read(4 << 20, SOON).await.unwrap());
    }
    println!("read {} records in {:?}", records.len(), begun.elapsed());
    assert_gapless(&records, 20_000);
}

#[tokio::test]
#[ignore = "needs a broker: run by cargo xtask test"]
async fn a_real_group_shares_partitions_and_publishes_positions() {
    crate::group::share_and_take_over(&brokers(), &made(4).await.1.name).await;
    crate::group::publish_positions(&brokers(), &made(2).await.1.name).await;
}
