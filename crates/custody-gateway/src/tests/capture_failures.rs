//! What must be kept and cannot be does not proceed: before the call nothing is sent, after it nothing is released.

use std::{sync::Arc, sync::atomic::Ordering, time::Duration};

use custody_event::Kind;
use custody_log::{Journal, JournalConfig};
use custody_testkit::disk::{DiskPoint, SimDisk};
use custody_types::LogPosition;
use tokio::sync::watch;

use super::{
    harness::{Harness, body, kinds, outcome},
    log_lines,
    vault::{self, FILE, RULES, TestVault, content, content_config, keeping, keeping_in, keeping_over, records},
};
use crate::{ShippedJournal, SystemClock, SystemIds, end_open_texts, end_orphaned_texts};

const CANARY: &str = "canary-4417aa90";

// D4: no key, or no vault at all: 503, an event, and no model.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_key_no_model_is_called() {
    let kept = keeping(RULES, TestVault::without_keys()).await;
    for more in ["", r#","stream":true"#] {
        let seen = kept.harness.send(&kept.harness.acme, &[], &body("support.answer", CANARY, more)).await;
        assert_eq!((seen.status, seen.code().as_str()), (503, "content_key_missing"), "{}", seen.body);
        assert!(seen.header("x-custody-evidence").is_some() && seen.header("retry-after").is_some());
    }
    let converse = kept.harness.converse("support.answer", CANARY).await;
    assert_eq!((converse.status, converse.header("x-custody-code")), (503, Some("content_key_missing")));
    assert_eq!(kept.harness.model.count(), 0);
    let events = kept.harness.events().await;
    assert_eq!(kinds(&events), ["request", "outcome"].repeat(3));
    assert_eq!(outcome(&events).code.as_deref(), Some("content_key_missing"));
    assert!(kept.records().await.is_empty() && kept.leaks(CANARY).is_empty());
    assert_eq!(kept.harness.chat("docs.summarise", "hi").await.status, 200, "what needs no key goes on");
    kept.harness.stop().await;
    let without = Harness::with(&[(FILE, "", RULES)]).await;
    assert_eq!(without.chat("support.answer", CANARY).await.code(), "content_key_missing");
    assert_eq!(without.model.count(), 0);
    without.stop().await;
}

/// Rules under which nothing is kept.
const NOTHING_KEPT: &str = "version = 1\n[[rule]]\nname = \"nothing\"\ncapture = []\n";

// A load balancer should prefer a gateway that can serve every request; where no rule keeps text, nothing of this matters.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_cannot_keep_texts_is_not_ready() {
    let ready = async |kept: &vault::Kept| {
        let seen = kept.harness.get("/readyz", &[]).await;
        (seen.status, seen.body.trim().to_owned())
    };
    let whole = keeping(RULES, TestVault::open()).await;
    assert_eq!(ready(&whole).await.0, 200);
    whole.disk.fail(DiskPoint::Sync, std::io::ErrorKind::Other, 1_000_000);
    whole.harness.chat("support.answer", CANARY).await;
    let (status, why) = ready(&whole).await;
    assert!(status == 503 && why.contains("the content journal failed"), "{status} {why}");
    whole.harness.stop().await;
    let keyless = keeping(RULES, TestVault::without_keys()).await;
    let (status, why) = ready(&keyless).await;
    assert!(status == 503 && why.contains("the vault has no key for today"), "{status} {why}");
    keyless.harness.stop().await;
    let idle = keeping(NOTHING_KEPT, TestVault::without_keys()).await;
    assert_eq!(ready(&idle).await.0, 200, "no rule keeps text");
    idle.harness.stop().await;
}

// A caller may repeat these as often as the network allows: whoever looks after the keys has warned.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_without_a_key_do_not_fill_the_log() {
    log_lines::listen();
    let kept = keeping(RULES, TestVault::without_keys()).await;
    let without = Harness::with(&[(FILE, "", RULES)]).await;
    for harness in [&kept.harness, &without] {
        let seen = harness.chat("support.answer", CANARY).await;
        assert_eq!(seen.code(), "content_key_missing");
        let lines = log_lines::lines_with(seen.header("x-request-id").unwrap());
        assert!(lines.is_empty(), "{lines:?}");
    }
    kept.harness.stop().await;
    without.stop().await;
}

// A content journal without room refuses before the call, and has room for every answer of what it admitted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_content_journal_refuses_before_the_call() {
    let config = JournalConfig {
        segment_bytes: 1 << 20,
        max_total_bytes: 2 << 20,
        max_record_bytes: 128 << 10,
        max_batch_bytes: 256 << 10,
        ..content_config()
    };
    let kept = keeping_in(config, RULES, TestVault::open(), &[]).await;
    let mut answered = 0;
    let refused = loop {
        let seen = kept.harness.chat("support.answer", &format!("{CANARY} {}", "z".repeat(6_000))).await;
        match seen.status {
            200 => answered += 1,
            _ => break seen,
        }
        assert!(answered < 2000);
    };
    assert_eq!((refused.status, refused.code().as_str()), (503, "content_journal_full"), "{}", refused.body);
    let readiness = kept.harness.get("/readyz", &[]).await;
    assert!(readiness.status == 503 && readiness.body.contains("the content journal is full"), "{}", readiness.body);
    assert!(answered > 0 && refused.header("retry-after").is_some());
    assert_eq!(kept.harness.model.count(), answered, "nothing was called without its text kept");
    let events = kept.harness.events().await;
    assert_eq!((&*outcome(&events).class, outcome(&events).code.as_deref()), ("failed", Some("content_journal_full")));
    assert_eq!(kept.texts_of_answers().await, answered);
    assert_eq!(kept.leaks(CANARY), Vec::<String>::new());
    kept.harness.stop().await;
}

impl vault::Kept {
    async fn model_is_called(&self) {
        while self.harness.model.count() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn texts_of_answers(&self) -> usize {
        self.records().await.iter().filter(|record| &*record.part == "response").count()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_content_disk_refuses_before_the_call() {
    let kept = keeping(RULES, TestVault::open()).await;
    kept.disk.fail(DiskPoint::Sync, std::io::ErrorKind::Other, 1_000_000);
    let seen = kept.harness.chat("support.answer", CANARY).await;
    assert_eq!((seen.status, seen.code().as_str(), kept.harness.model.count()), (503, "content_unavailable", 0));
    let events = kept.harness.events().await;
    let Some(Kind::Invocation(invocation)) = events.iter().map(|event| &event.kind).find(|kind| kind.name() == "invocation") else {
        panic!()
    };
    assert_eq!(invocation.error_code.as_deref(), Some("content_unavailable"), "the intent was durable, and nothing was sent");
    kept.harness.stop().await;
}

// The other way round: the text is durable and its intent is not. Nothing is called, and the text's request is ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_without_an_intent_is_ended() {
    let kept = keeping(RULES, TestVault::open()).await;
    kept.harness.disk.fail(DiskPoint::Sync, std::io::ErrorKind::Other, 1_000_000);
    let seen = kept.harness.chat("support.answer", CANARY).await;
    assert_eq!((seen.code().as_str(), kept.harness.model.count()), ("evidence_unavailable", 0));
    assert_eq!(kept.journal.stats().open_requests, 0);
    assert_eq!(kept.records().await.iter().map(|record| record.part.to_string()).collect::<Vec<_>>(), ["prompt", "end"]);
    kept.harness.stop().await;
}

// An answer that must be kept and is not durable is not released, whole or at the end of a stream.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_not_kept_is_not_released() {
    for (text, more) in [("simulate: delay_ms=600", ""), ("simulate: chunk_delay_ms=60 output_tokens=40", r#","stream":true"#)] {
        let kept = keeping(RULES, TestVault::open()).await;
        let request = body("support.answer", text, more);
        let asking = kept.harness.send(&kept.harness.acme, &[], &request);
        let breaking = async {
            kept.model_is_called().await;
            kept.disk.fail(DiskPoint::Sync, std::io::ErrorKind::Other, 1_000_000);
        };
        let (seen, ()) = tokio::join!(asking, breaking);
        assert_eq!((seen.code().as_str(), kept.harness.model.count()), ("content_unavailable", 1), "{}", seen.body);
        assert!(!seen.body.contains("[DONE]") && !seen.body.contains("\"finish_reason\":\"stop\""));
        let events = kept.harness.events().await;
        assert_eq!((&*outcome(&events).class, outcome(&events).code.as_deref()), ("failed", Some("content_unavailable")));
        assert_eq!(events.iter().filter_map(content).map(|fact| &*fact.part).collect::<Vec<_>>(), ["prompt"]);
        kept.harness.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_does_not_take_a_large_text_stops_its_request() {
    let kept = keeping(RULES, TestVault::open()).await;
    *kept.vault.store_fails.lock().unwrap() = true;
    let large = "y".repeat(20_000);
    let seen = kept.harness.chat("support.answer", &large).await;
    assert_eq!((seen.status, seen.code().as_str(), kept.harness.model.count()), (503, "content_unavailable", 0));
    *kept.harness.model.says.lock().unwrap() = Some((large, "{}".to_owned()));
    let seen = kept.harness.chat("support.answer", "hi").await;
    assert_eq!((seen.status, seen.code().as_str(), kept.harness.model.count()), (503, "content_unavailable", 1));
    assert!(!seen.body.contains("choices"));
    kept.harness.stop().await;
}

// D2: where the control level needs the log, the texts must be there too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_log_has_not_the_prompt_no_model_is_called() {
    let disk = SimDisk::new();
    let (journal, _) = Journal::open(content_config(), Arc::new(disk.clone())).unwrap();
    let (_shipper, shipped) = watch::channel(LogPosition::START);
    let recorder = ShippedJournal::new(journal.clone(), shipped, Duration::from_millis(100));
    let from_customer = ("custody.toml", "ack_log_from = \"regulated\"", "ack_log_from = \"customer\"");
    let kept = keeping_over(Arc::new(recorder), disk, journal, RULES, TestVault::open(), &[from_customer]).await;
    let seen = kept.harness.chat("support.answer", "hello").await;
    assert_eq!((seen.status, seen.code().as_str(), kept.harness.model.count()), (503, "log_unavailable", 0));
    assert_eq!(kept.harness.chat("docs.summarise", "hello").await.status, 200);
    kept.harness.stop().await;
}

// A process that dies in the middle leaves a request open; the next start ends it, and its prompt is still sealed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recovery_ends_what_a_crash_left_open() {
    let kept = keeping(RULES, TestVault::open()).await;
    let text = format!("simulate: delay_ms=800 {CANARY}");
    let asking = kept.harness.chat("support.answer", &text);
    let dying = async {
        kept.model_is_called().await;
        kept.disk.power_off_after(0);
    };
    let (seen, ()) = tokio::join!(asking, dying);
    assert_eq!(seen.code(), "content_unavailable");
    kept.disk.crash(1);
    assert_eq!(kept.leaks(CANARY), Vec::<String>::new());
    let (journal, report) = Journal::open(content_config(), Arc::new(kept.disk.clone())).unwrap();
    assert_eq!(report.open_requests.len(), 1);
    let ended = end_open_texts(report.open_requests, &SystemClock::new(), &SystemIds).await.unwrap();
    assert_eq!((ended, journal.stats().open_requests), (1, 0));
    let kept_records = records(&journal).await;
    let [prompt, end] = kept_records.as_slice() else { panic!("{kept_records:?}") };
    assert!(!prompt.is_end() && end.is_end() && end.request_id == prompt.request_id);
    let events = kept.harness.events().await;
    let fact = events.iter().find_map(content).unwrap();
    assert!(kept.vault.read(prompt, fact).contains(CANARY));
}

// A defect drops the request: whoever looks after orphans ends it while the program runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_dropped_by_a_defect_is_an_orphan_that_can_be_ended() {
    let kept = keeping(RULES, TestVault::open()).await;
    kept.harness.model.panics.store(true, Ordering::SeqCst);
    let seen = kept.harness.chat("support.answer", CANARY).await;
    assert_eq!((seen.status, seen.code().as_str()), (500, "internal"));
    let orphans = kept.journal.take_orphans();
    assert_eq!(orphans.len(), 1);
    assert_eq!(end_orphaned_texts(orphans, &SystemClock::new(), &SystemIds).await.unwrap(), 1);
    assert_eq!(kept.journal.stats().open_requests, 0);
    kept.harness.stop().await;
}
