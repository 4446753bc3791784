//! One idempotent producer and what became of the records given to it.

use std::{
    error::Error,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use custody_types::{LogPosition, LogRecord};
use rdkafka::{
    ClientConfig, ClientContext,
    client::OAuthToken,
    config::RDKafkaLogLevel,
    error::{KafkaError, RDKafkaErrorCode},
    message::DeliveryResult,
    producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer},
};

use crate::kafka::{
    acks::{Acks, Failure},
    config::KafkaConfig,
    contact::Events,
    error::KafkaClientError,
    partition_file::Home,
    record::Origin,
    shipper::ShipperConfig,
};

/// How long the brokers may be asked for the topic's partitions.
const METADATA_LIMIT: Duration = Duration::from_secs(5);
/// How long to wait when the client's queue is full although our own bound is not reached.
const QUEUE_FULL: Duration = Duration::from_millis(20);

/// Hears what became of each record.
pub(crate) struct DeliveryEvents {
    events: Events,
    acks: Arc<Acks>,
}

/// A producer, until it is closed.
pub(crate) struct Line {
    producer: Mutex<Option<ThreadedProducer<DeliveryEvents>>>,
    pub acks: Arc<Acks>,
    pub events: Events,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Line({:?})", self.acks)
    }
}

impl Line {
    /// Makes a producer whose first record will be the one at `from`. Needs no broker yet.
    pub(crate) fn open(kafka: &KafkaConfig, config: &ShipperConfig, from: LogPosition) -> Result<Self, KafkaClientError> {
        let (acks, events) = (Arc::new(Acks::new(from)), kafka.events());
        let context = DeliveryEvents { events: events.clone(), acks: Arc::clone(&acks) };
        let producer = settings(kafka, config).create_with_context(context).map_err(KafkaClientError::new("making a producer"))?;
        Ok(Self { producer: Mutex::new(Some(producer)), acks, events })
    }

    /// Partitions of the topic, asked of the brokers; blocking. All topics are asked for, because asking for one may create it.
    pub(crate) fn partitions(&self, topic: &str) -> Result<u32, String> {
        let guard = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        let producer = guard.as_ref().ok_or("the producer is closed")?;
        let metadata = producer.client().fetch_metadata(None, METADATA_LIMIT).map_err(|error| error.to_string())?;
        // What is missing from here on is the topic, not the brokers.
        self.events.contact().answered();
        let found = metadata.topics().iter().find(|found| found.name() == topic).map_or(0, |found| found.partitions().len());
        u32::try_from(found).ok().filter(|count| *count > 0).ok_or_else(|| format!("topic `{topic}` does not exist"))
    }

    /// Hands records to the client, in order; blocking. Ends early once the producer failed.
    pub(crate) fn send(&self, home: &Home, records: &[LogRecord]) {
        let guard = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(producer) = guard.as_ref() else { return };
        self.acks.sending(records.len(), records.iter().map(|record| record.payload.len()).sum());
        for record in records {
            // Nothing may follow a record that was given up.
            let has_failed = self.acks.look(|state| state.failure.is_some());
            if has_failed || !self.send_one(producer, home, record) {
                return;
            }
        }
    }

    fn send_one(&self, producer: &ThreadedProducer<DeliveryEvents>, home: &Home, record: &LogRecord) -> bool {
        let journal = record.source.journal;
        let place = usize::try_from(record.position.get()).unwrap_or(usize::MAX);
        let mut message = BaseRecord::with_opaque_to(&home.topic, place)
            .partition(home.partition)
            .key(&journal.as_uuid().as_bytes()[..])
            .payload(&record.payload[..])
            .headers(Origin::of(record).headers());
        // A full queue keeps the record here: one behind it must not go first.
        while let Err((error, refused)) = producer.send(message) {
            if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
                self.acks.fail(failure(&error, record.position));
                return false;
            }
            if self.acks.look(|state| state.failure.is_some()) {
                return false;
            }
            std::thread::sleep(QUEUE_FULL);
            message = refused;
        }
        true
    }

    /// Gives the producer up, blocking: records that are not acknowledged by then are forgotten here, and nothing more is sent.
    pub(crate) fn close(&self) {
        self.acks.fail(Failure::Lost("the producer is closed".to_owned()));
        let producer = self.producer.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(producer);
    }
}

/// What an error of one record means for the producer.
fn failure(error: &KafkaError, position: LogPosition) -> Failure {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::MessageSizeTooLarge) => Failure::TooLarge(position),
        _ => Failure::Lost(error.to_string()),
    }
}

impl ClientContext for DeliveryEvents {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.events.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal) {
            self.acks.fail(Failure::Lost(format!("{error}: {reason}")));
        }
        self.events.error(error, reason);
    }

    fn generate_oauth_token(&self, config: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.events.generate_oauth_token(config)
    }
}

impl ProducerContext for DeliveryEvents {
    /// The record's place in the journal: no allocation for each record.
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, place: usize) {
        let position = LogPosition::new(place as u64);
        match result {
            Ok(message) => {
                self.events.contact().answered();
                self.acks.delivered(position, message.payload_len());
            }
            Err((error, message)) => self.acks.undelivered(message.payload_len(), failure(error, position)),
        }
    }
}

fn settings(kafka: &KafkaConfig, config: &ShipperConfig) -> ClientConfig {
    let mut client = kafka.client();
    client
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("max.in.flight.requests.per.connection", "5")
        // One record given up would be a hole; the client must break instead.
        .set("enable.gapless.guarantee", "true")
        // Never gives a record up for its age: brokers may be away for days, the journal's bound says for how long.
        .set("message.timeout.ms", "0")
        .set("compression.type", "zstd")
        // Answers that wait for Kafka (`ack = log`) wait this long in vain when traffic is low; under load batches fill while five
        // requests are on their way.
        .set("linger.ms", "2")
        .set("batch.size", "1048576")
        .set("message.max.bytes", config.max_message_bytes().to_string())
        // Our own bound holds; the client's stands behind it.
        .set("queue.buffering.max.messages", "0")
        .set("queue.buffering.max.kbytes", (config.in_flight_bytes / 512).max(16 << 10).to_string());
    client
}
