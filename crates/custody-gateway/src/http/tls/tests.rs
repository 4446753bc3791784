//! What keeps a certificate from coming into force, and how many handshakes there are at once.

use rustls::ClientConnection;
use tokio::{io::AsyncWriteExt, net::TcpListener};
use tokio_rustls::TlsConnector;

use super::*;
use crate::tests::certificates::{Authority, ServerFiles, client, new_year};

fn now() -> Timestamp {
    Timestamp::from_micros(new_year(2030) * 1_000_000)
}

fn open(files: &ServerFiles) -> Result<Tls, String> {
    Tls::open(&files.named(), now(), &Metrics::new(prometheus::Registry::new()).unwrap()).map_err(|error| error.to_string())
}

/// Why these files are refused: one sentence.
fn refusal(files: &ServerFiles) -> String {
    let sentence = open(files).err().expect("the files were accepted");
    assert!(!sentence.contains('\n') && !sentence.ends_with('.'), "{sentence}");
    assert!(sentence.contains(&files.folder()), "{sentence} does not name the file");
    sentence
}

#[test]
fn the_end_of_a_certificates_time_is_known_to_the_second() {
    for year in [2031, 2049, 2051, 9999] {
        let tls = open(&ServerFiles::of(&Authority::new("a").issue(year))).unwrap();
        assert_eq!(tls.expiry.get(), new_year(year));
    }
}

#[test]
fn a_certificate_out_of_its_time_is_refused() {
    let authority = Authority::new("a");
    let told = |from, until| refusal(&ServerFiles::of(&authority.issue_for(from, until)));
    assert!(told(2020, 2029).contains("has expired"));
    assert!(told(2031, 2040).contains("is not valid yet"));
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let files = ServerFiles::of(&Authority::new("a").issue(2040));
    for mode in [0o644, 0o640, 0o602] {
        files.protect_key(mode);
        assert!(refusal(&files).contains("readable by other users: run chmod 600 on it"), "{mode:o}");
    }
    files.protect_key(0o400);
    assert!(open(&files).is_ok());
}

#[test]
fn another_certificates_key_is_refused() {
    let authority = Authority::new("a");
    let files = ServerFiles::of(&authority.issue(2040));
    files.put_key(&authority.issue(2040));
    assert!(refusal(&files).contains("does not belong to the certificate"));
}

#[test]
fn files_that_hold_something_else_are_refused() {
    let authority = Authority::new("a");
    let issued = authority.issue(2040);
    let pem = issued.certificate.pem();
    let damaged = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", "AAAA".repeat(20));
    for (certificate, expected) in [
        ("", "holds no certificate in PEM form"),
        ("certificate", "holds no certificate in PEM form"),
        (&issued.key.serialize_pem(), "holds no certificate in PEM form"),
        (&pem[..pem.len() / 2], "damaged"),
        (&damaged, "none of X.509 version 3"),
    ] {
        let files = ServerFiles::of(&issued);
        files.put_certificate(certificate);
        assert!(refusal(&files).contains(expected), "{certificate}: {}", refusal(&files));
    }
    for (key, expected) in [
        ("", "holds no key without a password in PEM form"),
        (pem.as_str(), "holds no key without a password in PEM form"),
        ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n", "holds no key without a password"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no key that TLS knows"),
    ] {
        let files = ServerFiles::of(&issued);
        std::fs::write(files.path("server.key"), key).unwrap();
        assert!(refusal(&files).contains(expected), "{key}: {}", refusal(&files));
    }
    for (clients, expected) in [("", "holds no certificate in PEM form"), (&damaged, "none of X.509 version 3")] {
        let files = ServerFiles::of(&issued).with_clients_of(&authority);
        std::fs::write(files.path("clients.pem"), clients).unwrap();
        assert!(refusal(&files).contains(expected), "{clients}: {}", refusal(&files));
    }
}

#[test]
fn a_file_that_is_missing_is_told() {
    for name in ["server.pem", "server.key", "clients.pem"] {
        let authority = Authority::new("a");
        let files = ServerFiles::of(&authority.issue(2040)).with_clients_of(&authority);
        let named = files.named();
        std::fs::remove_file(files.path(name)).unwrap();
        let Err(error) = Tls::open(&named, now(), &Metrics::new(prometheus::Registry::new()).unwrap()) else { panic!("{name}") };
        assert!(error.to_string().contains(name) && error.to_string().contains("cannot be read: No such file"), "{error}");
    }
}

/// A connection from both ends: the stranger's and ours.
async fn connection() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let theirs = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (theirs, listener.accept().await.unwrap().0)
}

/// The message that begins a handshake.
fn hello(authority: &Authority) -> Vec<u8> {
    let mut client = ClientConnection::new(Arc::new(client(authority, None)), "localhost".try_into().unwrap()).unwrap();
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes).unwrap();
    bytes
}

// A rush of strangers is taken in turn, each for no longer than the time limit.
#[tokio::test]
async fn handshakes_are_bounded_in_number_and_wait_no_longer_than_their_time() {
    let authority = Authority::new("a");
    let tls = open(&ServerFiles::of(&authority.issue(2040))).unwrap();
    let ((mut first, first_here), (mut second, second_here)) = (connection().await, connection().await);
    for stranger in [&mut first, &mut second] {
        stranger.write_all(&hello(&authority)).await.unwrap();
    }
    let patience = Duration::from_millis(1500);
    let all_but_one = tls.places.acquire_many(u32::try_from(MAX_HANDSHAKES).unwrap() - 1).await.unwrap();
    let (first, second, ()) = tokio::join!(tls.handshake(first_here, patience), tls.handshake(second_here, patience), async {
        tokio::time::sleep(patience / 3).await;
        assert_eq!(tls.places.available_permits(), 0);
    });
    assert!(first.is_none() && second.is_none());
    assert_eq!(tls.failed.with_label_values(&["too_slow"]).get(), 2);
    drop(all_but_one);
    assert_eq!(tls.places.available_permits(), MAX_HANDSHAKES);
}

// Those who only wait keep nobody waiting.
#[tokio::test]
async fn a_connection_that_says_nothing_takes_no_place_and_ends_in_time() {
    let authority = Authority::new("a");
    let tls = open(&ServerFiles::of(&authority.issue(2040))).unwrap();
    let all_but_one = tls.places.acquire_many(u32::try_from(MAX_HANDSHAKES).unwrap() - 1).await.unwrap();
    let ((_silent, silent_here), (mut half, half_here), (caller, caller_here)) =
        (connection().await, connection().await, connection().await);
    half.write_all(&hello(&authority)[..20]).await.unwrap();
    let patience = Duration::from_millis(1500);
    let (silent, half, ()) = tokio::join!(tls.handshake(silent_here, patience), tls.handshake(half_here, patience), async {
        tokio::time::sleep(patience / 5).await;
        let caller = TlsConnector::from(Arc::new(client(&authority, None))).connect("localhost".try_into().unwrap(), caller);
        let (theirs, ours) = tokio::join!(tokio::time::timeout(patience / 2, caller), tls.handshake(caller_here, patience));
        assert!(theirs.is_ok_and(|caller| caller.is_ok()) && ours.is_some(), "a true client waited behind silent ones");
    });
    assert!(silent.is_none() && half.is_none());
    assert_eq!(tls.failed.with_label_values(&["too_slow"]).get(), 2);
    drop(all_but_one);
}
