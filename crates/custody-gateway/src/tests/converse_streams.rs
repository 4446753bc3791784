//! Bedrock's front: streamed answers as event-stream frames. Content flows after the intent, the end waits for the outcome.

use std::time::Duration;

use custody_dialect::StreamEvent;
use custody_event::Kind;
use custody_testkit::disk::DiskPoint;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    client,
    frames::{checked, frames, names, text},
    harness::{Harness, converse_body, kinds, outcome},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_with_stop_and_usage() {
    let harness = Harness::start().await;
    let seen = harness.converse_stream("support.answer", "simulate: input_tokens=50 output_tokens=40 cache_read_tokens=20").await;
    let content_type = seen.header("content-type");
    assert_eq!((seen.status, content_type), (200, Some("application/vnd.amazon.eventstream")), "{}", seen.body);
    assert_eq!((seen.header("x-custody-route"), seen.header("x-amzn-requestid")), (Some("sim.large"), seen.header("x-request-id")));
    let frames = frames(&seen.bytes);
    assert!(frames.iter().all(|frame| frame.kind == "event"));
    let names = names(&frames);
    let [first, pieces @ .., block_end, stop, metadata] = names.as_slice() else { panic!("{names:?}") };
    assert_eq!([*first, *block_end, *stop, *metadata], ["messageStart", "contentBlockStop", "messageStop", "metadata"]);
    assert!(pieces.len() > 3 && pieces.iter().all(|name| *name == "contentBlockDelta"), "{names:?}");
    assert!(text(&frames).split_whitespace().count() > 10);
    let [.., stop, metadata] = frames.as_slice() else { panic!() };
    assert_eq!(stop.payload["stopReason"], "end_turn");
    assert_eq!((&metadata.payload["usage"]["inputTokens"], &metadata.payload["usage"]["totalTokens"]), (&30.into(), &90.into()));
    assert_eq!(checked(&seen.bytes).unwrap().last(), Some(&StreamEvent::Done), "the check sums hold");
    let events = harness.events().await;
    assert_eq!(kinds(&events), ["request", "prompt", "route", "invocation", "validation", "cost", "outcome"]);
    let Kind::Request(request) = &events[0].kind else { panic!() };
    assert_eq!((&*request.dialect, request.stream), ("converse", true));
    let Kind::Invocation(invocation) = &events[3].kind else { panic!() };
    assert!(invocation.first_token_us.is_some() && invocation.stream_chunks > Some(1));
    assert!(outcome(&events).delivered_bytes > Some(10));
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_streamed_tool_call_is_a_block_of_its_own() {
    let harness = Harness::start().await;
    let seen = harness.converse_stream("support.answer", "simulate: tool_call=1").await;
    let frames = frames(&seen.bytes);
    let start = frames.iter().find(|frame| frame.name == "contentBlockStart").unwrap();
    assert_eq!(start.payload["start"]["toolUse"]["name"], "simulated");
    let input: String = frames.iter().filter_map(|frame| frame.payload["delta"]["toolUse"]["input"].as_str()).collect();
    assert_eq!(input, "{\"simulated\":true}");
    let stop = frames.iter().find(|frame| frame.name == "messageStop").unwrap();
    assert_eq!(stop.payload["stopReason"], "tool_use");
    harness.stop().await;
}

// PATH-13: the end of a stream is not released before its outcome is durable.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_whose_outcome_is_lost_never_ends_well() {
    let harness = Harness::start().await;
    let asking = harness.converse_stream("support.answer", "simulate: output_tokens=40 chunk_delay_ms=60");
    let breaking = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        harness.disk.fail(DiskPoint::Sync, std::io::ErrorKind::Other, 1_000_000);
    };
    let (seen, ()) = tokio::join!(asking, breaking);
    let frames = frames(&seen.bytes);
    let last = frames.last().unwrap();
    assert_eq!((seen.status, last.kind.as_str(), last.name.as_str()), (200, "exception", "serviceUnavailableException"));
    assert!(last.payload["message"].as_str().unwrap().ends_with("(evidence_unavailable)"), "{last:?}");
    assert!(!names(&frames).contains(&"messageStop") && !names(&frames).contains(&"metadata"));
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_breaks_ends_in_an_exception_and_is_never_repeated() {
    let harness = Harness::start().await;
    for (directive, code) in [("cut_after=3", "upstream_cut"), ("error_after=3", "upstream_error_in_stream")] {
        let seen = harness.converse_stream("support.answer", &format!("simulate: output_tokens=80 {directive}")).await;
        let frames = frames(&seen.bytes);
        let last = frames.last().unwrap();
        assert_eq!((seen.status, last.kind.as_str(), last.name.as_str()), (200, "exception", "modelStreamErrorException"));
        assert!(last.payload["message"].as_str().unwrap().ends_with(&format!("({code})")), "{last:?}");
        assert!(checked(&seen.bytes).is_err(), "an AWS client raises");
    }
    let events = harness.events().await;
    assert_eq!((&*outcome(&events).class, outcome(&events).attempts, harness.model.count()), ("interrupted", 1, 2));
    harness.stop().await;
}

// Before the first word a stream is still an answer with a status.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_breaks_before_its_first_word_has_a_status() {
    let harness = Harness::start().await;
    let seen = harness.converse_stream("support.answer", "simulate: cut_after=0").await;
    assert_eq!((seen.status, seen.header("x-amzn-errortype")), (424, Some("ModelErrorException")));
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(harness.model.count(), 3);
    harness.stop().await;
}

// PATH-12: an answer that a schema checks is kept back until it was checked, also for a caller who asked for a stream.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_bound_stream_is_checked_before_anything_goes_out() {
    let harness = Harness::start().await;
    let good = harness.converse_stream("ticket.classify", "hi").await;
    let frames = frames(&good.bytes);
    assert!(good.header("x-custody-evidence").is_some(), "the whole answer waited for the outcome");
    assert_eq!(names(&frames), ["messageStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"]);
    assert!(serde_json::from_str::<serde_json::Value>(&text(&frames)).unwrap()["urgent"].is_boolean());
    let bad = harness.converse_stream("ticket.classify", "simulate: empty=1").await;
    assert_eq!((bad.status, bad.header("x-custody-code")), (424, Some("invalid_output")));
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hang_up_is_recorded_with_its_usage() {
    let harness = Harness::start().await;
    let bearer = format!("Bearer {}", harness.acme);
    let streamed = ("converse-stream", "simulate: input_tokens=9 output_tokens=80 chunk_delay_ms=30");
    let whole = ("converse", "simulate: input_tokens=9 delay_ms=300");
    for (count, (operation, text)) in [streamed, whole].into_iter().enumerate() {
        let path = format!("/model/support.answer/{operation}");
        let request = client::request("POST", &path, &[("authorization", &bearer)], converse_body(text, "").as_bytes());
        let mut stream = TcpStream::connect(harness.address).await.unwrap();
        stream.write_all(&request).await.unwrap();
        let mut first = [0; 64];
        let _ = tokio::time::timeout(Duration::from_millis(100), stream.read_exact(&mut first)).await;
        drop(stream);
        let events = harness.events_after(count + 1).await;
        assert_eq!((&*outcome(&events).class, outcome(&events).http_status), ("abandoned", 499), "{operation}");
        let last = events.iter().rev().find_map(|event| if let Kind::Invocation(fact) = &event.kind { Some(fact) } else { None });
        assert_eq!(last.map(|fact| (&*fact.status, fact.input_tokens)), Some(("completed", Some(9))), "{operation}");
    }
    harness.stop().await;
}
