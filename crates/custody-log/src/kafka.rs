//! The log on Kafka: readers of partitions, the shipper that moves a journal there, topics and group membership.
//!
//! ```text
//!  journal ──▶ Shipper ──▶ topic/partition ──▶ KafkaReader ──▶ ingest, query
//!                │ kafka-partition: chosen once               ▲
//!                └ kafka-mark: acknowledged up to here        │ who reads what
//!                                                      KafkaGroup
//! ```
//!
//! Exactly-once rests on the table's own positions and on (`source`, `seq`) in each message's header, never on Kafka's group offsets
//! or transactions. This module is the only one that names the client library; everyone else sees the types below.

mod acks;
mod asker;
mod config;
mod contact;
mod desk;
mod error;
mod group;
mod members;
mod partition_file;
mod producer;
mod reader;
mod record;
mod refusal;
mod shipper;
mod shipper_state;
mod tokens;
mod topic_facts;
mod topics;

pub(crate) use partition_file::{MARK_FILE, PARTITION_FILE};

pub use config::{ClientCertificate, KafkaConfig, KafkaSecurity, ScramMechanism};
pub use error::{KafkaClientError, KafkaConfigError, ShipperError, TopicError};
pub use group::{Assignment, GroupConfig, KafkaGroup};
pub use reader::KafkaReader;
pub use record::FRAME_HEADER;
pub use refusal::{Objection, Refusal};
pub use shipper::{Shipper, ShipperConfig};
pub use shipper_state::{ShipperMonitor, ShipperStats};
pub use topics::{TopicAdmin, TopicDifference, TopicPlan};
