//! Bad input at Bedrock's front: what each kind gets, and what stands in the journal. `cargo test converse_bad_input --
//! --nocapture` prints the table.

use std::fmt::Write as _;

use super::{
    client,
    harness::{Harness, converse_body},
};

const PATH: &str = "/model/support.answer/converse";
const INVALID: (u16, &str) = (400, "ValidationException");
const NOT_FOUND: (u16, &str) = (404, "ResourceNotFoundException");

/// A kind of bad input: its name, path, further headers and body; and the status, exception and code that the caller gets.
struct Case {
    name: &'static str,
    path: String,
    header: Option<(&'static str, &'static str)>,
    body: Vec<u8>,
    shape: (u16, &'static str),
    code: &'static str,
}

fn body(name: &'static str, body: impl Into<Vec<u8>>, code: &'static str) -> Case {
    Case { name, path: PATH.to_owned(), header: None, body: body.into(), shape: INVALID, code }
}

fn more(name: &'static str, more: &str, code: &'static str) -> Case {
    body(name, converse_body("hi", more), code)
}

fn path(name: &'static str, model_id: &str, shape: (u16, &'static str), code: &'static str) -> Case {
    Case { path: format!("/model/{model_id}/converse"), shape, ..body(name, converse_body("hi", ""), code) }
}

fn head(name: &'static str, header: (&'static str, &'static str), code: &'static str) -> Case {
    Case { header: Some(header), ..body(name, converse_body("hi", ""), code) }
}

fn bodies() -> Vec<Case> {
    let deep = format!(
        r#","toolConfig":{{"tools":[{{"toolSpec":{{"name":"a","inputSchema":{{"json":{}1{}}}}}}}]}}"#,
        "{\"a\":".repeat(5000),
        "}".repeat(5000)
    );
    vec![
        body("empty body", "", "not_json"),
        body("not JSON", "hello", "not_json"),
        body("half a JSON", r#"{"messages":[{"ro"#, "not_json"),
        body("JSON with text after it", r#"{"messages":[]} x"#, "not_json"),
        body("an array", "[]", "wrong_type"),
        body("null", "null", "wrong_type"),
        body("invalid UTF-8", b"{\"messages\":\"\xff\xfe\"}".as_slice(), "invalid_utf8"),
        body("lone surrogate", converse_body("\\ud800", ""), "invalid_utf8"),
        more("nested 5,000 deep", &deep, "too_deep"),
        body("no messages", "{}", "missing_field"),
        body("messages is empty", r#"{"messages":[]}"#, "empty"),
        body("messages given twice", r#"{"messages":[],"messages":[]}"#, "duplicate_field"),
        body("content is text", r#"{"messages":[{"role":"user","content":"hi"}]}"#, "wrong_type"),
        body("OpenAI's body", super::harness::body("support.answer", "hi", ""), "unknown_field"),
        more("unknown field", r#","tenant":"globex""#, "unknown_field"),
        more("modelId in the body", r#","modelId":"support.answer""#, "unknown_field"),
        more(
            "a guardrail of the caller's",
            r#","guardrailConfig":{"guardrailIdentifier":"a","guardrailVersion":"1"}"#,
            "unsupported_field",
        ),
        more("a class of service that costs more", r#","serviceTier":{"type":"priority"}"#, "unsupported_field"),
        more("speed that costs more", r#","performanceConfig":{"latency":"optimized"}"#, "unsupported_field"),
        more("fields for the model", r#","additionalModelRequestFields":{"top_k":5}"#, "unsupported_field"),
        more("absurd maxTokens", r#","inferenceConfig":{"maxTokens":999999999}"#, "out_of_range"),
        more("maxTokens above the capability", r#","inferenceConfig":{"maxTokens":5000}"#, "max_tokens_too_large"),
        more("temperature of 9", r#","inferenceConfig":{"temperature":9}"#, "out_of_range"),
        body("body above the capability's limit", converse_body(&"x".repeat(300_000), ""), "input_too_large"),
        body("body above the server's limit", converse_body(&"x".repeat(5 << 20), ""), "body_too_large"),
    ]
}

fn paths_and_heads() -> Vec<Case> {
    vec![
        path("unknown capability", "no.such", NOT_FOUND, "unknown_capability"),
        path("a raw model", "anthropic.claude-v2%3A1", NOT_FOUND, "unknown_capability"),
        path("capability with a path", "..%2F..%2Fetc%2Fpasswd", NOT_FOUND, "unknown_capability"),
        path("no capability", "", INVALID, "empty"),
        path("a capability of 10,000 letters", &"m".repeat(10_000), INVALID, "out_of_range"),
        path("half a percent sign", "support.answer%2", INVALID, "invalid_value"),
        path("a percent sign that is none", "support%zzanswer", INVALID, "invalid_value"),
        path("a path that is not UTF-8", "support%ffanswer", INVALID, "invalid_utf8"),
        path("a zero byte", "support.answer%00", NOT_FOUND, "unknown_capability"),
        head("compressed body", ("content-encoding", "gzip"), "unsupported_encoding"),
        head("100 MB announced", ("content-length", "104857600"), "body_too_large"),
    ]
}

// Must show 7, at this front: exception, code and event of every kind; every refusal that has an id has exactly its two events.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_gets_an_exception_and_an_event() {
    let harness = Harness::start().await;
    let mut table = String::from("| input | exception | code | event |\n| --- | --- | --- | --- |\n");
    let mut wrong = Vec::new();
    for (count, case) in bodies().into_iter().chain(paths_and_heads()).enumerate() {
        let seen = harness.bedrock(&harness.acme, &case.path, case.header.as_slice(), &case.body).await;
        let shape = (seen.status, seen.header("x-amzn-errortype").unwrap_or("-"), seen.header("x-custody-code").unwrap_or("-"));
        if shape != (case.shape.0, case.shape.1, case.code) {
            wrong.push(format!("{}: {shape:?} {}", case.name, seen.body));
            continue;
        }
        assert!(!seen.body.contains(&harness.acme));
        let events = harness.events_after(count + 1).await;
        let [.., request, outcome] = events.as_slice() else { panic!("{}", case.name) };
        let id = seen.header("x-amzn-requestid");
        assert!(id.is_some() && request.envelope.request_id.as_deref() == id, "{}", case.name);
        let custody_event::Kind::Outcome(fact) = &outcome.kind else { panic!("{}", case.name) };
        let recorded = (&*fact.class, fact.code.as_deref(), fact.http_status);
        assert_eq!(recorded, ("refused", Some(case.code), i32::from(case.shape.0)), "{}", case.name);
        assert_eq!(events.len(), 2 * (count + 1), "{}", case.name);
        let _ = writeln!(table, "| {} | {} | {} | {} at {} |", case.name, case.shape.1, case.code, fact.class, fact.stage);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(harness.model.count(), 0);
    println!("{table}");
    harness.stop().await;
}

// PATH-17: no other operation, and no other spelling of a path, leads to a model.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_paths_lead_nowhere() {
    let harness = Harness::start().await;
    let hi = converse_body("hi", "");
    let paths = [
        "/model/support.answer/invoke",
        "/model/support.answer/invoke-with-response-stream",
        "/model/support.answer/count-tokens",
        "/model/support.answer/converse/",
        "/model/support.answer/%63onverse",
        "/model/team/support.answer/converse",
        "/model/support.answer",
        "/model/",
        "/guardrail/a/version/1/apply",
    ];
    for path in paths {
        let seen = harness.bedrock(&harness.acme, path, &[], hi.as_bytes()).await;
        assert_eq!(seen.status, 404, "{path}");
        let shape = (seen.header("x-amzn-errortype"), seen.header("x-custody-code"));
        let bedrock = (Some("ResourceNotFoundException"), Some("unknown_path"));
        assert_eq!(shape, if path.starts_with("/model/") { bedrock } else { (None, None) }, "{path}");
    }
    for method in ["GET", "PUT", "DELETE"] {
        let seen = client::raw(harness.address, &client::request(method, PATH, &[], hi.as_bytes())).await;
        let shape = (seen.status, seen.header("x-amzn-errortype"), seen.header("x-custody-code"), seen.header("allow"));
        assert_eq!(shape, (400, Some("ValidationException"), Some("wrong_method"), Some("POST")), "{method}");
    }
    assert_eq!((harness.model.count(), harness.events().await.len()), (0, 0));
    harness.stop().await;
}
