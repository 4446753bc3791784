//! What users say of answers (LOG-32): rating and reasons in the trail, free text sealed or dropped.

use custody_event::{Event, Feedback, Kind};

use super::{
    client::{self, Seen},
    harness::{Harness, kinds},
    vault::{Kept, RULES, TestVault, keeping},
};

const CANARY: &str = "canary-opinion-55d0";

async fn send(harness: &Harness, key: &str, body: &str) -> Seen {
    let bearer = format!("Bearer {key}");
    client::raw(harness.address, &client::request("POST", "/v1/feedback", &[("authorization", &bearer)], body.as_bytes())).await
}

fn feedback(events: &[Event]) -> (&Event, &Feedback) {
    let found = events.iter().find_map(|event| if let Kind::Feedback(fact) = &event.kind { Some((event, fact)) } else { None });
    found.expect("feedback")
}

async fn answered(kept: &Kept) -> String {
    let seen = kept.harness.chat("docs.summarise", "hi").await;
    seen.header("x-request-id").unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn feedback_joins_the_trail_of_its_request() {
    let kept = keeping(RULES, TestVault::open()).await;
    let id = answered(&kept).await;
    let seen =
        send(&kept.harness, &kept.harness.acme, &format!(r#"{{"request_id":"{id}","rating":"down","reasons":["wrong","rude","wrong"]}}"#))
            .await;
    assert_eq!(seen.status, 200, "{}", seen.body);
    assert_eq!((&seen.json()["object"], &seen.json()["comment"]), (&"feedback".into(), &serde_json::Value::Null));
    assert_ne!(seen.header("x-request-id"), Some(id.as_str()), "the call has an id of its own");
    let events = kept.harness.events().await;
    let (event, fact) = feedback(&events);
    assert_eq!(event.envelope.request_id.as_deref(), Some(id.as_str()));
    assert_eq!((&*event.envelope.tenant, event.envelope.handling_rule.as_deref()), ("acme", Some("none@4")));
    assert_eq!((fact.rating.as_deref(), fact.comment_handling.as_deref(), fact.comment_bytes), (Some("down"), None, None));
    assert_eq!(fact.reasons.iter().map(|reason| &**reason).collect::<Vec<_>>(), ["rude", "wrong"]);
    kept.harness.stop().await;
}

// LOG-32: free text is kept by the rule of the capability that answered, or not at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_comment_is_sealed_or_dropped_and_never_in_an_event() {
    let kept = keeping(RULES, TestVault::open()).await;
    let id = answered(&kept).await;
    let mut handled = Vec::new();
    for more in ["", r#","model":"docs.summarise""#, r#","model":"support.answer","user":"anna""#] {
        let seen = send(&kept.harness, &kept.harness.acme, &format!(r#"{{"request_id":"{id}","comment":"{CANARY}"{more}}}"#)).await;
        assert_eq!(seen.status, 200, "{}", seen.body);
        handled.push(seen.json()["comment"].as_str().unwrap().to_owned());
    }
    assert_eq!(handled, ["dropped", "dropped", "sealed"]);
    assert_eq!(kept.leaks(CANARY), Vec::<String>::new());
    let texts = kept.texts().await;
    assert_eq!(texts, [("feedback".to_owned(), 0, CANARY.to_owned())]);
    let records = kept.records().await;
    let events = kept.harness.events().await;
    assert_eq!(kinds(&events)[7..], ["feedback", "feedback", "content", "feedback"]);
    assert_eq!((&*records[0].request_id, &records[0].person), (id.as_str(), &events.last().unwrap().envelope.user_pseudonym));
    assert!(records[0].person.is_some());
    kept.harness.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn feedback_that_cannot_be_taken_is_refused_and_recorded() {
    let kept = keeping(RULES, TestVault::without_keys()).await;
    let id = answered(&kept).await;
    let v4 = "6e4f0b6a-3c7d-4c0e-8f61-2b1f7d9e5a10";
    let long = format!(r#"{{"request_id":"{id}","comment":"{}"}}"#, "x".repeat(16_385));
    let cases: Vec<(String, u16, &str)> = vec![
        ("[]".into(), 400, "not_json"),
        ("{".into(), 400, "not_json"),
        (r#"{"rating":"up"}"#.into(), 400, "missing_field"),
        (format!(r#"{{"request_id":"{id}"}}"#), 400, "missing_field"),
        (format!(r#"{{"request_id":"{v4}","rating":"up"}}"#), 400, "invalid_value"),
        (format!(r#"{{"request_id":"{}","rating":"up"}}"#, id.to_uppercase()), 400, "invalid_value"),
        (format!(r#"{{"request_id":"{}","rating":"up"}}"#, id.replace('-', "")), 400, "invalid_value"),
        (r#"{"request_id":7,"rating":"up"}"#.into(), 400, "wrong_type"),
        (format!(r#"{{"request_id":"{id}","rating":"great"}}"#), 400, "invalid_value"),
        (format!(r#"{{"request_id":"{id}","reasons":["{CANARY}"]}}"#), 400, "invalid_value"),
        (format!(r#"{{"request_id":"{id}","rating":"up","{CANARY}":1}}"#), 400, "unknown_field"),
        (format!(r#"{{"request_id":"{id}","rating":"up","rating":"down"}}"#), 400, "duplicate_field"),
        (format!(r#"{{"request_id":"{id}","rating":"up","model":"{CANARY}"}}"#), 404, "unknown_capability"),
        (long, 400, "out_of_range"),
        (format!(r#"{{"request_id":"{id}","comment":"{CANARY}","model":"support.answer"}}"#), 503, "content_key_missing"),
    ];
    for (body, status, code) in &cases {
        let seen = send(&kept.harness, &kept.harness.acme, body).await;
        assert_eq!((seen.status, seen.code().as_str()), (*status, *code), "{body:.80}");
        assert!(!seen.body.contains(CANARY) && seen.header("x-custody-evidence").is_some());
    }
    let seen =
        send(&kept.harness, &kept.harness.globex, &format!(r#"{{"request_id":"{id}","rating":"up","model":"ticket.classify"}}"#)).await;
    assert_eq!((seen.status, seen.code().as_str()), (403, "capability_denied"));
    let seen = send(&kept.harness, "nonsense", &format!(r#"{{"request_id":"{id}","rating":"up"}}"#)).await;
    assert_eq!((seen.status, seen.code().as_str()), (401, "invalid_api_key"));
    let events = kept.harness.events().await;
    let refused = cases.len() + 2;
    assert_eq!(kinds(&events)[7..], ["request", "outcome"].repeat(refused));
    assert!(events[7..].iter().all(|event| event.envelope.request_id.as_deref() != Some(id.as_str())), "no outcome joins another trail");
    assert_eq!(kept.leaks(CANARY), Vec::<String>::new());
    kept.harness.stop().await;
}
