//! Mutual TLS: who has no certificate of the right authority asks nothing, whatever key it holds.

use rustls::{
    ClientConfig,
    version::{TLS12, TLS13},
};

use super::{
    certificates::{Authority, ServerFiles, client, client_of},
    harness::Harness,
    tls::{chat, failures, figure, over_tls, start},
};

/// The status of an answer; nothing where the connection was refused.
async fn status(harness: &Harness, client: &ClientConfig) -> Option<u16> {
    over_tls(harness.address, client, &chat(harness)).await.ok().map(|seen| seen.status)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_without_a_certificate_of_the_right_authority_is_refused() {
    let (servers, clients, strangers) = (Authority::new("servers"), Authority::new("clients"), Authority::new("strangers"));
    let harness = start(&ServerFiles::of(&servers.issue(2090)).with_clients_of(&clients)).await;
    let (known, stranger, past) = (clients.issue(2090), strangers.issue(2090), clients.issue(2021));
    for versions in [&[&TLS12][..], &[&TLS13]] {
        assert_eq!(status(&harness, &client_of(&servers, Some(&known), versions)).await, Some(200), "{versions:?}");
        let answered = harness.model.count();
        for refused in [None, Some(&stranger), Some(&past)] {
            assert_eq!(status(&harness, &client_of(&servers, refused, versions)).await, None, "{versions:?}");
        }
        assert_eq!(harness.model.count(), answered);
    }
    let known = client(&servers, Some(&known));
    assert_eq!(figure(&harness, &known, &failures("no_client_certificate")).await, 2);
    assert_eq!(figure(&harness, &known, &failures("client_certificate_refused")).await, 4);
    harness.stop().await;
}

// A certificate says that a machine may come, and a key what its holder may do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_certificate_is_no_key() {
    let authority = Authority::new("both");
    let harness = start(&ServerFiles::of(&authority.issue(2090)).with_clients_of(&authority)).await;
    let client = client(&authority, Some(&authority.issue(2090)));
    let asked = super::client::request("POST", "/v1/chat/completions", &[], super::harness::body("support.answer", "hi", "").as_bytes());
    let seen = over_tls(harness.address, &client, &asked).await.unwrap();
    assert_eq!((seen.status, seen.code().as_str(), harness.model.count()), (401, "missing_api_key", 0));
    harness.stop().await;
}
