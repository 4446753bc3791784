//! Lines as an operator would read them.

use std::{
    io,
    sync::{Arc, Mutex},
};

use tracing_subscriber::{fmt::MakeWriter, layer::SubscriberExt};

use super::*;

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

#[derive(Debug, thiserror::Error)]
#[error("the provider refused the request")]
struct Refused(#[source] Quoting);

#[derive(Debug, thiserror::Error)]
#[error("it says: {0}")]
struct Quoting(&'static str);

const MAIL: &str = "jane.doe@example.com";
const KEY: &str = "AKIAQYLPMN5HHHFPZAM2";
const CARD: &str = "4111 1111 1111 1111";

impl io::Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Page {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What is on the page when the task logged.
fn logged(task: impl FnOnce()) -> String {
    let page = Page::default();
    let subscriber = tracing_subscriber::registry().with(lines(page.clone(), false));
    tracing::subscriber::with_default(subscriber, task);
    let bytes = page.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

fn assert_silent(page: &str) {
    for secret in [MAIL, KEY, CARD, "jane", "4111", "AKIA"] {
        assert!(!page.contains(secret), "{secret} stands in: {page}");
    }
}

#[test]
fn what_quotes_requests_and_keys_is_never_logged() {
    assert!(!may_be_logged("aws_smithy_runtime::client::orchestrator", Level::TRACE));
    assert!(!may_be_logged("aws_runtime::env_config", Level::DEBUG));
    assert!(may_be_logged("aws_config::profile", Level::WARN));
    assert!(may_be_logged("custody::service", Level::TRACE));
}

#[test]
fn fields_messages_and_spans_are_redacted_and_keep_their_names() {
    let page = logged(|| {
        let _span = tracing::info_span!("of", user = MAIL).entered();
        tracing::warn!(text = MAIL, shown = %KEY, debugged = ?CARD, pairs = ?[MAIL, KEY], records = 7, "not taken: {MAIL} {CARD}");
    });
    assert_silent(&page);
    for part in
        ["of{user=\"[EMAIL]\"}", "text=\"[EMAIL]\"", "shown=[API_KEY]", "debugged=\"[CARD]\"", "records=7", "not taken: [EMAIL] [CARD]"]
    {
        assert!(page.contains(part), "{part} is missing in: {page}");
    }
}

#[test]
fn errors_are_redacted_down_to_their_last_source() {
    let error = Refused(Quoting("the key AKIAQYLPMN5HHHFPZAM2 of jane.doe@example.com may not"));
    let page = logged(|| tracing::error!(error = &error as &(dyn std::error::Error + 'static), "a call failed"));
    assert_silent(&page);
    assert!(page.contains("error=the provider refused the request: it says: the key [API_KEY] of [EMAIL] may not"), "{page}");
    let told = anyhow::Error::from(error).context("it could not be started for jane.doe@example.com");
    let told = format!("custody: {told:#}");
    assert_silent(&redacted(&told));
    assert!(redacted(&told).starts_with("custody: it could not be started for [EMAIL]: the provider"), "{}", redacted(&told));
}

#[test]
fn a_fields_name_gives_its_value_away() {
    let page = logged(|| tracing::warn!(password = "hunter2-of-the-house", "refused"));
    assert!(page.contains("password=") && !page.contains("hunter2"), "{page}");
}

#[test]
fn a_quoted_text_begins_no_line_of_its_own() {
    let page = logged(|| tracing::warn!(said = %"it\n2026-01-01 ERROR forged \u{1b}[2J", "one\ntwo"));
    assert_eq!(page.lines().count(), 1, "{page}");
    assert!(page.contains("it\\n2026") && page.contains("one\\ntwo") && !page.contains('\u{1b}'), "{page}");
}

#[test]
fn what_an_operator_needs_stays() {
    let page = logged(|| {
        let request = "0190a1b2-c3d4-7e5f-8899-aabbccddeeff";
        tracing::error!(
            request_id = request,
            topic = "custody.events.v1",
            offset = 4_111_111_111_111_111_i64,
            "127.0.0.1:9092 and 10.0.3.7 are away"
        );
    });
    for part in
        ["0190a1b2-c3d4-7e5f-8899-aabbccddeeff", "custody.events.v1", "offset=4111111111111111", "127.0.0.1:9092 and 10.0.3.7 are away"]
    {
        assert!(page.contains(part), "{part} is missing in: {page}");
    }
    assert!(!redacted("reset by 203.0.113.9").contains("203.0.113.9"));
}

#[test]
fn a_text_without_finds_is_not_copied() {
    assert!(matches!(redacted("ingest stopped by itself; stopping too"), std::borrow::Cow::Borrowed(_)));
}
