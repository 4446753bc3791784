//! Requests that go well.

use custody_event::Kind;

use super::harness::{Harness, body, kinds, outcome};

// PATH-01, PATH-07, PATH-09, PATH-11, PATH-14, PATH-15: one answer, every event kind, one request id.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_has_its_whole_trail() {
    let harness = Harness::start().await;
    let seen = harness.chat("support.answer", "simulate: input_tokens=100 output_tokens=5").await;
    assert_eq!(seen.status, 200, "{}", seen.body);
    assert_eq!(seen.json()["model"], "support.answer");
    assert_eq!(seen.json()["usage"]["prompt_tokens"], 100);
    assert_eq!(seen.header("x-custody-route"), Some("sim.large"));
    assert_eq!(seen.header("x-custody-outcome"), Some("answered"));
    assert_eq!(seen.header("x-custody-cost-usd"), Some("0.000375000000"));
    let events = harness.events().await;
    assert_eq!(kinds(&events), ["request", "prompt", "route", "invocation", "validation", "cost", "outcome"]);
    let id = seen.header("x-request-id").unwrap();
    assert!(events.iter().all(|event| event.envelope.request_id.as_deref() == Some(id)));
    assert!(events.iter().all(|event| &*event.envelope.tenant == "acme" && event.envelope.feature.as_deref() == Some("help-centre")));
    let evidence = seen.header("x-custody-evidence").unwrap();
    assert!(evidence.ends_with(":7"), "{evidence}");
    assert_eq!(outcome(&events).http_status, 200);
    let Kind::Invocation(invocation) = &events[3].kind else { panic!() };
    assert_eq!(invocation.provider_request_id.as_ref().map(|id| id.len()), Some(64), "a provider's long id is kept as its keyed hash");
    assert_eq!(invocation.model_used.as_deref(), Some("simulator"));
    harness.stop().await;
}

// PATH-01: two requests with one client id get two ids of ours; both are searchable.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_id_is_kept_for_correlation_only() {
    let harness = Harness::start().await;
    let text = body("docs.summarise", "hello", "");
    let trace = ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    let one = harness.send(&harness.acme, &[("x-client-request-id", "job-7"), trace], &text).await;
    let two = harness.send(&harness.acme, &[("x-client-request-id", "job-7")], &text).await;
    assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
    let odd = harness.send(&harness.acme, &[("x-client-request-id", "a b c secret")], &text).await;
    assert_eq!(odd.status, 200);
    let events = harness.events().await;
    let ids: Vec<_> = events
        .iter()
        .filter(|event| event.kind.name() == "request")
        .map(|event| event.envelope.client_request_id.clone().unwrap())
        .collect();
    assert_eq!((&*ids[0], &*ids[1], ids[2].len()), ("job-7", "job-7", 64));
    assert_eq!(events[0].envelope.trace_id.as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
    assert_eq!(events[0].envelope.span_id.as_deref(), Some("00f067aa0ba902b7"));
    harness.stop().await;
}

// PRN-11: user is a pseudonym; tags only by the allow-list and as plain labels.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_callers_make_up_becomes_safe() {
    let harness = Harness::start().await;
    let more = r#","user":"anna.miller@example.com","metadata":{"team":"blue","channel":"not a label","other":"dropped"}"#;
    let text = body("docs.summarise", "hello", more);
    assert_eq!(harness.send(&harness.acme, &[], &text).await.status, 200);
    assert_eq!(harness.send(&harness.globex, &[], &text).await.status, 200);
    let events = harness.events().await;
    let (acme, globex) = (&events[0].envelope, &events[7].envelope);
    assert_eq!(acme.tags.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>(), ["team=blue"]);
    assert_ne!(acme.user_pseudonym, globex.user_pseudonym, "two tenants' pseudonyms never match");
    assert_eq!(acme.user_pseudonym.as_ref().map(|name| name.len()), Some(64));
    harness.stop().await;
}

// PATH-12: an answer for a machine follows its schema, and the model is told to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_bound_answer_is_validated() {
    let harness = Harness::start().await;
    let seen = harness.chat("ticket.classify", "my invoice is wrong").await;
    assert_eq!(seen.status, 200, "{}", seen.body);
    let content: serde_json::Value = serde_json::from_str(seen.json()["choices"][0]["message"]["content"].as_str().unwrap()).unwrap();
    assert!(content["urgent"].is_boolean());
    let events = harness.events().await;
    let Kind::Validation(validation) = &events[4].kind else { panic!("{:?}", kinds(&events)) };
    assert_eq!((&*validation.status, validation.checks.len(), &*validation.handling), ("passed", 2, "machine_action"));
    harness.stop().await;
}

// PRN-09: the list shows the caller's own capabilities, never a model.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_is_the_callers_own() {
    let harness = Harness::start().await;
    let list = |key: String, harness: &Harness| {
        let (address, bearer) = (harness.address, format!("Bearer {key}"));
        async move { super::client::raw(address, &super::client::request("GET", "/v1/models", &[("authorization", &bearer)], b"")).await }
    };
    let acme = list(harness.acme.clone(), &harness).await;
    let globex = list(harness.globex.clone(), &harness).await;
    assert_eq!(acme.json()["data"].as_array().unwrap().len(), 3);
    assert_eq!(globex.json()["data"].as_array().unwrap().len(), 2);
    assert_eq!(harness.get("/v1/models", &[]).await.status, 401);
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_side_paths_tell_the_truth() {
    let harness = Harness::start().await;
    harness.chat("support.answer", "hi").await;
    assert_eq!(harness.get("/healthz", &[]).await.status, 200);
    assert_eq!(harness.get("/readyz", &[]).await.status, 200);
    let metrics = harness.get("/metrics", &[]).await;
    assert!(metrics.body.contains("custody_requests_total{class=\"answered\"} 1"), "{}", metrics.body);
    assert!(metrics.body.contains("custody_journal_fsyncs_total"));
    harness.stop().await;
}
