//! Turns a group's rebalances into the current assignment.

use std::{collections::BTreeSet, error::Error};

use rdkafka::{
    ClientContext, TopicPartitionList,
    client::OAuthToken,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance},
    error::{KafkaError, KafkaResult},
};
use tokio::sync::watch;

use crate::kafka::{contact::Events, group::Assignment};

/// Hears what the group decides.
pub(crate) struct Members {
    pub events: Events,
    pub topic: String,
    pub assignment: watch::Sender<Assignment>,
}

impl Members {
    fn announce(&self, partitions: BTreeSet<i32>) {
        let partitions: Vec<i32> = partitions.into_iter().collect();
        self.assignment.send_if_modified(|current| {
            // An assignment after a revocation is news even when it is the same set: who read before has stopped since.
            let is_news = !(partitions.is_empty() && current.partitions.is_empty());
            if is_news {
                *current = Assignment { generation: current.generation + 1, partitions };
            }
            is_news
        });
    }

    fn ours(&self, list: &TopicPartitionList) -> BTreeSet<i32> {
        list.elements().iter().filter(|element| element.topic() == self.topic).map(|element| element.partition()).collect()
    }
}

impl ConsumerContext for Members {
    fn pre_rebalance(&self, _consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        // Before the group hears that we let go, so that the next owner begins after our readers were told.
        match rebalance {
            Rebalance::Assign(_) => {}
            Rebalance::Revoke(_) | Rebalance::Error(_) => self.announce(BTreeSet::new()),
        }
    }

    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let Rebalance::Assign(assigned) = rebalance else { return };
        // Membership only: the records are read elsewhere, from positions that the table knows.
        if let Err(error) = consumer.pause(assigned) {
            tracing::debug!(%error, "assigned partitions are not paused");
        }
        self.announce(self.ours(assigned));
    }

    fn commit_callback(&self, result: KafkaResult<()>, _offsets: &TopicPartitionList) {
        if let Err(error) = result {
            tracing::debug!(%error, "positions for monitoring were not taken");
        }
    }
}

impl ClientContext for Members {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.events.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.events.error(error, reason);
    }

    fn generate_oauth_token(&self, config: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.events.generate_oauth_token(config)
    }
}
