//! What is found in sentences, entity by entity, and what must never be.

mod identifiers;
mod laws;
mod overlaps;
mod runs;
mod secrets;
mod tricks;

use std::sync::LazyLock;

use crate::{Action, CustomPattern, CustomWord, Entity, Redactor, Rules, RulesError};

thread_local! {
    static WORK: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Counts steps of automata and bytes read beside them, so that time can be bounded without a clock.
pub(crate) fn work(steps: usize) {
    WORK.with(|work| work.set(work.get() + steps));
}

/// How many steps something took.
pub(super) fn steps_of(act: impl FnOnce()) -> usize {
    let before = WORK.with(std::cell::Cell::get);
    act();
    WORK.with(std::cell::Cell::get) - before
}

/// Building the automata takes a while; all tests share those of the default rules.
pub(super) static DEFAULT: LazyLock<Redactor> = LazyLock::new(|| Redactor::new(&Rules::default()).unwrap());

/// The pieces found, with their kinds.
pub(super) fn found(text: &str) -> Vec<(Entity, &str)> {
    DEFAULT.find(text).iter().map(|span| (span.entity, &text[span.start..span.end])).collect()
}

#[test]
fn markers_say_what_was_there() {
    let redacted = DEFAULT.redact("write to ann@example.org or bob@example.org from 10.1.2.3");
    assert_eq!(redacted.text, "write to [EMAIL] or [EMAIL] from [IP_ADDRESS]");
    assert_eq!(redacted.counts.get("EMAIL"), Some(&2));
    assert_eq!(redacted.counts.get("IP_ADDRESS"), Some(&1));
}

#[test]
fn pseudonyms_are_stable_and_blind_to_how_a_value_is_written() {
    let mut rules = Rules::default();
    rules.actions.insert(Entity::PaymentCard, Action::Pseudonym);
    rules.actions.insert(Entity::Iban, Action::LastFour);
    let redactor = Redactor::new(&rules).unwrap();
    let key = |_: Entity, value: &str| value.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let redact = |text: &str| redactor.redact_with(text, &key).text;
    assert_eq!(redact("4539148803436467"), redact("4539 1488-0343 6467"));
    assert_ne!(redact("4539148803436467"), redact("4111111111111111"));
    assert_eq!(redact("4539148803436467").len(), "[CARD:abcdefghijklmnop]".len());
    assert_eq!(redact("to DE89 3704 0044 0532 0130 00."), "to [IBAN:3000].");
    assert_eq!(redactor.redact("4539148803436467").text, "[CARD]", "without a key there is no pseudonym");
}

#[test]
fn a_pseudonym_tells_addresses_apart_that_differ_in_a_sign_alone() {
    let actions = [(Entity::Email, Action::Pseudonym), (Entity::IpAddress, Action::Pseudonym)].into();
    let redactor = Redactor::new(&Rules { actions, ..Rules::default() }).unwrap();
    let seen = |text: &str| {
        let values = std::cell::RefCell::new(Vec::new());
        let note = |_: Entity, value: &str| {
            values.borrow_mut().push(value.to_owned());
            0
        };
        let _ = redactor.redact_with(text, &note);
        values.into_inner()
    };
    assert_eq!(seen("to Ann-B@Example.org, not to annb@example.org"), ["ann-b@example.org", "annb@example.org"]);
    assert_eq!(seen("ann+b@example.org or ann_b@example.org"), ["ann+b@example.org", "ann_b@example.org"]);
    assert_eq!(seen("from 2001:db8::1 and 2001:db81::"), ["2001:db8::1", "2001:db81::"]);
}

#[test]
fn only_rules_whose_finds_become_pseudonyms_ask_for_a_key() {
    let asks = |entities: &[Entity], of: Entity, action: Action| {
        let rules = Rules { entities: entities.iter().copied().collect(), actions: [(of, action)].into(), ..Rules::default() };
        Redactor::new(&rules).unwrap().asks_for_pseudonyms()
    };
    assert!(asks(&[Entity::Email], Entity::Email, Action::Pseudonym));
    assert!(!asks(&[Entity::Email], Entity::Email, Action::LastFour));
    assert!(!asks(&[Entity::Email], Entity::PaymentCard, Action::Pseudonym), "what is not looked for is not found");
    assert!(!asks(&[Entity::Custom], Entity::Custom, Action::Pseudonym), "there are no words");
    let word = CustomWord { name: "PROJECT".into(), word: "blue heron".into() };
    let rules =
        Rules { entities: [].into(), actions: [(Entity::Custom, Action::Pseudonym)].into(), words: vec![word], patterns: Vec::new() };
    let redactor = Redactor::new(&rules).unwrap();
    assert!(redactor.asks_for_pseudonyms() && redactor.redact_with("Blue Heron", &|_, _| 0).text == "[PROJECT:aaaaaaaaaaaaaaaa]");
    assert!(!DEFAULT.asks_for_pseudonyms());
}

#[test]
fn custom_words_and_patterns_carry_their_own_names() {
    let mut rules = Rules { entities: [Entity::Email].into(), ..Rules::default() };
    rules.words.push(CustomWord { name: "PROJECT".into(), word: "Blue Heron".into() });
    rules.patterns.push(CustomPattern { name: "TICKET".into(), pattern: r"\bTCK-\d{4,6}\b".into() });
    let redactor = Redactor::new(&rules).unwrap();
    let redacted = redactor.redact("blue heron, see TCK-10442 from a@b.org, not blue heronry, nor 10.1.2.3");
    assert_eq!(redacted.text, "[PROJECT], see [TICKET] from [EMAIL], not blue heronry, nor 10.1.2.3");
    assert_eq!(redacted.counts.get("TICKET"), Some(&1));
}

#[test]
fn rules_that_cannot_be_used_are_refused_by_name_alone() {
    let word = |name: &str, word: &str| Rules { words: vec![CustomWord { name: name.into(), word: word.into() }], ..Rules::default() };
    let pattern = |pattern: &str| Rules { patterns: vec![CustomPattern { name: "P".into(), pattern: pattern.into() }], ..Rules::default() };
    assert_eq!(Redactor::new(&word("lower", "x")).err(), Some(RulesError::Name("lower".into())));
    assert_eq!(Redactor::new(&word("W", " ")).err(), Some(RulesError::Empty("W".into())));
    assert_eq!(Redactor::new(&pattern("(a")).err(), Some(RulesError::Pattern("P".into())));
    assert_eq!(Redactor::new(&pattern("x*")).err(), Some(RulesError::Empty("P".into())));
    assert_eq!(Redactor::new(&pattern(r"(a)\1")).err(), Some(RulesError::Pattern("P".into())));
    assert!(!format!("{:?}", pattern("hush")).contains("hush") && !format!("{:?}", word("W", "hush")).contains("hush"));
}

#[test]
fn spans_are_counted_by_kind_and_one_redactor_serves_all_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&*DEFAULT);
    let spans = DEFAULT.find("ann@example.org, bob@example.org, 10.1.2.3");
    assert_eq!(DEFAULT.counts(&spans), [("EMAIL", 2), ("IP_ADDRESS", 1)].into());
}

#[test]
fn a_marker_is_never_found_again_whatever_the_patterns() {
    let pattern = |pattern: &str| CustomPattern { name: "X".into(), pattern: pattern.into() };
    for greedy in [r"\[[A-Z]+\]", r"[A-Z]+", r"(?s)E.*L", r"\w+", r"\][a-z ]"] {
        let redactor =
            Redactor::new(&Rules { entities: [Entity::Email].into(), patterns: vec![pattern(greedy)], ..Rules::default() }).unwrap();
        let once = redactor.redact("ABC to ann@example.org and 4539148803436467, then EL");
        assert_eq!(redactor.redact(&once.text).text, once.text, "{greedy}");
    }
}

#[test]
fn nothing_found_can_be_seen_by_debugging() {
    let redacted = DEFAULT.redact("left as it is, and ann@example.org");
    assert!(!format!("{redacted:?}").contains("left as it is"));
    assert!(!format!("{:?}{:?}", *DEFAULT, DEFAULT.find("ann@example.org")).contains("ann"));
}

#[test]
fn what_stands_across_the_edge_of_a_window_is_found_once() {
    for shift in [0, 3, 9, 15, 16] {
        let text = format!("{} 4539 1488 0343 6467 {}", "x ".repeat((1 << 19) - shift), "y ".repeat(100));
        let spans = DEFAULT.find(&text);
        assert_eq!(spans.len(), 1, "shift {shift}");
        assert_eq!(&text[spans[0].start..spans[0].end], "4539 1488 0343 6467");
    }
}
