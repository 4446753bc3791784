//! The shipper on a mock cluster: nothing lost, in order, at most told twice, and the journal kept until it is there.

use std::{sync::Arc, time::Duration};

use custody_log::{
    Journal,
    kafka::{Shipper, ShipperConfig, ShipperError, ShipperMonitor, ShipperStats},
};
use custody_testkit::disk::SimDisk;
use custody_types::LogPosition;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use tokio::{sync::watch, task::JoinHandle, time::Instant};

use crate::world::{SOON, TOPIC, all, append, assert_gapless, cluster, config, journal};

struct Running {
    monitor: ShipperMonitor,
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<ShipperStats, ShipperError>>,
}

fn settings() -> ShipperConfig {
    ShipperConfig { grace: Duration::from_secs(20), ..ShipperConfig::new(TOPIC, 16 << 10) }
}

fn open(brokers: &str, disk: &SimDisk, journal: &Journal, settings: ShipperConfig) -> Result<Shipper, ShipperError> {
    let told = journal.clone();
    let floor = move |acked| told.set_floor("shipper", acked);
    Shipper::open(config(brokers), settings, journal.reader(LogPosition::START), Arc::new(disk.clone()), floor)
}

fn start_with(brokers: &str, disk: &SimDisk, journal: &Journal, settings: ShipperConfig) -> Running {
    let shipper = open(brokers, disk, journal, settings).unwrap();
    let (stop, order) = watch::channel(false);
    Running { monitor: shipper.monitor(), stop, task: tokio::spawn(shipper.run(order)) }
}

fn start(brokers: &str, disk: &SimDisk, journal: &Journal) -> Running {
    start_with(brokers, disk, journal, settings())
}

impl Running {
    async fn until(&self, position: u64) {
        let mut acked = self.monitor.acked();
        let reached = acked.wait_for(|acked| *acked >= LogPosition::new(position));
        tokio::time::timeout(SOON, reached).await.unwrap_or_else(|_| panic!("{:?}", self.monitor.stats())).unwrap();
    }

    async fn stop(self) -> Result<ShipperStats, ShipperError> {
        self.stop.send_replace(true);
        self.task.await.unwrap()
    }
}

#[tokio::test]
async fn everything_arrives_once_and_in_order() {
    let (cluster, disk) = (cluster(1), SimDisk::new());
    let (brokers, journal) = (cluster.bootstrap_servers(), journal(&disk));
    append(&journal, 500).await;
    let running = start(&brokers, &disk, &journal);
    append(&journal, 500).await;
    running.until(1000).await;
    append(&journal, 100).await;
    let stats = running.stop().await.unwrap();
    assert_eq!((stats.acked, stats.shipped_records, stats.lag_records, stats.restarts), (LogPosition::new(1100), 1100, 0, 0));
    assert_eq!((stats.shipped_bytes, stats.away_since), (110_000, None));
    let records = all(&brokers, 0).await;
    assert_eq!(records.len(), 1100);
    assert_gapless(&records, 1100);
    assert_eq!(records[0].source, journal.source());
}

#[tokio::test]
async fn acknowledged_never_passes_what_the_topic_holds() {
    let (cluster, disk) = (cluster(1), SimDisk::new());
    let (brokers, journal) = (cluster.bootstrap_servers(), journal(&disk));
    cluster.broker_round_trip_time(-1, Duration::from_millis(20)).unwrap();
    append(&journal, 2000).await;
    let config = ShipperConfig { in_flight_records: 50, ..settings() };
    let running = start_with(&brokers, &disk, &journal, config);
    let mut seen = 0;
    while seen < 2000 {
        running.until(seen + 1).await;
        seen = running.monitor.stats().acked.get();
        let held = all(&brokers, 0).await.len() as u64;
        assert!(held >= seen, "{held} records are there, {seen} are acknowledged");
        append(&journal, 10).await;
    }
    running.stop().await.unwrap();
}

#[tokio::test]
async fn errors_of_the_broker_are_ridden_out() {
    let (cluster, disk) = (cluster(1), SimDisk::new());
    let (brokers, journal) = (cluster.bootstrap_servers(), journal(&disk));
    let errors = [
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR__TRANSPORT,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    ];
    cluster.request_errors(RDKafkaApiKey::Produce, &errors);
    append(&journal, 300).await;
    let running = start(&brokers, &disk, &journal);
    running.until(300).await;
    cluster.request_errors(RDKafkaApiKey::Produce, &errors[..2]);
    append(&journal, 300).await;
    running.until(600).await;
    running.stop().await.unwrap();
    assert_gapless(&all(&brokers, 0).await, 600);
}

#[tokio::test]
async fn brokers_that_are_away_are_waited_for() {
    let (cluster, disk) = (cluster(1), SimDisk::new());
    let (brokers, journal) = (cluster.bootstrap_servers(), journal(&disk));
    let running = start(&brokers, &disk, &journal);
    append(&journal, 100).await;
    running.until(100).await;
    cluster.broker_down(-1).unwrap();
    append(&journal, 100).await;
    let begun = Instant::now();
    while running.monitor.stats().away_since.is_none() {
        assert!(begun.elapsed() < SOON, "{:?}", running.monitor.stats());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let stats = running.monitor.stats();
    assert_eq!((stats.acked, stats.lag_records, stats.restarts), (LogPosition::new(100), 100, 0));
    assert!(stats.last_problem.is_some());
    cluster.broker_up(-1).unwrap();
    running.until(200).await;
    assert_eq!(running.monitor.stats().away_since, None);
    running.stop().await.unwrap();
    assert_gapless(&all(&brokers, 0).await, 200);
}

#[tokio::test]
async fn a_producer_that_breaks_is_replaced_and_nothing_is_lost() {
    let (cluster, disk) = (cluster(1), SimDisk::new());
    let (brokers, journal) = (cluster.bootstrap_servers(), journal(&disk));
    let running = start(&brokers, &disk, &journal);
    append(&journal, 100).await;
    running.until(100).await;
    cluster.request_errors(RDKafkaApiKey::Produce, &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_RECORD]);
    append(&journal, 200).await;
    running.until(300).await;
    let stats = running.stop().await.unwrap();
    assert!(stats.restarts > 0 && stats.last_problem.is_some(), "{stats:?}");
    assert!(stats.shipped_records >= 300);
    assert_gapless(&all(&brokers, 0).await, 300);
}

#[tokio::test]
async fn a_record_too_large_for_the_topic_stops_the_shipper_loudly() {
    let (cluster, disk) = (cluster(1), SimDisk::new());
    let (brokers, journal) = (cluster.bootstrap_servers(), journal(&disk));
    append(&journal, 10).await;
    let running = start(&brokers, &disk, &journal);
    running.until(10).await;
    cluster.request_errors(RDKafkaApiKey::Produce, &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE; 20]);
    append(&journal, 10).await;
    let error = tokio::time::timeout(SOON, running.task).await.unwrap().unwrap().unwrap_err();
    assert!(matches!(error, ShipperError::TooLarge { position } if position >= LogPosition::new(10)), "{error:?}");
    assert_eq!(running.monitor.stats().acked, LogPosition::new(10));
}

#[tokio::test]
async fn a_restart_goes_on_from_the_mark_and_an_old_mark_repeats_but_loses_nothing() {
    let (cluster, disk) = (cluster(8), SimDisk::new());
    let (brokers, journal) = (cluster.bootstrap_servers(), journal(&disk));
    append(&journal, 100).await;
    start(&brokers, &disk, &journal).stop().await.unwrap();
    append(&journal, 50).await;
    let running = start(&brokers, &disk, &journal);
    assert_eq!(running.monitor.stats().acked, LogPosition::new(100));
    let stats = running.stop().await.unwrap();
    assert_eq!((stats.acked, stats.shipped_records), (LogPosition::new(150), 50));
    let partition = (0..8).map(|partition| all(&brokers, partition));
    let mut held = Vec::new();
    for records in partition {
        held.push(records.await);
    }
    let used: Vec<_> = held.iter().filter(|records| !records.is_empty()).collect();
    assert_eq!((used.len(), used[0].len()), (1, 150), "one source, one partition");
    // The mark is gone, as after a power loss.
    custody_log::Disk::remove(&disk, "kafka-mark").unwrap();
    let stats = start(&brokers, &disk, &journal).stop().await.unwrap();
    assert_eq!((stats.acked, stats.shipped_records), (LogPosition::new(150), 150));
    let number = held.iter().position(|records| !records.is_empty()).unwrap();
    let records = all(&brokers, i32::try_from(number).unwrap()).await;
    assert_eq!(records.len(), 300);
    assert_gapless(&records, 150);
}

#[tokio::test]
async fn a_stop_while_the_brokers_are_away_ends_with_its_grace_and_the_journal_keeps_the_rest() {
    let (cluster, disk) = (cluster(1), SimDisk::new());
    let (brokers, journal) = (cluster.bootstrap_servers(), journal(&disk));
    append(&journal, 100).await;
    start(&brokers, &disk, &journal).stop().await.unwrap();
    cluster.broker_down(-1).unwrap();
    append(&journal, 100).await;
    let begun = Instant::now();
    let hurried = ShipperConfig { grace: Duration::from_secs(1), ..settings() };
    let stats = start_with(&brokers, &disk, &journal, hurried).stop().await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert_eq!((stats.acked, stats.lag_records), (LogPosition::new(100), 100));
    cluster.broker_up(-1).unwrap();
    start(&brokers, &disk, &journal).stop().await.unwrap();
    assert_gapless(&all(&brokers, 0).await, 200);
}

#[tokio::test]
async fn the_journal_forgets_only_what_kafka_has() {
    let (cluster, disk) = (cluster(1), SimDisk::new());
    let (brokers, journal) = (cluster.bootstrap_servers(), journal(&disk));
    cluster.broker_down(-1).unwrap();
    let running = start(&brokers, &disk, &journal);
    append(&journal, 5000).await;
    assert!(journal.stats().segments > 2);
    assert_eq!(journal.stats().first, LogPosition::START);
    cluster.broker_up(-1).unwrap();
    running.until(5000).await;
    let begun = Instant::now();
    while journal.stats().first == LogPosition::START {
        assert!(begun.elapsed() < SOON);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    running.stop().await.unwrap();
    assert_gapless(&all(&brokers, 0).await, 5000);
}

#[tokio::test]
async fn a_journal_goes_to_one_topic_for_ever() {
    let (cluster, disk) = (cluster(4), SimDisk::new());
    let (brokers, journal) = (cluster.bootstrap_servers(), journal(&disk));
    append(&journal, 10).await;
    start(&brokers, &disk, &journal).stop().await.unwrap();
    let other = ShipperConfig { topic: "custody.events.v2".into(), ..settings() };
    let refusal = open(&brokers, &disk, &journal, other).unwrap_err();
    assert!(matches!(&refusal, ShipperError::OtherTopic { stored, .. } if stored == TOPIC), "{refusal:?}");
    assert!(refusal.to_string().contains("`custody.events.v2`"));
    for topic in ["", "a b", "..", &"x".repeat(250)] {
        let named = ShipperConfig { topic: topic.into(), ..settings() };
        assert!(matches!(open(&brokers, &disk, &journal, named), Err(ShipperError::TopicName { .. })), "{topic}");
    }
    let file = custody_log::Disk::open(&disk, "kafka-partition").unwrap();
    file.write_at(40, b"!").unwrap();
    assert!(matches!(open(&brokers, &disk, &journal, settings()), Err(ShipperError::Damaged { .. })));
}

#[tokio::test]
async fn the_shippers_files_belong_to_the_journal() {
    let (cluster, disk) = (cluster(1), SimDisk::new());
    let first = journal(&disk);
    append(&first, 10).await;
    start(&cluster.bootstrap_servers(), &disk, &first).stop().await.unwrap();
    first.shutdown().await;
    let settings = custody_log::JournalConfig {
        segment_bytes: 256 << 10,
        outcome_reserve_bytes: 1 << 10,
        max_record_bytes: 16 << 10,
        ..custody_log::JournalConfig::new(custody_types::JournalId::from_uuid(crate::world::JOURNAL))
    };
    let (_, report) = Journal::open(settings, Arc::new(disk.clone())).unwrap();
    assert!(report.recovery.unknown_files.is_empty(), "{:?}", report.recovery.unknown_files);
}
