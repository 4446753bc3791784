//! What can go wrong between us and Kafka, and whose fault it is.

use std::{io, time::Duration};

use custody_types::{Fault, FaultOwner, LogPosition, Retry};

use crate::{error::ReadError, kafka::refusal::Refusal};

/// The client library's errors, kept as text and cause only: its types stay in this module.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

const SOON: Duration = Duration::from_secs(1);

/// The settings cannot be used; every mistake is named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", problems.join("; "))]
pub struct KafkaConfigError {
    /// One sentence each.
    pub problems: Vec<String>,
}

impl Fault for KafkaConfigError {
    fn owner(&self) -> FaultOwner {
        FaultOwner::Operator
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn code(&self) -> &'static str {
        "kafka_config"
    }
}

/// Kafka did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("kafka failed while {doing}")]
pub struct KafkaClientError {
    /// What was being done.
    pub doing: &'static str,
    /// What the client said.
    #[source]
    pub source: Cause,
}

impl KafkaClientError {
    pub(crate) fn new(doing: &'static str) -> impl FnOnce(rdkafka::error::KafkaError) -> Self {
        move |error| {
            let source = Refusal::of_error(&error).map_or_else(|| Cause::from(error), Cause::from);
            Self { doing, source }
        }
    }

    /// The refusal that this is, if it is one: a person must mend it.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        self.source.downcast_ref()
    }
}

impl Fault for KafkaClientError {
    fn owner(&self) -> FaultOwner {
        if self.refusal().is_some() { FaultOwner::Operator } else { FaultOwner::Upstream }
    }

    fn retry(&self) -> Retry {
        if self.refusal().is_some() { Retry::Never } else { Retry::After(SOON) }
    }

    fn code(&self) -> &'static str {
        if self.refusal().is_some() { "kafka_refused" } else { "kafka_failed" }
    }
}

/// The shipper stopped for good; a person must act.
#[derive(Debug, thiserror::Error)]
pub enum ShipperError {
    /// The producer cannot be made with these settings.
    #[error(transparent)]
    Client(#[from] KafkaClientError),
    /// The journal was shipped to another topic before.
    #[error("the journal is shipped to topic `{stored}`, not `{configured}`: configure `{stored}`, or start a new journal")]
    OtherTopic {
        /// The topic in the journal's folder.
        stored: String,
        /// The topic in the settings.
        configured: String,
    },
    /// The file that says where the journal is shipped to is not whole, or another journal's.
    #[error("`{file}` {problem}")]
    Damaged {
        /// The file.
        file: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The topic's name cannot be stored: Kafka's limit is 249 characters.
    #[error("`{topic}` is not the name of a topic: 1 to 249 letters, digits, `.`, `_` or `-` are accepted")]
    TopicName {
        /// What was configured.
        topic: String,
    },
    /// The broker refuses a record for its size. It stays first in line, so that nothing behind it is shipped out of order.
    #[error("kafka refuses the record at {position} as too large: raise the topic's max.message.bytes above the journal's record limit")]
    TooLarge {
        /// Where it stands in the journal.
        position: LogPosition,
    },
    /// The journal cannot be read.
    #[error("the journal cannot be shipped")]
    Journal(#[from] ReadError),
    /// The journal's folder cannot be written.
    #[error("the journal's folder failed while {doing}")]
    Disk {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl Fault for ShipperError {
    fn owner(&self) -> FaultOwner {
        FaultOwner::Operator
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Client(_) => "shipper_client",
            Self::OtherTopic { .. } => "shipper_other_topic",
            Self::Damaged { .. } => "shipper_damaged",
            Self::TopicName { .. } => "shipper_topic_name",
            Self::TooLarge { .. } => "shipper_record_too_large",
            Self::Journal(_) => "shipper_journal",
            Self::Disk { .. } => "shipper_disk",
        }
    }
}

/// A topic is not as it must be, or cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum TopicError {
    /// Kafka could not be asked, or refused a change.
    #[error(transparent)]
    Client(#[from] KafkaClientError),
    /// The topic must not be used as it is; every reason is named.
    #[error("topic `{topic}` cannot be used: {}", reasons.join("; "))]
    Unsafe {
        /// The topic.
        topic: String,
        /// One sentence each.
        reasons: Vec<String>,
    },
}

impl Fault for TopicError {
    fn owner(&self) -> FaultOwner {
        match self {
            Self::Client(error) => error.owner(),
            Self::Unsafe { .. } => FaultOwner::Operator,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Client(error) => error.retry(),
            Self::Unsafe { .. } => Retry::Never,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Client(error) => error.code(),
            Self::Unsafe { .. } => "topic_unsafe",
        }
    }
}
