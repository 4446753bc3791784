//! Any text: spans in order, apart, on character boundaries; the same finds each time; redacting again changes nothing. Rules of one's own
//! beside those that ship hide no less.
#![no_main]

use std::sync::LazyLock;

use custody_redact::{Action, CustomPattern, CustomWord, Entity, Redactor, Rules, Span};
use libfuzzer_sys::fuzz_target;

static REDACTOR: LazyLock<Redactor> = LazyLock::new(|| Redactor::new(&Rules::default()).expect("the default rules build"));
static OWN: LazyLock<Redactor> = LazyLock::new(|| Redactor::new(&own_rules()).expect("the rules build"));

fuzz_target!(|text: &str| {
    let spans = REDACTOR.find(text);
    assert_in_order(text, &spans);
    assert_eq!(REDACTOR.counts(&spans).values().sum::<u32>() as usize, spans.len());
    let once = REDACTOR.redact(text);
    assert!(spans.is_empty() == (once.text == text) || !once.counts.is_empty());
    let twice = REDACTOR.redact(&once.text);
    assert!(twice.text == once.text && twice.counts.is_empty(), "redacting again finds more");

    let hidden = OWN.find(text);
    assert_in_order(text, &hidden);
    for span in &spans {
        assert!(is_covered(span, &hidden), "rules of one's own leave a part of a find");
    }
    let once = OWN.redact_with(text, &|_, value| value.len() as u64);
    let twice = OWN.redact_with(&once.text, &|_, value| value.len() as u64);
    assert!(twice.text == once.text && twice.counts.is_empty(), "redacting again finds more with rules of one's own");
});

fn own_rules() -> Rules {
    let word = |name: &str, word: &str| CustomWord { name: name.to_owned(), word: word.to_owned() };
    let pattern = |name: &str, pattern: &str| CustomPattern { name: name.to_owned(), pattern: pattern.to_owned() };
    Rules {
        actions: [(Entity::PaymentCard, Action::LastFour), (Entity::Phone, Action::LastFour), (Entity::Email, Action::Pseudonym)].into(),
        words: vec![word("PROJECT", "blue heron"), word("WORD", "a")],
        patterns: vec![pattern("TICKET", r"\bTCK-\d{4,6}\b"), pattern("HOST", r"\b[a-z0-9-]{1,20}\.org\b"), pattern("YEAR", r"[12][0-9]{3}")],
        ..Rules::default()
    }
}

fn assert_in_order(text: &str, spans: &[Span]) {
    let mut reached = 0;
    for span in spans {
        assert!(reached <= span.start && span.start < span.end && text.get(span.start..span.end).is_some());
        reached = span.end;
    }
}

fn is_covered(span: &Span, hidden: &[Span]) -> bool {
    let reached = hidden.iter().fold(span.start, |reached, one| if one.start <= reached { reached.max(one.end) } else { reached });
    reached >= span.end
}
