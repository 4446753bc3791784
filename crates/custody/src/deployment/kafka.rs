//! `[log]`: the brokers, how to get in, and the topic.

use std::path::PathBuf;

use custody_config::Reader;
use custody_gateway::{read_secret, workspace::SecretReference};
use custody_log::{
    JournalConfig,
    kafka::{ClientCertificate, KafkaConfig, KafkaSecurity, ScramMechanism, ShipperConfig, TopicPlan},
};
use custody_types::{JournalId, SensitiveText};

use super::Vault;

/// The topic of events; its schema's major version is part of the name.
const TOPIC: &str = "custody.events.v1";
/// The same for sealed texts.
const CONTENT_TOPIC: &str = "custody.content.v1";
const MILLIS_PER_HOUR: i64 = 3_600_000;

/// Where the log is.
#[derive(Debug)]
pub struct Log {
    pub kafka: KafkaConfig,
    /// What the topic of events should be.
    pub topic: TopicPlan,
    /// What the topic of sealed texts should be; nothing where there is no vault.
    pub content: Option<TopicPlan>,
}

impl Log {
    /// All topics.
    pub fn topics(&self) -> impl Iterator<Item = &TopicPlan> {
        std::iter::once(&self.topic).chain(&self.content)
    }
}

pub fn read(reader: Reader<'_>, vault: Option<&Vault>) -> Option<Log> {
    let brokers = reader.list::<String>("brokers", "addresses such as broker-1:9092");
    let security = read_security(&reader);
    let topic = read_topic(reader.section("topic"));
    let content_name = reader.optional_text("content_topic", "a topic's name").unwrap_or(CONTENT_TOPIC);
    if topic.as_ref().is_some_and(|topic| topic.name == content_name) {
        reader.mistake("content_topic", format!("is `{content_name}`, the topic of events"), "use another topic for sealed texts");
    }
    let content = vault.zip(topic.as_ref()).map(|(vault, events)| content_topic(content_name, events, vault));
    let kafka = security.and_then(|security| match KafkaConfig::new(brokers, security, concat!("custody-", env!("CARGO_PKG_VERSION"))) {
        Ok(kafka) => Some(kafka),
        Err(error) => {
            reader.mistake("brokers", error.to_string(), "see the deployment page for each way to get in");
            None
        }
    });
    reader.finish();
    Some(Log { kafka: kafka?, topic: topic?, content })
}

/// As the topic of events, but for its name, and for how long it keeps what the vault must be able to open.
fn content_topic(name: &str, events: &TopicPlan, vault: &Vault) -> TopicPlan {
    let retention_ms = i64::try_from(vault.content_retention.as_millis()).unwrap_or(i64::MAX);
    TopicPlan { name: name.to_owned(), retention_ms, ..events.clone() }
}

fn read_security(reader: &Reader<'_>) -> Option<KafkaSecurity> {
    const ACCEPTED: &str = "plaintext (this machine only), tls, scram-sha-256, scram-sha-512 or msk-iam";
    let security = reader.section("security");
    let ca_file = security.optional_text("ca_file", "a PEM file").map(PathBuf::from);
    let meant = match security.text("kind", ACCEPTED)? {
        "plaintext" => Some(KafkaSecurity::Plaintext),
        "tls" => Some(KafkaSecurity::Tls { ca_file, client: read_certificate(&security) }),
        "scram-sha-256" => read_scram(&security, ScramMechanism::Sha256, ca_file),
        "scram-sha-512" => read_scram(&security, ScramMechanism::Sha512, ca_file),
        "msk-iam" => security.text("region", "the cluster's region").map(|region| KafkaSecurity::MskIam { region: region.to_owned() }),
        other => {
            security.mistake("kind", format!("is `{other}`"), format!("use {ACCEPTED}"));
            None
        }
    };
    security.finish();
    meant
}

fn read_certificate(security: &Reader<'_>) -> Option<ClientCertificate> {
    let certificate_file = security.optional_text("certificate_file", "a PEM file").map(PathBuf::from);
    let key_file = security.optional_text("key_file", "a PEM file").map(PathBuf::from);
    match (certificate_file, key_file) {
        (Some(certificate_file), Some(key_file)) => Some(ClientCertificate { certificate_file, key_file }),
        (None, None) => None,
        _ => {
            security.mistake("certificate_file", "and `key_file` belong together", "name both or neither");
            None
        }
    }
}

fn read_scram(security: &Reader<'_>, mechanism: ScramMechanism, ca_file: Option<PathBuf>) -> Option<KafkaSecurity> {
    let user = security.text("user", "the user's name");
    let password = read_password(security);
    Some(KafkaSecurity::SaslScram { mechanism, user: user?.to_owned(), password: password?, ca_file })
}

/// Secrets are references, never values.
fn read_password(security: &Reader<'_>) -> Option<SensitiveText> {
    let variable = security.optional_text("password_env", "the name of an environment variable");
    let file = security.optional_text("password_file", "a file that only this user can read");
    let reference = match (variable, file) {
        (Some(name), None) => SecretReference::Environment(name.to_owned()),
        (None, Some(path)) => SecretReference::File(path.to_owned()),
        _ => {
            security.mistake("password_env", "or `password_file` is needed", "name exactly one of them");
            return None;
        }
    };
    read_secret(&reference).map_err(|problem| security.mistake("password_env", problem, "make the password available")).ok()
}

fn read_topic(reader: Reader<'_>) -> Option<TopicPlan> {
    let name = reader.optional_text("name", "a topic's name").unwrap_or(TOPIC).to_owned();
    let number = |key, range, default| u32::try_from(reader.number(key, range, default)).unwrap_or(u32::MAX);
    // Twelve can be shared evenly by two, three, four or six ingest instances.
    let partitions = number("partitions", 1..=10_000, 12);
    // Three copies, of which two must have a record before it counts: one broker may be lost at any time.
    let replication = number("replication", 1..=9, 3);
    let min_insync_replicas = number("min_insync_replicas", 1..=9, u64::from(replication > 2) + 1);
    // A week to repair ingest before evidence is forgotten that no lake has.
    let hours = number("retention_hours", 1..=87_600, 168);
    reader.finish();
    let retention_ms = i64::from(hours) * MILLIS_PER_HOUR;
    let largest_record = JournalConfig::new(JournalId::from_uuid(uuid::Uuid::nil())).max_record_bytes;
    let max_message_bytes = u32::try_from(ShipperConfig::new(&name, largest_record).max_message_bytes()).ok()?;
    Some(TopicPlan { name, partitions, replication, retention_ms, min_insync_replicas, max_message_bytes })
}
