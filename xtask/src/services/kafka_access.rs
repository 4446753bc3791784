//! The ways into Kafka beside the plain one: a password over TLS (SCRAM), and TLS with a certificate that clients must show.
//! All brokers have the same certificate, user and password; they talk among themselves on the plain listener.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};

use super::{
    certificates::Certificates,
    place::{Place, write_private},
    random,
    state::{Service, State},
};

/// Where clients show a password, and where they show a certificate.
pub const PORTS: [&str; 2] = ["sasl", "tls"];

const USER: &str = "custody-test";

/// Makes certificates and a password, which last as long as the instance.
pub fn create(place: &Place) -> Result<()> {
    Certificates::of(place).create()?;
    write_private(&password_file(place), &format!("{}\n", random::hex::<20>()?))
}

/// The listeners, for `listeners` and `advertised.listeners`.
pub fn listeners(node: &Service) -> Result<String> {
    Ok(format!("SASL_SSL://127.0.0.1:{},SSL://127.0.0.1:{}", node.port("sasl")?, node.port("tls")?))
}

/// What a broker must be told about them.
pub fn settings(place: &Place) -> String {
    let certificates = Certificates::of(place);
    let (broker, authority) = (certificates.broker().display().to_string(), certificates.authority().display().to_string());
    format!(
        "
# Whoever comes in over TLS must show a certificate, or know the password.
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL
ssl.keystore.type=PEM
ssl.keystore.location={broker}
ssl.truststore.type=PEM
ssl.truststore.location={authority}
listener.name.ssl.ssl.client.auth=required
listener.name.sasl_ssl.ssl.client.auth=none
sasl.enabled.mechanisms=SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
"
    )
}

/// The user, as the storage tool takes it. It goes into the cluster's metadata with the first start of all nodes.
pub fn users(place: &Place) -> Result<[String; 4]> {
    let file = password_file(place);
    let password = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let user = |mechanism: &str| format!("{mechanism}=[name={USER},password={}]", password.trim());
    let option = || "--add-scram".to_owned();
    Ok([option(), user("SCRAM-SHA-256"), option(), user("SCRAM-SHA-512")])
}

/// What tests read; nothing where the brokers were started without these listeners.
pub fn variables(place: &Place, state: &State) -> Vec<(&'static str, String)> {
    let addresses = |of| {
        let ports = state.brokers().map(|node| node.port(of)).collect::<Result<Vec<u16>>>().ok()?;
        Some(ports.iter().map(|port| format!("127.0.0.1:{port}")).collect::<Vec<_>>().join(","))
    };
    let (Some(sasl), Some(tls)) = (addresses("sasl"), addresses("tls")) else { return Vec::new() };
    let certificates = Certificates::of(place);
    vec![
        ("CUSTODY_TEST_KAFKA_SASL", sasl),
        ("CUSTODY_TEST_KAFKA_TLS", tls),
        ("CUSTODY_TEST_KAFKA_CA", certificates.authority().display().to_string()),
        ("CUSTODY_TEST_KAFKA_CLIENT_CERT", certificates.client().display().to_string()),
        ("CUSTODY_TEST_KAFKA_CLIENT_KEY", certificates.client_key().display().to_string()),
        ("CUSTODY_TEST_KAFKA_USER", USER.to_owned()),
        ("CUSTODY_TEST_KAFKA_PASSWORD_FILE", password_file(place).display().to_string()),
    ]
}

fn password_file(place: &Place) -> PathBuf {
    place.access().join("password")
}
