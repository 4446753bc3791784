//! Certificates replaced while the gateway serves.

use std::time::Duration;

use rustls::ClientConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    certificates::{Authority, ServerFiles, client, new_year},
    client::request,
    harness::Harness,
    log_lines,
    tls::{connect, figure, over_tls, start},
};

const EXPIRY: &str = "custody_tls_certificate_expiry_seconds";

/// Whether this client gets in.
async fn served(harness: &Harness, client: &ClientConfig) -> bool {
    over_tls(harness.address, client, &request("GET", "/healthz", &[], b"")).await.is_ok_and(|seen| seen.status == 200)
}

async fn until_served(harness: &Harness, client: &ClientConfig) {
    for _ in 0..1000 {
        if served(harness, client).await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the certificate never came into force");
}

async fn until_complained(files: &ServerFiles, times: usize) -> Vec<String> {
    for _ in 0..1000 {
        let lines = log_lines::errors_with(&files.folder());
        if lines.len() >= times {
            // A line at every look would show by now.
            tokio::time::sleep(Duration::from_millis(300)).await;
            return log_lines::errors_with(&files.folder());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{times} lines never came");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_certificate_comes_into_force_and_open_connections_stay() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let files = ServerFiles::of(&old.issue(2080));
    let harness = start(&files).await;
    let (of_old, of_new) = (client(&old, None), client(&new, None));
    let mut open = connect(harness.address, &of_old).await.unwrap();
    files.put(&new.issue(2090));
    until_served(&harness, &of_new).await;
    assert!(!served(&harness, &of_old).await);
    assert_eq!(figure(&harness, &of_new, EXPIRY).await, new_year(2090));
    open.write_all(b"GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n").await.unwrap();
    let mut head = [0; 15];
    open.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    drop(open);
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_successor_leaves_the_old_in_force_and_is_told_once() {
    log_lines::listen();
    let authority = Authority::new("a");
    let files = ServerFiles::of(&authority.issue(2080));
    let harness = start(&files).await;
    let client = client(&authority, None);
    let successor = authority.issue(2090);
    files.put_certificate(&successor.certificate.pem());
    let lines = until_complained(&files, 1).await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("does not belong to the certificate") && lines[0].contains("in force stays"), "{lines:?}");
    assert!(served(&harness, &client).await);
    assert_eq!(figure(&harness, &client, EXPIRY).await, new_year(2080));
    files.put_certificate(&authority.issue(2021).certificate.pem());
    let lines = until_complained(&files, 2).await;
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[1].contains("has expired"), "{lines:?}");
    assert!(served(&harness, &client).await);
    files.put(&successor);
    for _ in 0..1000 {
        if figure(&harness, &client, EXPIRY).await == new_year(2090) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(figure(&harness, &client, EXPIRY).await, new_year(2090));
    harness.stop().await;
}

// A session begun under one authority's rule must not be carried into the next one's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_of_an_authority_that_was_withdrawn_stay_out() {
    let (servers, before, after) = (Authority::new("servers"), Authority::new("before"), Authority::new("after"));
    let files = ServerFiles::of(&servers.issue(2090)).with_clients_of(&before);
    let harness = start(&files).await;
    let (of_before, of_after) = (client(&servers, Some(&before.issue(2090))), client(&servers, Some(&after.issue(2090))));
    assert!(served(&harness, &of_before).await);
    let files = files.with_clients_of(&after);
    until_served(&harness, &of_after).await;
    assert!(!served(&harness, &of_before).await);
    drop(files);
    harness.stop().await;
}
