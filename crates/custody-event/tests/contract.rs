//! The event contract: what was ever written stays readable, and its canonical bytes stay the same.
//!
//! `fixtures/<version>.txt` holds one event a line: kind, Avro bytes, canonical bytes, both in hex, written by the schema in
//! `schemas/event/frozen/<version>.avsc`. Never edited; a new schema version adds a file
//! (`CUSTODY_WRITE_FIXTURES=1 cargo test -p custody-event --test contract` prints it).

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::{collections::BTreeMap, sync::Arc};

use custody_event::{
    Access, Content, Control, Cost, Decoder, Encoder, Envelope, Event, Feedback, Guardrail, GuardrailFinding, Invocation, KIND_NAMES, Kind,
    Outcome, Prompt, PromptPart, RELEASED_SCHEMAS_JSON, Request, Route, SchemaTree, Validation, ValidationCheck,
    canonical::{CanonicalEvent, canonical_bytes},
};
use custody_types::{Text, Timestamp};

const FROZEN: &[(&str, &str, &str)] = &[
    ("v1-0", include_str!("../../../schemas/event/frozen/v1-0.avsc"), include_str!("fixtures/v1-0.txt")),
    ("v1-1", include_str!("../../../schemas/event/frozen/v1-1.avsc"), include_str!("fixtures/v1-1.txt")),
    ("v1-2", include_str!("../../../schemas/event/frozen/v1-2.avsc"), include_str!("fixtures/v1-2.txt")),
];

fn text(value: &str) -> Text {
    Text::from(value)
}

fn envelope() -> Envelope {
    Envelope {
        request_id: Some(text("019a9c00-0000-7000-8000-000000000001")),
        tenant: text("acme"),
        principal: text("svc-support"),
        user_pseudonym: Some(text("u1")),
        capability: Some(text("support.answer")),
        feature: Some(text("support")),
        workflow: Some(text("tickets")),
        environment: text("test"),
        data_class: Some(text("confidential")),
        control_level: Some(text("customer")),
        tags: BTreeMap::from([(text("team"), text("blue")), (text("app"), text("help"))]),
        policy_hash: text("aa"),
        config_hash: text("bb"),
        trace_id: Some(text("0af7651916cd43dd8448eb211c80319c")),
        span_id: Some(text("b7ad6b7169203331")),
        client_request_id: Some(text("c-1")),
        api_key_id: Some(text("k1")),
        producer: text("custody/0.1.0"),
        handling_rule: Some(text("support@3")),
    }
}

fn one_of_each() -> Vec<Kind> {
    vec![
        Kind::Request(Request {
            dialect: text("openai"),
            operation: text("chat"),
            requested: Some(text("support.answer")),
            messages: 2,
            input_bytes: 120,
            max_output_tokens: Some(64),
            decision: text("allow"),
            policy_ids: vec![text("p1"), text("p2")],
            ..Request::default()
        }),
        Kind::Prompt(Prompt {
            prompt_id: text("support.answer"),
            version: text("3"),
            template_hash: text("cc"),
            parts: vec![PromptPart { part: text("system"), source: text("registry"), bytes: 90, hash: None }],
            caller_system: text("none"),
        }),
        Kind::Route(Route {
            attempt: 1,
            decision: text("allow"),
            chosen: Some(text("simulator")),
            provider: Some(text("simulator")),
            model: Some(text("sim-small")),
            candidates: vec![text("simulator")],
            reasons: vec![text("first permitted")],
            parameters: BTreeMap::from([(text("temperature"), text("0.2"))]),
            serving: BTreeMap::from([(text("namespace"), text("models"))]),
            ..Route::default()
        }),
        Kind::Invocation(Invocation {
            attempt: 1,
            route: text("simulator"),
            status: text("completed"),
            started_at: Some(Timestamp::from_micros(1_700_000_000_000_000)),
            input_tokens: Some(10),
            output_tokens: Some(5),
            usage_source: text("provider"),
            service_tier: Some(text("priority")),
            ..Invocation::default()
        }),
        Kind::Validation(Validation {
            status: text("passed"),
            checks: vec![ValidationCheck { name: text("non_empty"), result: text("passed") }],
            schema_hash: None,
            handling: text("display"),
        }),
        Kind::Cost(Cost {
            attempt: 1,
            currency: text("USD"),
            amount_pico: Some(1_234_567),
            price_book: text("2026-11"),
            charged_for: Some(text("model")),
            items_pico: Some(0),
            items: BTreeMap::from([(text("request"), 1)]),
            service_tier: Some(text("priority")),
            ..Cost::default()
        }),
        Kind::Outcome(Outcome {
            class: text("answered"),
            http_status: 200,
            stage: text("released"),
            attempts: 1,
            stage_us: BTreeMap::from([(text("routed"), 12)]),
            guardrail_status: text("not_required"),
            retrieval_status: text("not_required"),
            ..Outcome::default()
        }),
        Kind::Control(Control { action: text("started"), subject: text("gateway"), actor: text("operator"), ..Control::default() }),
        Kind::Guardrail(Guardrail {
            attempt: 1,
            route: text("eu"),
            provider: text("bedrock"),
            guardrail_id: Some(text("gr1abc2def3")),
            side: text("input"),
            action: text("blocked"),
            findings: vec![GuardrailFinding { policy: text("topic"), detected: Some(true), count: 2, ..GuardrailFinding::default() }],
            units: BTreeMap::from([(text("topicPolicyUnits"), 1)]),
            ..Guardrail::default()
        }),
        Kind::Content(Content {
            content_id: text("019a9c00-0000-7000-8000-000000000201"),
            part: text("prompt"),
            bytes: 90,
            commitment: text("dd"),
            purpose: text("quality-review"),
            retention_class: text("short"),
            expires_on: text("2026-12-21"),
            claim_check: true,
            ..Content::default()
        }),
        Kind::Access(Access {
            action: text("reveal"),
            decision: text("allow"),
            reason: Some(text("case 4711")),
            policy_ids: vec![text("p3")],
            second_person: Some(text("bob")),
            content_ids: vec![text("019a9c00-0000-7000-8000-000000000201")],
            ..Access::default()
        }),
        Kind::Feedback(Feedback {
            feedback_id: text("019a9c00-0000-7000-8000-000000000301"),
            rating: Some(text("down")),
            reasons: vec![text("wrong")],
            comment_bytes: Some(12),
            comment_handling: Some(text("sealed")),
        }),
    ]
}

fn events() -> Vec<Event> {
    let envelope = Arc::new(envelope());
    let event = |(place, kind): (usize, Kind)| Event {
        event_id: text(&format!("019a9c00-0000-7000-8000-0000000001{place:02}")),
        time: Timestamp::from_micros(1_763_700_000_000_000),
        envelope: Arc::clone(&envelope),
        kind,
    };
    one_of_each().into_iter().enumerate().map(event).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn every_kind_survives_the_codec() {
    let mut encoder = Encoder::new().expect("the schema parses");
    let decoder = Decoder::new(&[]);
    for event in events() {
        let bytes = encoder.encode(&event).unwrap();
        assert_eq!(decoder.decode(&bytes).unwrap(), event);
    }
}

#[test]
fn fixtures_of_every_version_read_to_the_same_canonical_bytes() {
    let schemas: Vec<&str> = FROZEN.iter().map(|(_, schema, _)| *schema).collect();
    assert_eq!(schemas, RELEASED_SCHEMAS_JSON);
    let decoder = Decoder::new(&[]);
    for (version, _, fixtures) in FROZEN {
        assert!((8..=KIND_NAMES.len()).contains(&fixtures.lines().count()), "{version}");
        for line in fixtures.lines() {
            let fields: Vec<&str> = line.split(' ').collect();
            let event = decoder.decode(&unhex(fields[1])).unwrap();
            assert_eq!(event.kind.name(), fields[0]);
            assert_eq!(hex(&canonical_bytes(&event).unwrap()), fields[2], "{version} {}", fields[0]);
        }
    }
}

#[test]
fn the_current_schema_writes_what_its_fixture_says() {
    let mut encoder = Encoder::new().expect("the schema parses");
    let lines: Vec<String> = events()
        .iter()
        .map(|event| format!("{} {} {}", event.kind.name(), hex(&encoder.encode(event).unwrap()), hex(&canonical_bytes(event).unwrap())))
        .collect();
    if std::env::var_os("CUSTODY_WRITE_FIXTURES").is_some() {
        println!("{}", lines.join("\n"));
        return;
    }
    let (_, _, newest) = FROZEN.last().unwrap();
    assert_eq!(lines, newest.lines().collect::<Vec<_>>());
}

#[test]
fn truncated_or_foreign_bytes_are_refused() {
    let mut encoder = Encoder::new().expect("the schema parses");
    let decoder = Decoder::new(&[]);
    for event in events() {
        let bytes = encoder.encode(&event).unwrap();
        for end in 0..bytes.len() {
            assert!(decoder.decode(&bytes[..end]).is_err(), "{} bytes of {}", end, event.kind.name());
        }
    }
    assert!(decoder.decode(&[0xC3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2]).is_err());
}

/// A later schema: one more envelope field and one more kind, both with defaults.
fn later_schema() -> String {
    let fields = r#", { "name": "cell", "type": ["null", "string"], "field-id": 9800, "default": null },
        { "name": "verdict", "type": ["null", { "type": "record", "name": "Verdict", "fields": [
            { "name": "rating", "type": "int", "field-id": 9901 } ] }], "field-id": 9900, "default": null } ]}"#;
    custody_event::EVENT_SCHEMA_JSON.trim_end().strip_suffix("]}").unwrap().trim_end().to_owned() + fields
}

#[test]
fn a_later_schema_changes_no_earlier_leaf() {
    let tree = SchemaTree::parse(&later_schema()).expect("the later schema parses");
    assert!(tree.field("verdict").is_some() && tree.field("cell").is_some());
    for event in events() {
        let later = CanonicalEvent::by_schema(&event, &tree).unwrap();
        assert_eq!(later.to_bytes(), canonical_bytes(&event).unwrap());
    }
}

#[test]
fn bytes_of_a_later_schema_are_read_when_it_is_known_and_refused_when_not() {
    let later: serde_avro_fast::Schema = later_schema().parse().unwrap();
    let mut config = serde_avro_fast::ser::SerializerConfig::new(&later);
    for event in events() {
        let bytes = serde_avro_fast::to_single_object_vec(&event, &mut config).unwrap();
        assert_eq!(Decoder::new(&[&later_schema()]).decode(&bytes).unwrap(), event);
        assert!(Decoder::new(&[]).decode(&bytes).is_err());
    }
}
