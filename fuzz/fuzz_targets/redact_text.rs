//! Any text: spans in order, apart, on character boundaries; redacting never panics.
#![no_main]

use std::sync::LazyLock;

use custody_redact::{Redactor, Rules};
use libfuzzer_sys::fuzz_target;

static REDACTOR: LazyLock<Redactor> = LazyLock::new(|| Redactor::new(&Rules::default()).expect("the default rules build"));

fuzz_target!(|text: &str| {
    let mut reached = 0;
    for span in REDACTOR.find(text) {
        assert!(reached <= span.start && span.start < span.end && text.get(span.start..span.end).is_some());
        reached = span.end;
    }
    let _ = REDACTOR.redact(text);
});
