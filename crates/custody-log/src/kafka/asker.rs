//! A client that only asks what the brokers have, and hears why they don't answer.

use std::{sync::Arc, time::Duration};

use rdkafka::{
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
    metadata::Metadata,
};
use tokio::time::Instant;

use crate::kafka::{
    config::KafkaConfig,
    contact::{Doubt, Events},
    error::{Cause, KafkaClientError},
};

/// How long the brokers may take for one answer.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);
/// The first question's limit: whoever is refused should not wait for long.
const FIRST_LIMIT: Duration = Duration::from_secs(2);
/// Complaints heard at once; more say the same.
const COMPLAINTS: u32 = 100;

/// Asks for metadata.
pub(crate) struct Asker {
    consumer: BaseConsumer<Events>,
    events: Events,
}

impl Asker {
    /// Needs no broker yet.
    pub(crate) fn open(kafka: &KafkaConfig) -> Result<Self, KafkaError> {
        let events = kafka.events().without_log();
        Ok(Self { consumer: kafka.client().create_with_context(events.clone())?, events })
    }

    /// All topics: asking for one may create it.
    pub(crate) async fn metadata(self: &Arc<Self>) -> Result<Metadata, KafkaClientError> {
        let asker = Arc::clone(self);
        let failed = |source| KafkaClientError { doing: "asking for topics", source };
        let asked = tokio::task::spawn_blocking(move || asker.ask()).await;
        asked.map_err(|error| failed(error.into()))?.map_err(failed)
    }

    fn ask(&self) -> Result<Metadata, Cause> {
        self.wait_for_token();
        let mut answer = self.consumer.fetch_metadata(None, FIRST_LIMIT);
        if answer.is_err() && self.doubt().is_none_or(|doubt| doubt.refusal.is_none()) {
            answer = self.consumer.fetch_metadata(None, LIMIT);
        }
        answer.map_err(|error| self.doubt().map_or_else(|| Cause::from(error), Doubt::into_cause))
    }

    /// The client wants to be polled for its first token.
    fn wait_for_token(&self) {
        let begun = Instant::now();
        while !self.events.may_ask() && begun.elapsed() < LIMIT {
            let _ = self.consumer.poll(Duration::from_millis(50));
        }
    }

    /// Hears what the brokers complained of, which is told only to who polls.
    fn doubt(&self) -> Option<Doubt> {
        for _ in 0..COMPLAINTS {
            let _ = self.consumer.poll(Duration::ZERO);
        }
        self.events.contact().doubt()
    }
}
