//! Where Kafka is and how to get in. Nothing here reads the environment or files: the client library reads certificates by path.

use std::{net::IpAddr, path::PathBuf};

use custody_types::SensitiveText;
use rdkafka::{ClientConfig, config::RDKafkaLogLevel};

use crate::kafka::{contact::Events, error::KafkaConfigError, tokens::TokenSource};

/// How to reach the brokers. Holds only settings that may be used.
#[derive(Debug, Clone)]
pub struct KafkaConfig {
    brokers: Vec<String>,
    security: KafkaSecurity,
    client_id: String,
}

/// How the connection is protected and who we say we are.
#[derive(Debug, Clone)]
pub enum KafkaSecurity {
    /// Not at all: only to brokers on this machine.
    Plaintext,
    /// TLS; the broker may ask for a client certificate.
    Tls {
        /// Authorities to trust, in PEM; the system's where there is none.
        ca_file: Option<PathBuf>,
        /// Our certificate.
        client: Option<ClientCertificate>,
    },
    /// A password, over TLS.
    SaslScram {
        /// Which hash.
        mechanism: ScramMechanism,
        /// The user.
        user: String,
        /// The password.
        password: SensitiveText,
        /// Authorities to trust, in PEM; the system's where there is none.
        ca_file: Option<PathBuf>,
    },
    /// Amazon MSK with IAM: short-lived tokens from the default AWS credentials, over TLS.
    MskIam {
        /// The cluster's region.
        region: String,
    },
}

/// A certificate and its key, both in PEM.
#[derive(Debug, Clone)]
pub struct ClientCertificate {
    /// The certificate's file.
    pub certificate_file: PathBuf,
    /// The key's file.
    pub key_file: PathBuf,
}

/// The hash of a SCRAM log-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScramMechanism {
    /// SCRAM-SHA-256.
    Sha256,
    /// SCRAM-SHA-512.
    Sha512,
}

impl KafkaConfig {
    /// Checks the settings. `brokers` are `host:port`; `client_id` is the name that the brokers' logs show.
    pub fn new(brokers: Vec<String>, security: KafkaSecurity, client_id: impl Into<String>) -> Result<Self, KafkaConfigError> {
        let config = Self { brokers, security, client_id: client_id.into() };
        let problems = config.problems();
        if problems.is_empty() { Ok(config) } else { Err(KafkaConfigError { problems }) }
    }

    /// The brokers asked first.
    #[must_use]
    pub fn brokers(&self) -> &[String] {
        &self.brokers
    }

    /// Whether the connection is unprotected, which only loopback addresses may be.
    pub(crate) const fn is_plaintext(&self) -> bool {
        matches!(self.security, KafkaSecurity::Plaintext)
    }

    pub(crate) const fn is_msk_iam(&self) -> bool {
        matches!(self.security, KafkaSecurity::MskIam { .. })
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.brokers.is_empty() {
            problems.push("`brokers` is empty: at least one `host:port` is needed".to_owned());
        }
        for broker in &self.brokers {
            match host_of(broker) {
                None => problems.push(format!("broker `{broker}` is not `host:port`")),
                Some(host) if self.is_plaintext() && !is_loopback(host) => problems.push(format!(
                    "broker `{broker}` would be reached without encryption: only `localhost`, 127.0.0.0/8 and ::1 may be; use TLS, SCRAM or IAM"
                )),
                Some(_) => {}
            }
        }
        let empty = match &self.security {
            KafkaSecurity::SaslScram { user, .. } if user.is_empty() => Some("user"),
            KafkaSecurity::SaslScram { password, .. } if password.is_empty() => Some("password"),
            KafkaSecurity::MskIam { region } if region.is_empty() => Some("region"),
            _ => None,
        };
        problems.extend(empty.map(|key| format!("`{key}` is empty")));
        problems
    }

    /// What every client of ours has in common.
    pub(crate) fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::new();
        client
            .set("bootstrap.servers", self.brokers.join(","))
            .set("client.id", &self.client_id)
            // A broker that vanished without a word is noticed within this, instead of the default minute.
            .set("socket.timeout.ms", "15000")
            .set("socket.keepalive.enable", "true")
            // Small frames must not wait for more of their kind.
            .set("socket.nagle.disable", "true")
            // A broker that comes back is found within a second.
            .set("reconnect.backoff.max.ms", "1000")
            .set_log_level(RDKafkaLogLevel::Warning);
        self.protect(&mut client);
        client
    }

    fn protect(&self, client: &mut ClientConfig) {
        match &self.security {
            KafkaSecurity::Plaintext => {
                client.set("security.protocol", "plaintext");
            }
            KafkaSecurity::Tls { ca_file, client: certificate } => {
                client.set("security.protocol", "ssl");
                trust(client, ca_file.as_ref());
                if let Some(ClientCertificate { certificate_file, key_file }) = certificate {
                    client.set("ssl.certificate.location", certificate_file.to_string_lossy());
                    client.set("ssl.key.location", key_file.to_string_lossy());
                }
            }
            KafkaSecurity::SaslScram { mechanism, user, password, ca_file } => {
                let mechanism = match mechanism {
                    ScramMechanism::Sha256 => "SCRAM-SHA-256",
                    ScramMechanism::Sha512 => "SCRAM-SHA-512",
                };
                client.set("security.protocol", "sasl_ssl").set("sasl.mechanism", mechanism);
                client.set("sasl.username", user).set("sasl.password", password.expose());
                trust(client, ca_file.as_ref());
            }
            KafkaSecurity::MskIam { .. } => {
                client.set("security.protocol", "sasl_ssl").set("sasl.mechanism", "OAUTHBEARER");
                trust(client, None);
            }
        }
    }

    /// What listens to a client: its complaints, its log, its wish for a token.
    pub(crate) fn events(&self) -> Events {
        let tokens = match &self.security {
            KafkaSecurity::MskIam { region } => Some(TokenSource::new(region.clone())),
            KafkaSecurity::Plaintext | KafkaSecurity::Tls { .. } | KafkaSecurity::SaslScram { .. } => None,
        };
        Events::new(tokens)
    }
}

fn trust(client: &mut ClientConfig, ca_file: Option<&PathBuf>) {
    // The library's default since 2.0, said here because a certificate of another host must never do.
    client.set("ssl.endpoint.identification.algorithm", "https");
    if let Some(file) = ca_file {
        client.set("ssl.ca.location", file.to_string_lossy());
    }
}

/// The host of `host:port` or `[v6]:port`.
pub(crate) fn host_of(broker: &str) -> Option<&str> {
    let (host, port) = broker.rsplit_once(':')?;
    port.parse::<u16>().ok().filter(|port| *port > 0)?;
    let host = host.strip_prefix('[').map_or(Some(host), |inner| inner.strip_suffix(']'))?;
    let is_clean = !host.is_empty() && !host.chars().any(|sign| sign.is_whitespace() || ",/[]".contains(sign));
    is_clean.then_some(host)
}

pub(crate) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests;
