//! Bedrock's front: every kind of refusal, as an AWS client reads it, and what stands in the journal.

use std::time::Duration;

use custody_testkit::disk::DiskPoint;

use super::{
    client::{self, Seen},
    harness::{Harness, body, converse_body, kinds, outcome},
};
use crate::{stage::Stage, workspace::StageSwitches};

/// Status, exception and our code, where the answer has Bedrock's shape.
fn shape(seen: &Seen) -> (u16, &str, &str) {
    let message = seen.json()["message"].as_str().unwrap().to_owned();
    let code = seen.header("x-custody-code").unwrap();
    assert!(message.ends_with(&format!("({code})")), "{message}");
    assert_eq!((seen.header("content-type"), seen.header("x-should-retry")), (Some("application/json"), None));
    (seen.status, seen.header("x-amzn-errortype").unwrap(), code)
}

// PATH-02: no key, a bad one or a signature: refused before anything is read, and recorded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_key_there_is_an_access_denied_and_an_event() {
    let harness = Harness::start().await;
    let (id, secret) = harness.acme.rsplit_once('_').unwrap();
    let wrong_secret = format!("Bearer {id}_{}", "A".repeat(43));
    let signed = format!("AWS4-HMAC-SHA256 Credential={secret}/20261121/eu-west-1/bedrock/aws4_request, SignedHeaders=host, Signature=0f");
    let path = "/model/support.answer/converse";
    let presigned = format!("{path}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0f");
    let cases = [
        (path, vec![], "missing_api_key"),
        (path, vec![("authorization", "Basic abc")], "malformed_credential"),
        (path, vec![("authorization", "Bearer nonsense")], "invalid_api_key"),
        (path, vec![("authorization", wrong_secret.as_str())], "invalid_api_key"),
        (path, vec![("authorization", signed.as_str()), ("x-amz-security-token", secret)], "signed_request"),
        (path, vec![("authorization", "aws4-ecdsa-p256-sha256 x")], "signed_request"),
        (presigned.as_str(), vec![], "signed_request"),
    ];
    for (path, headers, code) in &cases {
        let seen = client::raw(harness.address, &client::request("POST", path, headers, converse_body("hi", "").as_bytes())).await;
        assert_eq!(shape(&seen), (403, "AccessDeniedException", *code));
        assert!(seen.header("x-custody-evidence").is_some() && seen.header("x-amzn-requestid").is_some());
        assert!(!seen.body.contains(secret) && !seen.body.contains("0f"), "{}", seen.body);
    }
    let events = harness.events().await;
    assert_eq!(kinds(&events), ["request", "outcome"].repeat(cases.len()));
    assert!(events.iter().all(|event| &*event.envelope.tenant == "unidentified"));
    assert_eq!((outcome(&events).http_status, harness.model.count()), (403, 0));
    harness.stop().await;
}

// PATH-02, PATH-03, PRN-13: what policy denies costs nothing, and no AWS client repeats a 403.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_policy_denies_is_an_access_denied() {
    let harness = Harness::with(&[(
        "custody.toml",
        "model = \"sim-large\"\nregion = \"local\"\ndata_class_ceiling = \"restricted\"",
        "model = \"sim-large\"\nregion = \"local\"\ndata_class_ceiling = \"public\"",
    )])
    .await;
    let hi = converse_body("hi", "");
    let denied = harness.bedrock(&harness.globex, "/model/ticket.classify/converse", &[], hi.as_bytes()).await;
    assert_eq!(shape(&denied), (403, "AccessDeniedException", "capability_denied"));
    let other = harness.bedrock(&harness.acme, "/model/support.answer/converse", &[("x-tenant-id", "globex")], hi.as_bytes()).await;
    assert_eq!(shape(&other), (403, "AccessDeniedException", "tenant_mismatch"));
    let tagged = converse_body("hi", r#","requestMetadata":{"tenant":"globex"}"#);
    let by_tag = harness.bedrock(&harness.acme, "/model/support.answer/converse-stream", &[], tagged.as_bytes()).await;
    assert_eq!(shape(&by_tag), (403, "AccessDeniedException", "tenant_mismatch"));
    assert_eq!(harness.model.count(), 0);
    for (count, stage) in Stage::ALL.into_iter().enumerate() {
        harness.gateway.switch(&StageSwitches { off: [stage].into() }, "operator").await.unwrap();
        let seen = harness.converse("support.answer", "hi").await;
        assert_eq!(shape(&seen), (403, "AccessDeniedException", "stage_disabled"), "{stage}");
        let events = harness.events_after(count + 4).await;
        assert_eq!((&*outcome(&events).stage, outcome(&events).http_status), (stage.as_str(), 403));
    }
    harness.stop().await;
}

// GW-18: what the provider does wrong is told in Bedrock's words, and with the attempts that the gateway makes itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_provider_does_wrong_has_its_exception() {
    let harness = Harness::with(&[("custody.toml", "max_attempts = 3", "max_attempts = 2\nattempt_timeout_ms = 300")]).await;
    let cases = [
        ("status=429 retry_after_s=7", (429, "ThrottlingException", "upstream_throttled"), Some("7")),
        ("status=503", (503, "ServiceUnavailableException", "upstream_unavailable"), Some("1")),
        ("status=500", (424, "ModelErrorException", "upstream_unavailable"), None),
        ("status=401", (424, "ModelErrorException", "upstream_denied"), None),
        ("status=400", (424, "ModelErrorException", "upstream_rejected"), None),
        ("garbage=1", (424, "ModelErrorException", "upstream_garbage"), None),
        ("delay_ms=2000", (408, "ModelTimeoutException", "upstream_timed_out_total"), None),
        ("empty=1", (424, "ModelErrorException", "invalid_output"), None),
    ];
    for (count, (directive, expected, retry_after)) in cases.into_iter().enumerate() {
        let seen = harness.converse("support.answer", &format!("simulate: {directive} canary")).await;
        assert_eq!(shape(&seen), expected, "{directive}");
        assert_eq!(seen.header("retry-after"), retry_after, "{directive}");
        assert!(!seen.body.contains("canary"));
        let events = harness.events_after(count + 1).await;
        assert_eq!(outcome(&events).http_status, i32::from(expected.0), "the trail has the status that the caller got");
    }
    harness.stop().await;
}

// PATH-13: what can't be recorded does not proceed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_recorded_is_a_service_unavailable() {
    let harness = Harness::start().await;
    harness.disk.fail(DiskPoint::Sync, std::io::ErrorKind::Other, 1_000_000);
    for seen in [harness.converse("support.answer", "hi").await, harness.converse_stream("support.answer", "hi").await] {
        assert_eq!(shape(&seen), (503, "ServiceUnavailableException", "evidence_unavailable"));
    }
    assert_eq!(harness.model.count(), 0);
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_defect_is_an_internal_server_error() {
    let harness = Harness::start().await;
    harness.model.panics.store(true, std::sync::atomic::Ordering::SeqCst);
    let seen = harness.converse("support.answer", "canary").await;
    assert_eq!(shape(&seen), (500, "InternalServerException", "internal"));
    assert!(seen.header("x-amzn-requestid").is_some());
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_the_bound_are_told_to_come_back() {
    let harness = Harness::with(&[("custody.toml", "listen = ", "max_in_flight = 1\nlisten = ")]).await;
    let text = body("support.answer", "simulate: delay_ms=300", "");
    let slow = harness.send(&harness.acme, &[], &text);
    let turned_away = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        harness.converse("support.answer", "hi").await
    };
    let (first, second) = tokio::join!(slow, turned_away);
    assert_eq!((first.status, shape(&second)), (200, (503, "ServiceUnavailableException", "overloaded")));
    assert_eq!(second.header("retry-after"), Some("1"));
    harness.stop().await;
}
