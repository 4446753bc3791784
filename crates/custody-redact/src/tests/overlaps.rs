//! What overlaps is hidden together, whatever stands.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::laws::pieces;
use crate::{Action, CustomPattern, CustomWord, Entity, Redactor, Rules, Span};

fn with_patterns(patterns: &[(&str, &str)]) -> Rules {
    let pattern = |(name, pattern): &(&str, &str)| CustomPattern { name: (*name).into(), pattern: (*pattern).into() };
    Rules { patterns: patterns.iter().map(pattern).collect(), ..Rules::default() }
}

#[test]
fn a_pattern_inside_a_find_leaves_nothing_of_the_find() {
    let rules = [
        ("HOST", r"\b[a-z0-9][a-z0-9-]{0,60}\.corp\.example\.com\b"),
        ("TICKET", "TCK[0-9]{4}"),
        ("A", r"\bann\.lee\b"),
        ("B", r"\bbob@exam"),
    ];
    let redactor = Redactor::new(&with_patterns(&rules)).unwrap();
    let key = format!("ghp_{}TCK1234{}", "q7Zt0Xk2Lm9RvB", "4nHs6WyDc1PfJg8");
    for (text, left) in [
        ("ask jane.doe@mail.corp.example.com now", "ask [EMAIL][HOST] now"),
        (&format!("use {key} for it"), "use [API_KEY][TICKET][API_KEY] for it"),
        ("ask ann.lee@example.org.", "ask [A][EMAIL]."),
        // Signs and a few letters go with their neighbour.
        ("ask bob@exam.org.", "ask [B]."),
        ("postgres://app:hunter22@db.internal/x", "postgres://[PASSWORD]@db.internal/x"),
    ] {
        assert_eq!(redactor.redact(text).text, left);
    }
}

#[test]
fn what_is_left_of_a_find_is_masked_and_no_number_or_pseudonym_is_made_of_it() {
    let mut rules = with_patterns(&[("HEAD", r"\b4539\b")]);
    rules.actions.insert(Entity::PaymentCard, Action::LastFour);
    rules.actions.insert(Entity::Email, Action::Pseudonym);
    rules.words.push(CustomWord { name: "WHO".into(), word: "jane".into() });
    let redactor = Redactor::new(&rules).unwrap();
    let redact = |text: &str| redactor.redact_with(text, &|_, value| value.len() as u64).text.to_string();
    assert_eq!(redact("card 4539 1488 0343 6467."), "card [HEAD][CARD].");
    assert_eq!(redact("to jane.lee@example.org."), "to [WHO][EMAIL].");
    assert_eq!(redact("card 4111 1111 1111 1111, lee@example.org."), "card [CARD:1111], [EMAIL:aaaaaaaaaaaaaaap].");
}

/// Rules of one's own that cut into what the others find.
static OWN: LazyLock<Redactor> = LazyLock::new(|| {
    let patterns = [("YEAR", "[12][0-9]{3}"), ("HOST", r"\b[a-z0-9-]{1,20}\.org\b"), ("SIGN", "[.@-]|M|Z"), ("PAIR", r"\S\s\S")];
    let mut rules = with_patterns(&patterns);
    rules.words.push(CustomWord { name: "WHO".into(), word: "ann".into() });
    rules.actions.extend([(Entity::PaymentCard, Action::LastFour), (Entity::Phone, Action::LastFour), (Entity::Email, Action::Pseudonym)]);
    Redactor::new(&rules).unwrap()
});

fn bare_byte(finds: &[Span], hidden: &[Span]) -> Option<usize> {
    let mut bytes = finds.iter().flat_map(|span| span.start..span.end);
    bytes.find(|at| !hidden.iter().any(|one| (one.start..one.end).contains(at)))
}

proptest! {
    // `PROPTEST_CASES` asks for more.
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn whatever_the_default_rules_find_is_covered_beside_rules_of_ones_own(text in pieces()) {
        prop_assert_eq!(bare_byte(&super::DEFAULT.find(&text), &OWN.find(&text)), None);
        let redact = |text: &str| OWN.redact_with(text, &|_, value| value.len() as u64);
        let once = redact(&text).text;
        let twice = redact(&once);
        prop_assert_eq!(&twice.text, &once);
        prop_assert!(twice.counts.is_empty());
    }
}
