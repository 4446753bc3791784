//! When something breaks: models, callers, the disk, the process. Each ends in a durable outcome with what is known.

use std::{sync::Arc, time::Duration};

use custody_event::{Event, Kind};
use custody_log::{Journal, JournalConfig};
use custody_testkit::disk::{DiskPoint, SimDisk};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::{
    client,
    harness::{Harness, body, events, journal_config, kinds, outcome, reopen},
    log_lines,
};
use crate::{SystemClock, SystemIds, recover};

fn invocations(events: &[Event]) -> Vec<&custody_event::Invocation> {
    events.iter().filter_map(|event| if let Kind::Invocation(fact) = &event.kind { Some(fact) } else { None }).collect()
}

fn cost(events: &[Event]) -> Option<&custody_event::Cost> {
    events.iter().rev().find_map(|event| if let Kind::Cost(fact) = &event.kind { Some(fact) } else { None })
}

// PATH-09, LOG-13: bounded attempts along the list of routes; each is recorded before it is sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempts_are_bounded_and_recorded_each() {
    let harness = Harness::start().await;
    let seen = harness.chat("support.answer", "simulate: status=503").await;
    assert_eq!((seen.status, seen.code().as_str(), seen.header("retry-after")), (503, "upstream_unavailable", Some("1")));
    let events = harness.events().await;
    let attempt = ["route", "invocation"];
    assert_eq!(kinds(&events), [&["request", "prompt"][..], &attempt.repeat(3), &["outcome"]].concat());
    let routes: Vec<_> = events
        .iter()
        .filter_map(
            |event| if let Kind::Route(route) = &event.kind { route.chosen.as_deref().map(|name| (name, route.fallback)) } else { None },
        )
        .collect();
    assert_eq!(routes, [("sim.large", false), ("sim.large", false), ("sim.small", true)]);
    assert_eq!((&*outcome(&events).class, outcome(&events).attempts), ("failed", 3));
    assert_eq!(harness.model.count(), 3);
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_fail_again_is_not_repeated() {
    let harness = Harness::start().await;
    let seen = harness.chat("support.answer", "simulate: status=400").await;
    assert_eq!((seen.status, seen.code().as_str()), (502, "upstream_rejected"));
    assert_eq!(harness.model.count(), 1);
    harness.stop().await;
}

// D11: missing usage gives a finding and no amount, never a wrong number.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_usage_is_a_finding() {
    let harness = Harness::start().await;
    let seen = harness.chat("support.answer", "simulate: no_usage=1").await;
    assert_eq!((seen.status, seen.header("x-custody-cost-usd")), (200, None));
    let events = harness.events().await;
    let cost = cost(&events).unwrap();
    assert_eq!((cost.amount_pico, cost.finding.as_deref()), (None, Some("usage_unknown")));
    assert_eq!(&*invocations(&events)[0].usage_source, "unknown");
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_model_times_out() {
    let harness = Harness::with(&[("custody.toml", "max_attempts = 3", "max_attempts = 3\nattempt_timeout_ms = 60")]).await;
    let seen = harness.chat("support.answer", "simulate: delay_ms=2000").await;
    assert_eq!((seen.status, seen.code().as_str()), (504, "upstream_timed_out_total"));
    let events = harness.events().await;
    assert_eq!((&*invocations(&events)[0].status, cost(&events).unwrap().finding.as_deref()), ("timed_out", Some("usage_unknown")));
    harness.stop().await;
}

// PATH-12: an invalid answer for a machine is not delivered; for a person the capability decides.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invalid_output_is_withheld_or_flagged() {
    let harness = Harness::start().await;
    let machine = harness.chat("ticket.classify", "simulate: empty=1").await;
    assert_eq!(
        (machine.status, machine.code().as_str(), machine.header("x-custody-outcome")),
        (502, "invalid_output", Some("invalid_output"))
    );
    let events = harness.events().await;
    assert_eq!(kinds(&events), ["request", "prompt", "route", "invocation", "validation", "cost", "outcome"]);
    let shown = harness.chat("docs.summarise", "simulate: empty=1").await;
    assert_eq!(shown.status, 200);
    let events = harness.events().await;
    let Kind::Validation(validation) = &events[11].kind else { panic!("{:?}", kinds(&events)) };
    assert_eq!((&*validation.status, &*outcome(&events).class), ("failed", "answered"));
    harness.stop().await;
}

// A caller who hangs up cancels nothing: the attempt ends, its usage is known, the outcome is durable.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hang_up_ends_in_a_durable_outcome() {
    let harness = Harness::start().await;
    let bearer = format!("Bearer {}", harness.acme);
    let text = body("support.answer", "simulate: delay_ms=300 input_tokens=9", "");
    let mut stream = TcpStream::connect(harness.address).await.unwrap();
    stream.write_all(&client::request("POST", "/v1/chat/completions", &[("authorization", &bearer)], text.as_bytes())).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(stream);
    let events = harness.events_after(1).await;
    assert_eq!((&*outcome(&events).class, outcome(&events).http_status), ("abandoned", 499));
    assert_eq!(invocations(&events)[0].input_tokens, Some(9));
    assert!(cost(&events).unwrap().amount_pico.is_some());
    harness.stop().await;
}

// Rule 1 of the design: a full journal refuses before the call, and never after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_journal_refuses_before_the_call() {
    let disk = SimDisk::new();
    let config = JournalConfig {
        segment_bytes: 128 << 10,
        max_total_bytes: 256 << 10,
        max_record_bytes: 32 << 10,
        max_batch_bytes: 64 << 10,
        outcome_reserve_bytes: 16 << 10,
        ..journal_config()
    };
    let (journal, _) = Journal::open(config, Arc::new(disk.clone())).unwrap();
    let harness = Harness::on(disk, journal, &[]).await;
    let mut answered = 0;
    let refused = loop {
        let seen = harness.chat("support.answer", "hi").await;
        match seen.status {
            200 => answered += 1,
            _ => break seen,
        }
        assert!(answered < 2000);
    };
    assert_eq!((refused.status, refused.code().as_str()), (503, "journal_full"));
    assert!(refused.header("retry-after").is_some());
    assert_eq!(harness.model.count(), answered, "nothing was called without a record");
    let events = harness.events().await;
    let intents = events.iter().filter(|event| event.kind.name() == "route").count();
    let answers = events.iter().filter(|event| matches!(&event.kind, Kind::Outcome(fact) if &*fact.class == "answered")).count();
    assert_eq!((intents, answers), (answered, answered));
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_disk_refuses_before_the_call() {
    let harness = Harness::start().await;
    harness.disk.fail(DiskPoint::Sync, std::io::ErrorKind::Other, 1_000_000);
    let seen = harness.chat("support.answer", "hi").await;
    assert_eq!((seen.status, seen.code().as_str()), (503, "evidence_unavailable"));
    assert_eq!(harness.model.count(), 0);
    assert_eq!(harness.get("/readyz", &[]).await.status, 503);
    harness.stop().await;
}

// An answer whose outcome is not durable is not released.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unrecorded_answer_is_not_released() {
    let harness = Harness::start().await;
    let asking = harness.chat("support.answer", "simulate: delay_ms=300");
    let breaking = async {
        tokio::time::sleep(Duration::from_millis(120)).await;
        harness.disk.fail(DiskPoint::Sync, std::io::ErrorKind::Other, 1_000_000);
    };
    let (seen, ()) = tokio::join!(asking, breaking);
    assert_eq!((seen.status, seen.code().as_str()), (503, "evidence_unavailable"));
    assert!(!seen.body.contains("choices"));
    assert_eq!(harness.model.count(), 1);
    harness.stop().await;
}

// PATH-13: what could not be recorded is said, whatever the request would have ended with, and an operator hears of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unrecorded_failure_is_not_told_as_if_it_were_recorded() {
    log_lines::listen();
    for (capability, text, more) in [
        ("support.answer", "simulate: delay_ms=300 status=400 canary", ""),
        ("ticket.classify", "simulate: delay_ms=300 empty=1 canary", ""),
        ("support.answer", "simulate: chunk_delay_ms=120 output_tokens=40 cut_after=3 canary", r#","stream":true"#),
        ("support.answer", "simulate: delay_ms=300 canary", ""),
    ] {
        let harness = Harness::start().await;
        let text = body(capability, text, more);
        let asking = harness.send(&harness.acme, &[], &text);
        let breaking = async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            harness.disk.fail(DiskPoint::Sync, std::io::ErrorKind::Other, 1_000_000);
        };
        let (seen, ()) = tokio::join!(asking, breaking);
        assert_eq!((seen.code().as_str(), seen.header("x-custody-evidence")), ("evidence_unavailable", None), "{text}");
        assert_eq!(harness.model.count(), 1);
        let lines = log_lines::errors_with(seen.header("x-request-id").unwrap());
        assert!(matches!(lines.as_slice(), [line] if line.contains("journal_failed") && !line.contains("canary")), "{lines:?}");
        let metrics = harness.get("/metrics", &[]).await.body;
        assert!(metrics.contains("custody_refusals_total{code=\"evidence_unavailable\"} 1"), "{metrics}");
        harness.stop().await;
    }
}

// PATH-13: a process that dies in the middle leaves an intent; the next start writes the outcome it owes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recovery_writes_the_outcome_that_is_owed() {
    let harness = Harness::start().await;
    harness.chat("support.answer", "hi").await;
    let asking = harness.chat("support.answer", "simulate: delay_ms=400");
    let dying = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        harness.disk.power_off_after(0);
    };
    let (seen, ()) = tokio::join!(asking, dying);
    assert_ne!(seen.status, 200);
    harness.disk.crash(1);
    let (journal, report) = reopen(&harness.disk);
    assert_eq!(report.open_requests.len(), 1);
    let workspace = harness.gateway.workspace();
    let recovered = recover(report.open_requests, workspace, &SystemClock::new(), &SystemIds).await.unwrap();
    assert_eq!((recovered.closed, recovered.unreadable), (1, 0));
    let all = events(&journal).await;
    let last = &all[7..];
    assert_eq!(kinds(last), ["request", "prompt", "route", "invocation", "cost", "outcome"]);
    assert!(last.iter().all(|event| event.envelope.request_id == last[0].envelope.request_id && &*event.envelope.tenant == "acme"));
    let end = outcome(last);
    assert_eq!((&*end.class, end.recovered, end.attempts), ("abandoned", true, 1));
    assert_eq!((&*invocations(last)[0].status, cost(last).unwrap().finding.as_deref()), ("unknown", Some("usage_unknown")));
}
