//! Streamed answers: content flows after the intent, the end waits for the outcome.

use std::time::Duration;

use custody_event::Kind;
use custody_testkit::disk::DiskPoint;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    client,
    harness::{Harness, body, kinds, outcome},
};

const STREAM: &str = r#","stream":true,"stream_options":{"include_usage":true}"#;

fn data(body: &str) -> Vec<&str> {
    body.split("\n\n").filter_map(|event| event.strip_prefix("data: ")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_with_finish_usage_and_done() {
    let harness = Harness::start().await;
    let text = body("support.answer", "simulate: input_tokens=50 output_tokens=40", STREAM);
    let seen = harness.send(&harness.acme, &[], &text).await;
    assert_eq!(
        (seen.status, seen.header("content-type"), seen.header("x-custody-route")),
        (200, Some("text/event-stream"), Some("sim.large"))
    );
    let data = data(&seen.body);
    let [.., finish, usage, done] = data.as_slice() else { panic!("{data:?}") };
    assert!(finish.contains("\"finish_reason\":\"stop\"") && usage.contains("\"prompt_tokens\":50"), "{finish} {usage}");
    assert_eq!(*done, "[DONE]");
    assert!(data.len() > 5);
    let events = harness.events().await;
    assert_eq!(kinds(&events), ["request", "prompt", "route", "invocation", "validation", "cost", "outcome"]);
    let Kind::Invocation(invocation) = &events[3].kind else { panic!() };
    assert!(invocation.first_token_us.is_some() && invocation.stream_chunks > Some(1));
    assert!(outcome(&events).delivered_bytes > Some(10));
    harness.stop().await;
}

// PATH-13: the end of a stream is not released before its outcome is durable.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_whose_outcome_is_lost_never_ends_well() {
    let harness = Harness::start().await;
    let text = body("support.answer", "simulate: output_tokens=40 chunk_delay_ms=60", STREAM);
    let asking = harness.send(&harness.acme, &[], &text);
    let breaking = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        harness.disk.fail(DiskPoint::Sync, std::io::ErrorKind::Other, 1_000_000);
    };
    let (seen, ()) = tokio::join!(asking, breaking);
    assert_eq!((seen.status, seen.code().as_str()), (200, "evidence_unavailable"));
    assert!(!seen.body.contains("[DONE]") && !seen.body.contains("\"finish_reason\":\"stop\""));
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_breaks_is_interrupted_and_never_repeated() {
    let harness = Harness::start().await;
    let seen = harness.send(&harness.acme, &[], &body("support.answer", "simulate: output_tokens=80 cut_after=3", STREAM)).await;
    assert_eq!((seen.status, seen.code().as_str()), (200, "upstream_cut"));
    assert!(!seen.body.contains("[DONE]"));
    let events = harness.events().await;
    assert_eq!((&*outcome(&events).class, outcome(&events).attempts), ("interrupted", 1));
    let Some(Kind::Cost(cost)) = events.iter().map(|event| &event.kind).find(|kind| kind.name() == "cost") else { panic!() };
    assert_eq!(cost.finding.as_deref(), Some("usage_unknown"));
    assert_eq!(harness.model.count(), 1);
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_breaks_before_its_first_word_is_tried_again() {
    let harness = Harness::start().await;
    let seen = harness.send(&harness.acme, &[], &body("support.answer", "simulate: cut_after=0", STREAM)).await;
    assert_eq!((seen.status, seen.code().as_str()), (502, "upstream_cut"));
    assert_eq!(harness.model.count(), 3);
    harness.stop().await;
}

// PATH-12: an answer that a schema checks is kept back until it was checked, also for a caller who asked for a stream.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_bound_stream_is_checked_before_anything_goes_out() {
    let harness = Harness::start().await;
    let good = harness.send(&harness.acme, &[], &body("ticket.classify", "hi", STREAM)).await;
    assert_eq!((good.status, good.header("content-type")), (200, Some("text/event-stream")));
    assert!(good.header("x-custody-evidence").is_some() && good.body.ends_with("data: [DONE]\n\n"), "{}", good.body);
    let bad = harness.send(&harness.acme, &[], &body("ticket.classify", "simulate: empty=1", STREAM)).await;
    assert_eq!((bad.status, bad.code().as_str()), (502, "invalid_output"));
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hang_up_in_mid_stream_is_recorded_with_its_usage() {
    let harness = Harness::start().await;
    let bearer = format!("Bearer {}", harness.acme);
    let text = body("support.answer", "simulate: input_tokens=9 output_tokens=80 chunk_delay_ms=30", STREAM);
    let mut stream = TcpStream::connect(harness.address).await.unwrap();
    stream.write_all(&client::request("POST", "/v1/chat/completions", &[("authorization", &bearer)], text.as_bytes())).await.unwrap();
    let mut first = [0; 64];
    stream.read_exact(&mut first).await.unwrap();
    drop(stream);
    let events = harness.events_after(1).await;
    assert_eq!(&*outcome(&events).class, "abandoned");
    let Some(Kind::Invocation(invocation)) = events.iter().map(|event| &event.kind).find(|kind| kind.name() == "invocation") else {
        panic!()
    };
    assert_eq!((&*invocation.status, invocation.input_tokens), ("completed", Some(9)));
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_stop_waits_for_streams() {
    let harness = Harness::start().await;
    let address = harness.address;
    let bearer = format!("Bearer {}", harness.acme);
    let text = body("support.answer", "simulate: output_tokens=80 chunk_delay_ms=30", STREAM);
    let request = client::request("POST", "/v1/chat/completions", &[("authorization", &bearer)], text.as_bytes());
    let asking = tokio::spawn(async move { client::raw(address, &request).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let journal = harness.journal.clone();
    harness.stop().await;
    assert!(asking.await.unwrap().body.ends_with("data: [DONE]\n\n"));
    assert_eq!(super::harness::events(&journal).await.len(), 7);
}
