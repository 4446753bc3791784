//! Every field of an event has a class and a guard that are written down, and what callers make up passes its guard.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    harness::{Harness, body},
    vault::{RULES, TestVault, keeping},
};

const REPORT: &str = include_str!("../../../../docs/EVENT-FIELDS.md");

/// Field to class and guard, as the report has them.
fn reported() -> BTreeMap<String, (String, String)> {
    let rows = REPORT.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |")?.split_once("` | "));
    let fields = rows.filter_map(|(field, rest)| {
        let (class, guard) = rest.split_once(" | ")?;
        Some((field.to_owned(), (class.to_owned(), guard.to_owned())))
    });
    fields.collect()
}

/// The record inside a type, if there is one.
fn record(kind: &Value) -> Option<&Value> {
    match kind {
        Value::Array(members) => members.iter().find_map(record),
        Value::Object(object) => match object.get("type")?.as_str() {
            Some("record") => Some(kind),
            Some("array") => record(object.get("items")?),
            Some("map") => record(object.get("values")?),
            Some(_) => None,
            None => record(object.get("type")?),
        },
        _ => None,
    }
}

fn fields(of: &Value, prefix: &str, found: &mut Vec<String>) {
    for field in of["fields"].as_array().unwrap() {
        let path = format!("{prefix}{}", field["name"].as_str().unwrap());
        match record(&field["type"]) {
            Some(inner) => fields(inner, &format!("{path}."), found),
            None => found.push(path),
        }
    }
}

// RDY-10, LOG-23 to LOG-32: a new field of the schema needs its class and guard in the report.
#[test]
fn every_field_of_an_event_has_a_class_and_a_guard() {
    let schema: Value = serde_json::from_str(custody_event::EVENT_SCHEMA_JSON).unwrap();
    let mut found = Vec::new();
    fields(&schema, "", &mut found);
    found.sort();
    let reported = reported();
    assert_eq!(reported.keys().cloned().collect::<Vec<_>>(), found);
    for (field, (class, guard)) in &reported {
        assert!(["low", "medium"].contains(&class.as_str()), "{field}: {class}");
        let known = ["ours", "operator", "hash", "word", "form", "number", "redacted"];
        assert!(known.contains(&guard.as_str()) && REPORT.contains(&format!("\n| {guard} | ")), "{field}: {guard}");
    }
}

/// Narrow enough to be a label, and a key all the same.
const KEY: &str = "AKIAQYLPMNVHFIQRKXYA";

// LOG-38: what callers make up reaches an event by no path in the clear, where it is more than a plain word.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_words_pass_their_guards() {
    let kept = keeping(RULES, TestVault::open()).await;
    let harness = &kept.harness;
    let canaries = [KEY, "jane.canary@example.com", "DE89370400440532013000", "canary-with-4111111111111111", "canary words of a person"];
    for canary in canaries {
        let more = format!(
            r#","user":"{canary}","metadata":{{"team":"{canary}","{canary}":"x","tenant_id":"acme"}},"tools":[{{"type":"function","function":{{"name":"f","description":"{canary}"}}}}]"#
        );
        let headers = [("x-client-request-id", canary)];
        let known = harness.send(&harness.acme, &headers, &body("docs.summarise", "simulate: status=400", &more)).await;
        assert_eq!(known.status, 502, "{}", known.body);
        let unknown = harness.send(&harness.acme, &headers, &body(canary, canary, &more)).await;
        assert_eq!(unknown.status, 404, "{}", unknown.body);
        let odd = harness.send(&harness.acme, &[("x-tenant", canary)], &body("docs.summarise", canary, "")).await;
        assert_eq!(odd.status, 403, "{}", odd.body);
        assert_eq!(kept.leaks(canary), Vec::<String>::new());
    }
    kept.harness.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tag_that_redaction_knows_is_dropped_or_hashed() {
    for (rule, expected) in [("drop", None), ("hash", Some(64))] {
        let edit = ("custody.toml", "unsafe_values = \"drop\"", &*format!("unsafe_values = \"{rule}\""));
        let harness = Harness::with(&[edit]).await;
        let text = body("docs.summarise", "hi", &format!(r#","metadata":{{"team":"{KEY}","release":"2026.11"}}"#));
        assert_eq!(harness.send(&harness.acme, &[], &text).await.status, 200);
        let events = harness.events().await;
        let tags = &events[0].envelope.tags;
        assert_eq!(tags.get("team").map(|tag| tag.len()), expected);
        assert_eq!(tags.get("release").map(|tag| &**tag), Some("2026.11"));
        harness.stop().await;
    }
}
