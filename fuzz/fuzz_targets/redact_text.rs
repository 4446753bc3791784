//! Any text: spans in order, apart, on character boundaries; the same finds each time; redacting again changes nothing.
#![no_main]

use std::sync::LazyLock;

use custody_redact::{Redactor, Rules};
use libfuzzer_sys::fuzz_target;

static REDACTOR: LazyLock<Redactor> = LazyLock::new(|| Redactor::new(&Rules::default()).expect("the default rules build"));

fuzz_target!(|text: &str| {
    let spans = REDACTOR.find(text);
    let mut reached = 0;
    for span in &spans {
        assert!(reached <= span.start && span.start < span.end && text.get(span.start..span.end).is_some());
        reached = span.end;
    }
    assert_eq!(REDACTOR.counts(&spans).values().sum::<u32>() as usize, spans.len());
    let once = REDACTOR.redact(text);
    assert!(spans.is_empty() == (once.text == text) || !once.counts.is_empty());
    let twice = REDACTOR.redact(&once.text);
    assert!(twice.text == once.text && twice.counts.is_empty(), "redacting again finds more");
});
