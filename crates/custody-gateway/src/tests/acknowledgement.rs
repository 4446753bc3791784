//! D2, PATH-13: where a control level needs the log, nothing goes on before the log has it.

use std::{sync::Arc, time::Duration};

use custody_event::Kind;
use custody_log::Journal;
use custody_testkit::disk::SimDisk;
use custody_types::LogPosition;
use tokio::sync::watch;

use super::harness::{Harness, journal_config, kinds};
use crate::ShippedJournal;

/// `support.answer` is for customers; here that level needs the log.
const FROM_CUSTOMER: (&str, &str, &str) = ("custody.toml", "ack_log_from = \"regulated\"", "ack_log_from = \"customer\"");

async fn shipped_by(edits: &[(&str, &str, &str)]) -> (Harness, watch::Sender<LogPosition>) {
    let disk = SimDisk::new();
    let (journal, _) = Journal::open(journal_config(), Arc::new(disk.clone())).unwrap();
    let (shipper, shipped) = watch::channel(LogPosition::START);
    let recorder = ShippedJournal::new(journal.clone(), shipped, Duration::from_millis(100));
    (Harness::over(Arc::new(recorder), disk, journal, edits).await, shipper)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_log_is_away_no_model_is_called_and_the_outcome_says_so() {
    let (harness, _shipper) = shipped_by(&[FROM_CUSTOMER]).await;
    let seen = harness.chat("support.answer", "hello").await;
    assert_eq!((seen.status, seen.code().as_str(), seen.header("retry-after")), (503, "log_unavailable", Some("5")));
    assert_eq!(harness.model.count(), 0);
    let events = harness.events_after(1).await;
    assert_eq!(kinds(&events), ["request", "prompt", "route", "invocation", "outcome"]);
    let Some(Kind::Outcome(outcome)) = events.last().map(|event| &event.kind) else { panic!("no outcome") };
    assert_eq!((&*outcome.class, outcome.code.as_deref()), ("failed", Some("log_unavailable")));
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn levels_below_go_on_with_the_journal() {
    let (harness, _shipper) = shipped_by(&[]).await;
    assert_eq!(harness.chat("support.answer", "hello").await.status, 200);
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_log_confirms_goes_on() {
    let (harness, shipper) = shipped_by(&[FROM_CUSTOMER]).await;
    let mut durable = harness.journal.subscribe();
    let shipping = tokio::spawn(async move {
        while durable.changed().await.is_ok() {
            shipper.send_replace(*durable.borrow_and_update());
        }
    });
    let seen = harness.chat("support.answer", "hello").await;
    assert_eq!(seen.status, 200);
    shipping.abort();
    harness.stop().await;
}

/// The model has answered, and the log goes away before it has the outcome: the answer is withheld.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_whose_outcome_the_log_has_not_is_not_released() {
    let (harness, shipper) = shipped_by(&[FROM_CUSTOMER]).await;
    let mut durable = harness.journal.subscribe();
    let shipping = tokio::spawn(async move {
        durable.changed().await.unwrap();
        shipper.send_replace(*durable.borrow_and_update());
        std::future::pending::<()>().await;
    });
    let seen = harness.chat("support.answer", "hello").await;
    assert_eq!((seen.status, seen.code().as_str(), harness.model.count()), (503, "log_unavailable", 1));
    shipping.abort();
    harness.stop().await;
}
