//! What a reader makes of brokers that come and go, and of strangers' messages.

use std::time::Duration;

use custody_log::{LogReader, ReadError};
use custody_types::{LogPosition, Seq};
use rdkafka::{
    message::{Header, OwnedHeaders},
    types::{RDKafkaApiKey, RDKafkaRespErr},
};
use tokio::time::Instant;
use uuid::Uuid;

use crate::world::{KafkaLog, SOON, frame};

#[tokio::test]
async fn a_short_absence_is_ridden_out() {
    let mut log = KafkaLog::mock();
    let mut reader = log.open_reader();
    log.put_ours(b"one");
    log.flush();
    assert_eq!(reader.read(1 << 20, SOON).await.unwrap().len(), 1);
    let cluster = log.cluster.as_ref().unwrap();
    cluster.broker_down(-1).unwrap();
    assert!(reader.read(1 << 20, Duration::from_secs(2)).await.unwrap().is_empty());
    cluster.broker_up(-1).unwrap();
    log.put_ours(b"two");
    log.flush();
    let records = reader.read(1 << 20, SOON).await.unwrap();
    assert_eq!((records.len(), records[0].payload.as_ref()), (1, &b"two"[..]));
}

#[tokio::test]
async fn a_long_absence_is_told_and_reading_goes_on_afterwards() {
    let mut log = KafkaLog::mock();
    let mut reader = log.open_reader();
    log.put_ours(b"one");
    log.flush();
    assert_eq!(reader.read(1 << 20, SOON).await.unwrap().len(), 1);
    log.cluster.as_ref().unwrap().broker_down(-1).unwrap();
    let begun = Instant::now();
    let error = reader.read(1 << 20, Duration::from_secs(40)).await.unwrap_err();
    assert!(matches!(error, ReadError::Unavailable { .. }), "{error:?}");
    assert!(begun.elapsed() >= Duration::from_secs(9), "{:?}", begun.elapsed());
    assert!(matches!(reader.bounds().await, Err(ReadError::Unavailable { .. })));
    assert_eq!(reader.position(), LogPosition::new(1));
    log.cluster.as_ref().unwrap().broker_up(-1).unwrap();
    log.put_ours(b"two");
    log.flush();
    let records = loop {
        match reader.read(1 << 20, SOON).await {
            Ok(records) => break records,
            Err(error) => assert!(matches!(error, ReadError::Unavailable { .. }), "{error:?}"),
        }
    };
    assert_eq!((records.len(), records[0].position), (1, LogPosition::new(1)));
}

#[tokio::test]
async fn fetches_that_fail_lose_nothing() {
    let mut log = KafkaLog::mock();
    for number in 0..100u8 {
        log.put_ours(&[number; 10]);
    }
    log.flush();
    let errors = [
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR__TRANSPORT,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
    ];
    log.cluster.as_ref().unwrap().request_errors(RDKafkaApiKey::Fetch, &errors);
    let mut reader = log.open_reader();
    let mut payloads = Vec::new();
    while payloads.len() < 100 {
        match reader.read(500, SOON).await {
            Ok(records) => payloads.extend(records.iter().map(|record| record.payload[0])),
            Err(error) => assert!(matches!(error, ReadError::Unavailable { .. }), "{error:?}"),
        }
    }
    assert_eq!(payloads, (0..100).collect::<Vec<u8>>());
}

#[tokio::test]
async fn a_partition_that_does_not_exist_is_not_silence() {
    let log = KafkaLog::mock();
    let mut reader = custody_log::kafka::KafkaReader::open(&crate::world::config(&log.brokers), &log.topic, 9).unwrap();
    assert!(matches!(reader.bounds().await, Err(ReadError::Unavailable { .. })));
    assert!(matches!(reader.read(1, SOON).await, Err(ReadError::Unavailable { .. })));
}

#[tokio::test]
async fn strangers_messages_are_counted_and_never_taken_for_ours() {
    let mut log = KafkaLog::mock();
    let mut newer = frame(1);
    newer[0] = 2;
    log.put(b"no header", OwnedHeaders::new());
    log.put(b"newer version", OwnedHeaders::new().insert(Header { key: "custody-frame", value: Some(&newer) }));
    log.put(b"null header", OwnedHeaders::new().insert(Header { key: "custody-frame", value: None::<&[u8]> }));
    log.put_ours(b"ours");
    log.flush();
    let mut reader = log.open_reader();
    let mut records = Vec::new();
    while records.len() < 4 {
        records.extend(reader.read(1 << 20, SOON).await.unwrap());
    }
    for stranger in &records[..3] {
        assert_eq!((stranger.damaged, stranger.seq, *stranger.source.journal.as_uuid()), (true, Seq::new(0), Uuid::nil()));
    }
    assert_eq!(records[1].payload, "newer version");
    assert_eq!((records[3].damaged, records[3].seq, records[3].source.epoch), (false, Seq::new(1), 1));
}
