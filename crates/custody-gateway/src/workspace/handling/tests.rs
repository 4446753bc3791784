//! Which rule holds, and which files are refused.

use std::fs;

use custody_redact::{Action, Entity};

use super::*;
use crate::workspace::{Workspace, write_example};

const GOOD: &str = r#"
version = 7

[retention.short]
days = 30

[retention.brief]
days = 3

[redaction.strict]
words = [{ name = "PROJECT", word = "blue heron" }]
actions = { email = "pseudonym", payment_card = "last_four" }

[[rule]]
name = "no-globex"
tenant = ["globex"]
capture = []

[[rule]]
name = "support-quality"
capability = ["support.answer"]
capture = ["prompt", "response", "feedback"]
purpose = "quality-review"
retention = "short"
redaction = "strict"
reveal = { groups = ["quality"], second_person = false, per_hour = 5 }

[[rule]]
name = "internal-notes"
control_level = ["internal"]
data_class = ["internal", "public"]
capture = ["prompt", "retrieved_text"]
purpose = "debugging"
retention = "short"
retrieved_text_retention = "brief"
"#;

fn load(file: Option<&str>) -> Result<Workspace, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    write_example(folder.path()).unwrap();
    if let Some(text) = file {
        fs::write(folder.path().join(FILE), text).unwrap();
    }
    Workspace::load(folder.path()).map_err(|error| error.mistakes().iter().map(ToString::to_string).collect())
}

fn label_for(workspace: &Workspace, tenant: &str, capability: Option<&str>) -> String {
    let capability = capability.map(|name| workspace.capabilities.get(name).unwrap().as_ref());
    workspace.handling.rule(&tenant.parse().unwrap(), capability).label.to_string()
}

// LOG-17: without a rule nothing is kept, with or without the file.
#[test]
fn nothing_is_kept_unless_a_rule_says_so() {
    let plain = load(None).unwrap();
    assert!(!plain.handling.captures());
    assert_eq!(label_for(&plain, "acme", Some("support.answer")), "none@0");
    let empty = load(Some("version = 3")).unwrap();
    assert!(!empty.handling.captures());
    assert_eq!(label_for(&empty, "acme", Some("support.answer")), "none@3");
    assert_ne!(plain.hash, empty.hash);
}

#[test]
fn the_first_rule_that_matches_holds() {
    let workspace = load(Some(GOOD)).unwrap();
    assert_eq!(label_for(&workspace, "acme", Some("support.answer")), "support-quality@7");
    assert_eq!(label_for(&workspace, "globex", Some("support.answer")), "no-globex@7");
    assert_eq!(label_for(&workspace, "globex", None), "no-globex@7");
    assert_eq!(label_for(&workspace, "acme", None), "none@7", "what is not known matches no list");
    let support = workspace.handling.labelled("support-quality@2").unwrap();
    let capture = support.captures(Part::Feedback).unwrap();
    assert_eq!((capture.purpose.as_str(), capture.retention.days, &*capture.redaction), ("quality-review", 30, "strict"));
    let actions = &workspace.handling.redactions["strict"].actions;
    assert_eq!(*actions, [(Entity::Email, Action::Pseudonym), (Entity::PaymentCard, Action::LastFour)].into());
    assert!(support.captures(Part::ToolArguments).is_none());
    assert_eq!((support.reveal.second_person, support.reveal.per_hour, support.reveal.groups.len()), (false, 5, 1));
    let notes = workspace.handling.named("internal-notes").unwrap();
    let capture = notes.capture.as_ref().unwrap();
    assert_eq!((capture.retention_of(Part::RetrievedText).days, capture.retention_of(Part::Prompt).days), (3, 30));
    assert_eq!(notes.reveal, RevealRule::default(), "nobody, and never alone");
    assert!(workspace.handling.named("none").is_none());
}

// Words to redact are among what a deployment keeps to itself; a start's errors stand in logs that others read.
#[test]
fn redaction_rules_that_cannot_be_read_are_not_quoted() {
    for rules in [
        "words = [\"blue heron\"]",
        "words = \"blue heron\"",
        "patterns = [{ name = \"A\", \"blue heron\" = 1 }]",
        "entities = [\"blue heron\"]",
        "actions = { \"blue heron\" = \"mask\" }",
    ] {
        let found = load(Some(&format!("version = 1\n[redaction.strict]\n{rules}\n"))).unwrap_err();
        let told = found.join("\n");
        assert!(!told.contains("heron"), "{rules}: {told}");
        assert!(told.contains("redaction.strict") && told.contains("words = [{ name, word }]"), "{rules}: {told}");
    }
}

// LOG-22: text without a purpose or an end is not kept; every mistake is told in one run.
#[test]
fn a_file_that_cannot_be_meant_is_refused_with_every_mistake() {
    let bad = r#"
[retention.short]
days = 0
[redaction.broken]
patterns = [{ name = "HERON", pattern = "(" }]
[redaction.odd]
words = [{ name = "not capitals", word = "secretword" }]
[redaction.unknown_action]
actions = { email = "hash" }
[redaction.unknown_entity]
actions = { e_mail = "pseudonym" }
[[rule]]
name = "a"
capture = ["prompt", "thoughts"]
[[rule]]
name = "a"
tenant = ["nobody"]
capability = ["no.such"]
capture = ["prompt"]
purpose = "x"
retention = "long"
redaction = "missing"
[[rule]]
name = "none"
tenant = []
[[rule]]
name = "b"
capture = []
colour = "red"
"#;
    let found = load(Some(bad)).unwrap_err();
    let has = |key: &str, part: &str| {
        let told = found.iter().any(|mistake| mistake.contains(&format!("key `{key}`")) && mistake.contains(part));
        assert!(told, "{key}: {part}: {found:#?}");
    };
    has("version", "is missing");
    has("retention.short.days", "`0`");
    has("redaction.broken", "HERON");
    has("redaction.odd", "not capitals");
    has("redaction.unknown_action", "cannot be read");
    has("redaction.unknown_entity", "cannot be read");
    has("rule[0].capture", "`thoughts`");
    has("rule[0].purpose", "for a reason");
    has("rule[0].retention", "for a time");
    has("rule[1].name", "second time");
    has("rule[1].tenant", "`nobody`");
    has("rule[1].capability", "`no.such`");
    has("rule[1].retention", "`long`");
    has("rule[1].redaction", "`missing`");
    has("rule[2].name", "other than `none`");
    has("rule[2].tenant", "names nothing");
    has("rule[2].capture", "is missing");
    has("rule[3].colour", "not a known key");
    assert!(!found.iter().any(|mistake| mistake.contains("secretword")), "{found:#?}");
}

// LOG-31: what was retrieved is not kept longer than what it was retrieved for.
#[test]
fn retrieved_text_is_not_kept_longer_than_prompts() {
    let longer = GOOD.replace(
        "retention = \"short\"\nretrieved_text_retention = \"brief\"",
        "retention = \"brief\"\nretrieved_text_retention = \"short\"",
    );
    let found = load(Some(&longer)).unwrap_err();
    assert!(matches!(found.as_slice(), [only] if only.contains("30 days and prompts for 3")), "{found:?}");
}
