//! Routes in trouble are left alone, and retries are bounded (B-14, GW-18).

use std::sync::atomic::Ordering;

use custody_event::{Event, Kind, Route};

use tokio::io::AsyncWriteExt;

use super::{
    client,
    harness::{Harness, body, outcome},
};

fn routes(events: &[Event]) -> Vec<&Route> {
    events.iter().filter_map(|event| if let Kind::Route(fact) = &event.kind { Some(fact) } else { None }).collect()
}

fn changes(events: &[Event]) -> Vec<(&str, &str)> {
    let controls = events.iter().filter_map(|event| if let Kind::Control(fact) = &event.kind { Some(fact) } else { None });
    controls.map(|fact| (&*fact.action, &*fact.subject)).filter(|(action, _)| action.starts_with("breaker")).collect()
}

fn breaker(settings: &str) -> String {
    format!("[breaker]\n{settings}\n\n[limits]")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_route_that_mostly_fails_is_left_alone_and_the_caller_is_told_when_to_come_back() {
    let settings = breaker("min_attempts = 2\nopen_ms = 60000");
    let harness = Harness::with(&[("custody.toml", "[limits]", &settings)]).await;
    // Two attempts on the first route open its breaker, the third goes to the next one; then that one's opens too.
    let first = harness.chat("support.answer", "simulate: status=503").await;
    assert_eq!((first.status, harness.model.count()), (503, 3));
    let second = harness.chat("support.answer", "simulate: status=503").await;
    assert_eq!((second.status, harness.model.count()), (503, 4), "one more on the second route, and none on the first");
    let refused = harness.chat("support.answer", "hello").await;
    assert_eq!((refused.status, refused.code().as_str(), refused.header("retry-after")), (503, "routes_unavailable", Some("60")));
    assert_eq!(harness.model.count(), 4, "nothing was sent");
    let events = harness.events().await;
    assert_eq!(changes(&events), [("breaker_opened", "route:sim.large"), ("breaker_opened", "route:sim.small")]);
    let last = routes(&events).pop().unwrap();
    assert_eq!((&*last.decision, last.attempt, &last.chosen), ("deny", 0, &None));
    assert!(last.reasons.iter().all(|reason| &**reason == "breaker_open"), "{:?}", last.reasons);
    assert_eq!((&*outcome(&events).class, outcome(&events).attempts), ("failed", 0));
    harness.stop().await;
}

// RT-13: the fallback of an open breaker is a permitted route like any other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_a_breaker_is_open_the_next_permitted_route_is_taken_at_once() {
    let settings = breaker("min_attempts = 2\nopen_ms = 60000");
    let harness = Harness::with(&[("custody.toml", "[limits]", &settings), ("custody.toml", "max_attempts = 3", "max_attempts = 2")]).await;
    harness.chat("support.answer", "simulate: status=503").await;
    let answered = harness.chat("support.answer", "hello").await;
    assert_eq!((answered.status, answered.header("x-custody-route")), (200, Some("sim.small")));
    let events = harness.events().await;
    let last = routes(&events).pop().unwrap();
    assert_eq!(last.reasons.iter().map(|reason| &**reason).collect::<Vec<_>>(), ["breaker_open", "chosen"]);
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_breaker_closes_once_its_route_answers_again() {
    let settings = breaker("min_attempts = 2\nopen_ms = 10\nprobes = 1");
    let harness = Harness::with(&[("custody.toml", "[limits]", &settings), ("custody.toml", "max_attempts = 3", "max_attempts = 2")]).await;
    harness.chat("support.answer", "simulate: status=503").await;
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    let answered = harness.chat("support.answer", "hello").await;
    assert_eq!((answered.status, answered.header("x-custody-route")), (200, Some("sim.large")));
    assert_eq!(changes(&harness.events().await), [("breaker_opened", "route:sim.large"), ("breaker_closed", "route:sim.large")]);
    harness.stop().await;
}

// What is the request's own fault says nothing about the route.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_a_provider_refuses_for_what_they_are_open_nothing() {
    let settings = breaker("min_attempts = 1\nfailure_percent = 1");
    let harness = Harness::with(&[("custody.toml", "[limits]", &settings)]).await;
    for _ in 0..3 {
        assert_eq!(harness.chat("support.answer", "simulate: status=400").await.status, 502);
    }
    assert_eq!(harness.model.count(), 3);
    assert_eq!(changes(&harness.events().await), []);
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_budget_nothing_is_tried_again_and_the_trail_says_why() {
    let budget = "max_attempts = 3\nretry_budget_percent = 0\nretry_budget_min_per_second = 0";
    let harness = Harness::with(&[("custody.toml", "max_attempts = 3", budget)]).await;
    let seen = harness.chat("support.answer", "simulate: status=503").await;
    assert_eq!((seen.status, seen.code().as_str(), harness.model.count()), (503, "upstream_unavailable", 1));
    let events = harness.events().await;
    let withheld = routes(&events).pop().unwrap();
    assert_eq!((&*withheld.decision, withheld.attempt, &*withheld.reasons[0]), ("deny", 2, "retry_budget"));
    assert_eq!(outcome(&events).attempts, 1);
    let metrics = harness.get("/metrics", &[]).await;
    assert!(metrics.body.contains("custody_retries_withheld_total 1"), "{}", metrics.body);
    assert!(metrics.body.contains(r#"custody_attempts_total{route="sim.large",verdict="failed"} 1"#), "{}", metrics.body);
    assert!(metrics.body.contains(r#"custody_breaker_state{route="sim.large"} 0"#), "{}", metrics.body);
    harness.stop().await;
}

// A caller who takes nothing is not the provider's fault: no breaker counts it, and the trail says whose it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_is_too_slow_says_nothing_about_the_route() {
    let settings = breaker("min_attempts = 1\nfailure_percent = 1");
    let patience = "max_attempts = 3\nattempt_timeout_ms = 4000";
    let harness = Harness::with(&[("custody.toml", "[limits]", &settings), ("custody.toml", "max_attempts = 3", patience)]).await;
    harness.model.is_wordy.store(true, Ordering::SeqCst);
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut slow = socket.connect(harness.address).await.unwrap();
    let bearer = format!("Bearer {}", harness.acme);
    let text =
        body("docs.summarise", &format!("simulate: output_tokens=2000 {}", "word ".repeat(100)), r#","stream":true,"max_tokens":2000"#);
    slow.write_all(&client::request("POST", "/v1/chat/completions", &[("authorization", &bearer)], text.as_bytes())).await.unwrap();
    let events = harness.events_after(1).await;
    let ended = events.iter().find_map(|event| if let Kind::Invocation(fact) = &event.kind { Some(fact) } else { None }).unwrap();
    assert_eq!((&*ended.status, ended.error_code.as_deref()), ("cut", Some("caller_too_slow")));
    assert_eq!(changes(&events), []);
    drop(slow);
    harness.stop().await;
}
