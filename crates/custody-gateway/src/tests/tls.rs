//! The gateway under TLS: what callers get, and what strangers cannot do.

use std::{fs, net::SocketAddr, sync::Arc, time::Duration};

use custody_event::Kind;
use custody_log::Journal;
use custody_testkit::disk::SimDisk;
use custody_types::{Fault, FaultOwner};
use rustls::{
    ClientConfig,
    pki_types::ServerName,
    version::{TLS12, TLS13},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::Instant,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    certificates::{Authority, ServerFiles, client, client_of, new_year},
    client::{Seen, parse, raw, request},
    harness::{Harness, body, build, journal_config},
};
use crate::workspace::write_example;

pub(super) const LISTEN: &str = "listen = \"127.0.0.1:8700\"\n";

pub(super) async fn start(files: &ServerFiles) -> Harness {
    start_with(files, "").await
}

async fn start_with(files: &ServerFiles, more: &str) -> Harness {
    Harness::with(&[("custody.toml", LISTEN, &format!("{LISTEN}{}{more}", files.settings()))]).await
}

pub(super) async fn connect(address: SocketAddr, client: &ClientConfig) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::new(client.clone())).connect(ServerName::from(address.ip()), stream).await
}

/// Sends the bytes over a connection of its own and reads until the server closes.
pub(super) async fn over_tls(address: SocketAddr, client: &ClientConfig, bytes: &[u8]) -> std::io::Result<Seen> {
    let mut stream = connect(address, client).await?;
    stream.write_all(bytes).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(parse(&answer))
}

pub(super) fn chat(harness: &Harness) -> Vec<u8> {
    let bearer = format!("Bearer {}", harness.acme);
    request("POST", "/v1/chat/completions", &[("authorization", &bearer)], body("support.answer", "hi", "").as_bytes())
}

pub(super) async fn figure(harness: &Harness, client: &ClientConfig, name: &str) -> i64 {
    let page = over_tls(harness.address, client, &request("GET", "/metrics", &[], b"")).await.unwrap().body;
    let line = page.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no {name} in\n{page}"));
    line.trim().parse().unwrap()
}

pub(super) fn failures(reason: &str) -> String {
    format!("custody_tls_handshakes_failed_total{{reason=\"{reason}\"}}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_under_tls_is_governed_as_any_other() {
    let authority = Authority::new("a");
    let harness = start(&ServerFiles::of(&authority.issue(2090))).await;
    for (count, version) in [&TLS12, &TLS13].into_iter().enumerate() {
        let client = client_of(&authority, None, &[version]);
        let seen = over_tls(harness.address, &client, &chat(&harness)).await.unwrap();
        assert_eq!(seen.status, 200, "{version:?}: {}", seen.body);
        assert!(seen.header("x-custody-evidence").is_some());
        let events = harness.events_after(count + 1).await;
        let Some(Kind::Outcome(outcome)) = events.last().map(|event| &event.kind) else { panic!("{version:?}") };
        assert_eq!(&*outcome.class, "answered");
    }
    let client = client(&authority, None);
    for page in ["/healthz", "/readyz"] {
        assert_eq!(over_tls(harness.address, &client, &request("GET", page, &[], b"")).await.unwrap().status, 200, "{page}");
    }
    assert_eq!(figure(&harness, &client, "custody_tls_certificate_expiry_seconds").await, new_year(2090));
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_flows_under_tls_and_ends_whole() {
    let authority = Authority::new("a");
    let harness = start(&ServerFiles::of(&authority.issue(2090))).await;
    let bearer = format!("Bearer {}", harness.acme);
    let streamed = body("support.answer", "simulate: output_tokens=40", ",\"stream\":true");
    let asked = request("POST", "/v1/chat/completions", &[("authorization", &bearer)], streamed.as_bytes());
    // An end without close_notify would be an error here: a cut that nobody could tell from an end.
    let seen = over_tls(harness.address, &client(&authority, None), &asked).await.unwrap();
    assert_eq!(seen.status, 200);
    assert!(seen.body.matches("data: ").count() > 5 && seen.body.trim_end().ends_with("data: [DONE]"), "{}", seen.body);
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_http_1_1_is_agreed_on() {
    let authority = Authority::new("a");
    let harness = start(&ServerFiles::of(&authority.issue(2090))).await;
    let mut client = client(&authority, None);
    client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = connect(harness.address, &client).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    client.alpn_protocols = vec![b"h2".to_vec()];
    assert!(connect(harness.address, &client).await.is_err());
    client.alpn_protocols = Vec::new();
    assert_eq!(figure(&harness, &client, &failures("nothing_in_common")).await, 1);
    drop(stream);
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plaintext_on_the_tls_port_gets_no_answer_and_does_no_harm() {
    let authority = Authority::new("a");
    let harness = start(&ServerFiles::of(&authority.issue(2090))).await;
    let seen = raw(harness.address, &chat(&harness)).await;
    assert_eq!((seen.status, seen.body.as_str()), (0, ""));
    assert_eq!((harness.events().await.len(), harness.model.count()), (0, 0));
    let client = client(&authority, None);
    assert_eq!(figure(&harness, &client, &failures("not_tls")).await, 1);
    assert_eq!(over_tls(harness.address, &client, &chat(&harness)).await.unwrap().status, 200);
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_handshake_is_cut_and_holds_up_nobody() {
    const SLOW: usize = 50;
    let authority = Authority::new("a");
    let harness = start_with(&ServerFiles::of(&authority.issue(2090)), "header_timeout_ms = 3000\n").await;
    let began = Instant::now();
    let mut slow = Vec::new();
    for _ in 0..SLOW {
        let mut stream = TcpStream::connect(harness.address).await.unwrap();
        // The head of a ClientHello of 512 bytes, which never come.
        stream.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap();
        slow.push(stream);
    }
    let client = client(&authority, None);
    assert_eq!(over_tls(harness.address, &client, &chat(&harness)).await.unwrap().status, 200);
    assert_eq!(figure(&harness, &client, &failures("too_slow")).await, 0, "the honest caller waited for slow ones");
    for stream in &mut slow {
        let ended = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut [0; 64])).await;
        assert!(matches!(ended, Ok(Ok(0) | Err(_))), "{ended:?}");
    }
    assert!(began.elapsed() >= Duration::from_millis(2900), "{:?}", began.elapsed());
    assert_eq!(figure(&harness, &client, &failures("too_slow")).await, i64::try_from(SLOW).unwrap());
    harness.stop().await;
}

// A gateway that was told to speak TLS never falls back to plaintext.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_whose_certificate_cannot_be_used_is_not_built() {
    let files = ServerFiles::of(&Authority::new("a").issue(2090));
    files.protect_key(0o644);
    let folder = tempfile::tempdir().unwrap();
    write_example(folder.path()).unwrap();
    let main = folder.path().join("custody.toml");
    let text = fs::read_to_string(&main).unwrap();
    fs::write(main, text.replace(LISTEN, &format!("{LISTEN}{}", files.settings()))).unwrap();
    let (journal, _) = Journal::open(journal_config(), Arc::new(SimDisk::new())).unwrap();
    let Err(error) = build(folder.path(), Arc::new(journal), &Arc::default()) else { panic!("it was built") };
    assert!(error.to_string().contains("server.key") && error.to_string().contains("chmod 600"), "{error}");
    assert_eq!((error.owner(), error.code()), (FaultOwner::Operator, "tls_unusable"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_does_not_wait_for_handshakes() {
    let harness = start(&ServerFiles::of(&Authority::new("a").issue(2090))).await;
    let silent = TcpStream::connect(harness.address).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let began = Instant::now();
    harness.stop().await;
    // The handshake alone would have ten seconds.
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    drop(silent);
}
