//! The protected ways in, on a real broker: what is accepted works from end to end, what is not is refused in a sentence.
//! Run by `cargo xtask test`, whose services say in the environment where the listeners, certificates and password are.

use std::{
    error::Error,
    io,
    net::{TcpListener, TcpStream},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use custody_log::{
    LogReader, ReadError,
    kafka::{
        ClientCertificate, KafkaConfig, KafkaReader, KafkaSecurity, Refusal, ScramMechanism, Shipper, ShipperConfig, TopicAdmin, TopicError,
    },
};
use custody_testkit::disk::SimDisk;
use custody_types::{Fault, FaultOwner, LogPosition, Retry, SensitiveText};
use tokio::{sync::watch, time::Instant};

use crate::{
    real,
    world::{SOON, append, assert_gapless, journal},
};

/// The longest that a refusal may take: the first question's two seconds, on a busy machine.
const BOUND: Duration = Duration::from_secs(10);
const WRONG_PASSWORD: &str = "not-the-password";

fn told(name: &str) -> String {
    let name = format!("CUSTODY_TEST_KAFKA_{name}");
    #[expect(clippy::disallowed_methods, reason = "the value comes from `cargo xtask test`")]
    std::env::var(&name).unwrap_or_else(|_| panic!("{name} is not set: run `cargo xtask test`, or `services up --processes`"))
}

fn file(name: &str) -> PathBuf {
    told(name).into()
}

fn password() -> String {
    std::fs::read_to_string(file("PASSWORD_FILE")).unwrap().trim().to_owned()
}

fn scram(mechanism: ScramMechanism, password: &str, ca: &str) -> KafkaSecurity {
    let (user, password, ca_file) = (told("USER"), SensitiveText::new(password), Some(file(ca)));
    KafkaSecurity::SaslScram { mechanism, user, password, ca_file }
}

fn good_scram() -> KafkaSecurity {
    scram(ScramMechanism::Sha512, &password(), "CA")
}

fn tls(client: Option<ClientCertificate>) -> KafkaSecurity {
    KafkaSecurity::Tls { ca_file: Some(file("CA")), client }
}

fn client_certificate() -> Option<ClientCertificate> {
    Some(ClientCertificate { certificate_file: file("CLIENT_CERT"), key_file: file("CLIENT_KEY") })
}

fn config(brokers: &str, security: KafkaSecurity) -> KafkaConfig {
    KafkaConfig::new(brokers.split(',').map(str::to_owned).collect(), security, "custody-test").unwrap()
}

/// Error and causes, as the program prints them.
fn sentence(error: &dyn Error) -> String {
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {}", sentence(source)))
}

/// A topic is made, a journal shipped into it and read back.
async fn works(kafka: KafkaConfig) {
    let (_, plan) = real::made_with(&kafka, 1).await;
    let (disk, settings) = (SimDisk::new(), ShipperConfig::new(plan.name.clone(), 16 << 10));
    let journal = journal(&disk);
    append(&journal, 1_000).await;
    let shipper = Shipper::open(kafka.clone(), settings, journal.reader(LogPosition::START), Arc::new(disk.clone()), |_| {}).unwrap();
    let stats = shipper.run(watch::channel(true).1).await.unwrap();
    assert_eq!((stats.acked, stats.lag_records), (LogPosition::new(1_000), 0));
    let (mut reader, mut records) = (KafkaReader::open(&kafka, &plan.name, 0).unwrap(), Vec::new());
    assert_eq!(reader.bounds().await.unwrap().end, LogPosition::new(1_000));
    while records.len() < 1_000 {
        records.extend(reader.read(1 << 20, SOON).await.unwrap());
    }
    assert_gapless(&records, 1_000);
}

/// The first question is refused: for good, soon, in a sentence that says what to mend and no secret.
#[expect(clippy::print_stdout, reason = "the sentence that a person will read, for --nocapture")]
async fn refused(kafka: KafkaConfig, why: &str) {
    let begun = Instant::now();
    let error = TopicAdmin::open(&kafka).unwrap().plan(&real::plan(1)).await.unwrap_err();
    let said = sentence(&error);
    println!("refused after {:?}: {said}", begun.elapsed());
    assert!(begun.elapsed() < BOUND, "{:?}: {said}", begun.elapsed());
    assert!(said.contains(why), "{said}");
    assert!(!said.contains(&password()) && !said.contains(WRONG_PASSWORD) && !said.contains('\n'), "{said}");
    assert_eq!((error.owner(), error.retry(), error.code()), (FaultOwner::Operator, Retry::Never, "kafka_refused"));
    assert!(matches!(error, TopicError::Client(error) if error.refusal().is_some()));
}

/// Listens on another loopback address, which no certificate names, and passes everything on.
fn elsewhere(broker: &str) -> String {
    let (listener, broker) = (TcpListener::bind("127.0.0.2:0").unwrap(), broker.to_owned());
    let address = listener.local_addr().unwrap().to_string();
    let copy = |mut from: TcpStream, mut to: TcpStream| {
        std::thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(std::net::Shutdown::Both);
        })
    };
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(&broker) else { return };
            copy(client.try_clone().unwrap(), server.try_clone().unwrap());
            copy(server, client);
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: run by cargo xtask test"]
async fn a_password_over_tls_lets_in() {
    works(config(&told("SASL"), good_scram())).await;
    works(config(&told("SASL"), scram(ScramMechanism::Sha256, &password(), "CA"))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: run by cargo xtask test"]
async fn a_client_certificate_lets_in() {
    works(config(&told("TLS"), tls(client_certificate()))).await;
}

#[tokio::test]
#[ignore = "needs a broker: run by cargo xtask test"]
async fn a_wrong_password_is_refused() {
    for mechanism in [ScramMechanism::Sha256, ScramMechanism::Sha512] {
        refused(config(&told("SASL"), scram(mechanism, WRONG_PASSWORD, "CA")), "refuses the log-in").await;
    }
}

#[tokio::test]
#[ignore = "needs a broker: run by cargo xtask test"]
async fn an_unknown_authority_is_refused() {
    // Trusts the client's certificate, which has signed nothing.
    refused(config(&told("SASL"), scram(ScramMechanism::Sha512, &password(), "CLIENT_CERT")), "authority in `ca_file`").await;
}

#[tokio::test]
#[ignore = "needs a broker: run by cargo xtask test"]
async fn a_certificate_for_another_host_is_refused() {
    let broker = told("SASL").split(',').next().unwrap().to_owned();
    refused(config(&elsewhere(&broker), good_scram()), "`127.0.0.2:").await;
    let broker = told("TLS").split(',').next().unwrap().to_owned();
    refused(config(&elsewhere(&broker), tls(client_certificate())), "name the host that we connect to").await;
}

#[tokio::test]
#[ignore = "needs a broker: run by cargo xtask test"]
async fn a_missing_client_certificate_is_refused() {
    refused(config(&told("TLS"), tls(None)), "wants a client certificate").await;
}

#[tokio::test]
#[ignore = "needs a broker: run by cargo xtask test"]
async fn a_reader_that_is_refused_says_so() {
    let kafka = config(&told("SASL"), scram(ScramMechanism::Sha512, WRONG_PASSWORD, "CA"));
    let mut reader = KafkaReader::open(&kafka, "any", 0).unwrap();
    let begun = Instant::now();
    for error in [reader.bounds().await.unwrap_err(), reader.read(1, SOON).await.unwrap_err()] {
        let said = sentence(&error);
        println!("after {:?}: {said}", begun.elapsed());
        assert!(matches!(error, ReadError::Unavailable { source, .. } if source.is::<Refusal>()), "{said}");
        assert!(said.contains("refuses the log-in") && !said.contains(WRONG_PASSWORD), "{said}");
    }
}

#[tokio::test]
#[ignore = "needs a broker: run by cargo xtask test"]
async fn a_shipper_that_is_refused_says_so_and_stops_in_time() {
    let kafka = config(&told("SASL"), scram(ScramMechanism::Sha512, WRONG_PASSWORD, "CA"));
    let (disk, settings) = (SimDisk::new(), ShipperConfig { grace: Duration::from_secs(1), ..ShipperConfig::new("any", 16 << 10) });
    let journal = journal(&disk);
    append(&journal, 10).await;
    let shipper = Shipper::open(kafka, settings, journal.reader(LogPosition::START), Arc::new(disk.clone()), |_| {}).unwrap();
    let (monitor, (stop, stopped)) = (shipper.monitor(), watch::channel(false));
    let shipping = tokio::spawn(shipper.run(stopped));
    let begun = Instant::now();
    while !monitor.stats().last_problem.is_some_and(|problem| problem.contains("refuses the log-in")) {
        assert!(begun.elapsed() < SOON, "{:?}", monitor.stats());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(monitor.stats().away_since.is_some());
    stop.send_replace(true);
    let stats = tokio::time::timeout(SOON, shipping).await.unwrap().unwrap().unwrap();
    assert_eq!(stats.lag_records, 10);
}
