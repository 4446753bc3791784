//! Short words for the tests: a cluster, a topic, a producer that knows the wire format by itself, a journal.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use custody_log::{
    Journal, JournalConfig, LogReader,
    kafka::{KafkaConfig, KafkaReader, KafkaSecurity},
};
use custody_testkit::{disk::SimDisk, log_suite::LogUnderTest};
use custody_types::{JournalId, LogRecord};
use rdkafka::{
    ClientConfig,
    message::{Header, OwnedHeaders},
    mocking::MockCluster,
    producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer},
};
use uuid::Uuid;

pub const SOON: Duration = Duration::from_secs(30);
pub const TOPIC: &str = "custody.events.v1";
pub const JOURNAL: Uuid = Uuid::from_u128(0x7);

pub type Cluster = MockCluster<'static, DefaultProducerContext>;

/// A cluster of one broker with the topic in it.
pub fn cluster(partitions: i32) -> Cluster {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic(TOPIC, partitions, 1).unwrap();
    cluster
}

pub fn config(brokers: &str) -> KafkaConfig {
    KafkaConfig::new(brokers.split(',').map(str::to_owned).collect(), KafkaSecurity::Plaintext, "custody-test").unwrap()
}

/// The header as DESIGN.md's D3 has it, written down a second time on purpose.
pub fn frame(seq: u64) -> Vec<u8> {
    let mut bytes = vec![1, 0];
    bytes.extend_from_slice(JOURNAL.as_bytes());
    bytes.extend_from_slice(&1u32.to_be_bytes());
    bytes.extend_from_slice(&seq.to_be_bytes());
    bytes
}

/// One partition, written to by a plain producer.
pub struct KafkaLog {
    pub cluster: Option<Cluster>,
    pub brokers: String,
    pub topic: String,
    pub producer: BaseProducer,
    pub seq: u64,
}

impl KafkaLog {
    pub fn new(cluster: Option<Cluster>, brokers: String, topic: String) -> Self {
        let mut settings = ClientConfig::new();
        settings.set("bootstrap.servers", &brokers).set("enable.idempotence", "true").set("linger.ms", "0");
        let producer = settings.create().unwrap();
        Self { cluster, brokers, topic, producer, seq: 0 }
    }

    pub fn mock() -> Self {
        let cluster = cluster(1);
        let brokers = cluster.bootstrap_servers();
        Self::new(Some(cluster), brokers, TOPIC.to_owned())
    }

    pub fn put(&self, payload: &[u8], headers: OwnedHeaders) {
        let message = BaseRecord::to(&self.topic).partition(0).key(&JOURNAL.as_bytes()[..]).payload(payload).headers(headers);
        self.producer.send(message).map_err(|(error, _)| error).unwrap();
    }

    pub fn put_ours(&mut self, payload: &[u8]) {
        self.seq += 1;
        self.put(payload, OwnedHeaders::new().insert(Header { key: "custody-frame", value: Some(&frame(self.seq)) }));
    }

    pub fn flush(&self) {
        self.producer.flush(SOON).unwrap();
    }

    pub fn open_reader(&self) -> KafkaReader {
        KafkaReader::open(&config(&self.brokers), &self.topic, 0).unwrap()
    }

    /// The mock keeps 5 MiB of each partition.
    async fn overfill(&mut self) -> bool {
        for _ in 0..10 {
            for _ in 0..10 {
                self.put_ours(&vec![1; 64 << 10]);
            }
            self.flush();
        }
        true
    }
}

#[async_trait(?Send)]
impl LogUnderTest for KafkaLog {
    type Reader = KafkaReader;

    async fn append(&mut self, payloads: Vec<Bytes>) {
        for payload in payloads {
            self.put_ours(&payload);
        }
        self.flush();
        tokio::task::yield_now().await;
    }

    fn reader(&mut self) -> KafkaReader {
        self.open_reader()
    }

    async fn put_damaged(&mut self) -> bool {
        self.put(b"a stranger's", OwnedHeaders::new().insert(Header { key: "other", value: Some("header") }));
        self.flush();
        true
    }

    async fn forget_first(&mut self) -> bool {
        if self.cluster.is_some() { self.overfill().await } else { crate::real::delete_records(self, 5).await }
    }
}

/// A journal on a disk in memory.
pub fn journal(disk: &SimDisk) -> Journal {
    let settings = JournalConfig {
        segment_bytes: 256 << 10,
        max_total_bytes: 16 << 20,
        max_record_bytes: 16 << 10,
        outcome_reserve_bytes: 1 << 10,
        consumers: vec!["shipper".to_owned()],
        ..JournalConfig::new(JournalId::from_uuid(JOURNAL))
    };
    Journal::open(settings, Arc::new(disk.clone())).unwrap().0
}

pub async fn append(journal: &Journal, count: u64) {
    for _ in 0..count / 10 {
        journal.append((0..10).map(|_| Bytes::from_static(&[b'r'; 100])).collect()).await.unwrap();
    }
}

/// Everything in one partition, up to its end at this moment.
pub async fn all(brokers: &str, partition: i32) -> Vec<LogRecord> {
    let mut reader = KafkaReader::open(&config(brokers), TOPIC, partition).unwrap();
    let end = reader.bounds().await.unwrap().end;
    let mut records = Vec::new();
    while reader.position() < end {
        let more = reader.read(1 << 20, SOON).await.unwrap();
        assert!(!more.is_empty());
        records.extend(more);
    }
    records
}

/// Drops what ingest would drop: a record at or below the highest seq seen. What remains must be gapless.
pub fn assert_gapless(records: &[LogRecord], count: u64) {
    let mut marks = std::collections::BTreeMap::new();
    let mut fresh = 0;
    for record in records {
        assert!(!record.damaged);
        let mark: &mut u64 = marks.entry(record.source).or_default();
        if record.seq.get() > *mark {
            assert_eq!(record.seq.get(), *mark + 1, "a hole at {record:?}");
            *mark += 1;
            fresh += 1;
        }
    }
    assert_eq!(fresh, count);
}
