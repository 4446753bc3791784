//! What overlaps is hidden together, whatever stands.

use crate::{Action, CustomPattern, CustomWord, Entity, Redactor, Rules};

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

#[test]
fn whatever_the_default_rules_find_is_covered_beside_rules_of_ones_own() {
    let defaults = &*super::DEFAULT;
    for pattern in [r"[0-9]{3}|[A-Z][a-z]+", r"\S\s\S|[a-z]{4}", r"[.@-]|x|1|e"] {
        let own = Redactor::new(&with_patterns(&[("OWN", pattern)])).unwrap();
        for text in [
            "Dr. Ana Berg, 12 Main St, ann@example.org, +44 20 7946 0958",
            "4539 1488 0343 6467 and GB82 WEST 1234 5698 7654 32 from 203.0.113.9",
            "password = 'tr0ub4dor&3' at postgres://app:hunter22@db.internal/x",
            "data: bXkgbWFpbCBpcyBhbm5AZXhhbXBsZS5vcmc= SSN 536-90-4399",
        ] {
            let hidden = own.find(text);
            for span in defaults.find(text) {
                let bare = (span.start..span.end).find(|at| !hidden.iter().any(|one| (one.start..one.end).contains(at)));
                assert_eq!(bare, None, "{pattern} in {text}");
            }
            let once = own.redact(text).text;
            assert_eq!(own.redact(&once).text, once, "{pattern} in {text}");
        }
    }
}
