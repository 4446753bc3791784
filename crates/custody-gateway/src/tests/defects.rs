//! A defect of ours in one request: the caller gets an answer, the record gets an outcome, other requests notice nothing.

use std::sync::{Arc, atomic::Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use custody_event::Kind;
use custody_log::{AppendError, Appended, Journal, JournalStats, OpenRequest};
use custody_testkit::disk::SimDisk;

use super::{
    harness::{Harness, body, journal_config, kinds, outcome},
    log_lines,
};
use crate::{Ack, OpenRecord, Recorder, SystemClock, SystemIds, Unconfirmed, recover};

/// The journal, which panics when it is to admit a request.
struct PanickingRecorder(Journal);

#[async_trait]
impl Recorder for PanickingRecorder {
    async fn append(&self, records: Vec<Bytes>) -> Result<Appended, AppendError> {
        self.0.append(records).await
    }

    async fn admit(&self, _: [u8; 16], _: Vec<Bytes>) -> Result<Box<dyn OpenRecord>, AppendError> {
        panic!("a recorder with a defect")
    }

    async fn confirm(&self, _: custody_types::LogPosition, _: Ack) -> Result<(), Unconfirmed> {
        Ok(())
    }

    fn stats(&self) -> JournalStats {
        self.0.stats()
    }
}

// PATH-13: after the intent an orphan stays, which recovery closes, whether or not the journal's records of it were found.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panicking_model_ends_in_a_500_and_an_orphan() {
    log_lines::listen();
    let harness = Harness::start().await;
    harness.model.panics.store(true, Ordering::SeqCst);
    let mut requests = Vec::new();
    for more in ["", r#","stream":true"#] {
        let seen = harness.send(&harness.acme, &[], &body("support.answer", "canary", more)).await;
        assert_eq!((seen.status, seen.code().as_str(), seen.header("x-custody-outcome")), (500, "internal", Some("failed")));
        requests.push(seen.header("x-request-id").unwrap().to_owned());
        let lines = log_lines::errors_with(&requests[requests.len() - 1]);
        assert!(matches!(lines.as_slice(), [line] if !line.contains("canary")), "{lines:?}");
    }
    let metrics = harness.get("/metrics", &[]).await.body;
    assert!(metrics.contains("custody_refusals_total{code=\"internal\"} 2"), "{metrics}");
    let before = harness.events().await;
    assert_eq!(kinds(&before), ["request", "prompt", "route"].repeat(2));
    let orphans = harness.journal.take_orphans();
    let ids: Vec<_> = orphans.iter().map(|orphan| uuid::Uuid::from_bytes(orphan.key()).to_string()).collect();
    assert_eq!(ids, requests);
    let records = {
        use custody_log::LogReader as _;
        let mut reader = harness.journal.reader(custody_types::LogPosition::START);
        reader.read(1 << 20, std::time::Duration::ZERO).await.unwrap()
    };
    // Of the first request everything is known, of the second only that it is open.
    let known = [records[..3].to_vec(), Vec::new()];
    let open = orphans.into_iter().zip(known).map(|(admission, records)| OpenRequest { key: admission.key(), records, admission });
    let recovered = recover(open.collect(), harness.gateway.workspace(), &SystemClock::new(), &SystemIds).await.unwrap();
    assert_eq!((recovered.closed, recovered.unreadable), (2, 0));
    let all = harness.events().await;
    let written = &all[before.len()..];
    assert_eq!(kinds(written), ["invocation", "cost", "outcome", "outcome"]);
    let Kind::Invocation(attempt) = &written[0].kind else { panic!() };
    assert_eq!((attempt.attempt, &*attempt.status, &*attempt.route), (1, "unknown", "sim.large"));
    let facts = |end: usize| (&*written[end].envelope.tenant, outcome(&written[..=end]).attempts, &*outcome(&written[..=end]).class);
    assert_eq!((facts(2), facts(3)), (("acme", 1, "abandoned"), ("unidentified", 0, "abandoned")));
    assert_eq!(written[3].envelope.request_id.as_deref(), Some(requests[1].as_str()));
    assert_eq!((harness.journal.stats().open_requests, harness.journal.take_orphans().len()), (0, 0));
    harness.model.panics.store(false, Ordering::SeqCst);
    assert_eq!(harness.chat("support.answer", "hi").await.status, 200);
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_before_the_intent_is_recorded_at_once() {
    let disk = SimDisk::new();
    let (journal, _) = Journal::open(journal_config(), Arc::new(disk.clone())).unwrap();
    let harness = Harness::over(Arc::new(PanickingRecorder(journal.clone())), disk, journal, &[]).await;
    let seen = harness.chat("support.answer", "hi").await;
    assert_eq!((seen.status, seen.code().as_str()), (500, "internal"));
    assert!(seen.header("x-custody-evidence").is_some());
    let events = harness.events().await;
    assert_eq!(kinds(&events), ["request", "outcome"]);
    assert!(events.iter().all(|event| event.envelope.request_id.as_deref() == seen.header("x-request-id")));
    assert_eq!(
        (&*events[1].envelope.tenant, &*outcome(&events).class, outcome(&events).code.as_deref()),
        ("acme", "failed", Some("internal"))
    );
    harness.stop().await;
}
