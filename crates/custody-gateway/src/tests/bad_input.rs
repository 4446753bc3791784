//! Bad input: what each kind gets, and what stands in the journal. `cargo test bad_input -- --nocapture` prints the table.

use std::{fmt::Write as _, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    client::{self, Seen},
    harness::{Harness, body},
};

/// A kind of bad input: its name, further headers, the body, and the status and code that the caller gets.
struct Case {
    name: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    status: u16,
    code: &'static str,
}

fn case(name: &'static str, body: impl Into<Vec<u8>>, status: u16, code: &'static str) -> Case {
    Case { name, headers: Vec::new(), body: body.into(), status, code }
}

fn with(name: &'static str, header: (&'static str, &str), status: u16, code: &'static str) -> Case {
    Case { headers: vec![(header.0, header.1.to_owned())], ..case(name, body("support.answer", "hi", ""), status, code) }
}

fn more(name: &'static str, more: &str, code: &'static str) -> Case {
    case(name, body("support.answer", "hi", more), 400, code)
}

fn messages(name: &'static str, messages: &str, code: &'static str) -> Case {
    case(name, format!(r#"{{"model":"support.answer","messages":{messages}}}"#), 400, code)
}

fn bodies() -> Vec<Case> {
    let deep = format!(
        r#"{{"model":"support.answer","messages":[{{"role":"user","content":"hi"}}],"tools":[{{"a":{}{}}}]}}"#,
        "[".repeat(5000),
        "]".repeat(5000)
    );
    vec![
        case("empty body", "", 400, "not_json"),
        case("not JSON", "hello", 400, "not_json"),
        case("half a JSON", r#"{"model":"supp"#, 400, "not_json"),
        case("JSON with text after it", r#"{"model":"support.answer"} x"#, 400, "not_json"),
        case("an array", "[]", 400, "wrong_type"),
        case("a number", "17", 400, "wrong_type"),
        case("null", "null", 400, "wrong_type"),
        case("invalid UTF-8", b"{\"model\":\"\xff\xfe\"}".as_slice(), 400, "invalid_utf8"),
        case("lone surrogate", r#"{"model":"support.answer","messages":[{"role":"user","content":"\ud800"}]}"#, 400, "invalid_utf8"),
        case("nested 5,000 deep", deep, 400, "too_deep"),
        case("no model", r#"{"messages":[{"role":"user","content":"hi"}]}"#, 400, "missing_field"),
        case("model is a number", r#"{"model":4,"messages":[{"role":"user","content":"hi"}]}"#, 400, "wrong_type"),
        case("model is empty", body("", "hi", ""), 400, "empty"),
        case("model of 10,000 letters", body(&"m".repeat(10_000), "hi", ""), 400, "out_of_range"),
        case("model named twice", r#"{"model":"support.answer","model":"docs.summarise","messages":[]}"#, 400, "duplicate_field"),
        case("unknown capability", body("no.such", "hi", ""), 404, "unknown_capability"),
        case("a raw model", body("gpt-4o", "hi", ""), 404, "unknown_capability"),
        case("capability with a path", body("../../etc/passwd", "hi", ""), 404, "unknown_capability"),
        case("no messages", r#"{"model":"support.answer"}"#, 400, "missing_field"),
        messages("messages is text", r#""hi""#, "wrong_type"),
        messages("messages is empty", "[]", "empty"),
        messages("unknown role", r#"[{"role":"root","content":"hi"}]"#, "unknown_role"),
        messages("no role", r#"[{"content":"hi"}]"#, "missing_field"),
        messages("content is a number", r#"[{"role":"user","content":5}]"#, "wrong_type"),
        messages("audio part", r#"[{"role":"user","content":[{"type":"input_audio","input_audio":{}}]}]"#, "unsupported_part"),
        messages("10,000 messages", &format!("[{}]", vec![r#"{"role":"user","content":"a"}"#; 10_000].join(",")), "too_many_messages"),
        more("absurd max_tokens", r#","max_tokens":999999999"#, "out_of_range"),
        more("negative max_tokens", r#","max_tokens":-1"#, "out_of_range"),
        more("fractional max_tokens", r#","max_tokens":1.5"#, "wrong_type"),
        more("max_tokens above the capability", r#","max_tokens":5000"#, "max_tokens_too_large"),
        more("temperature of 9", r#","temperature":9"#, "out_of_range"),
        more("temperature is text", r#","temperature":"hot""#, "wrong_type"),
        more("two answers", r#","n":2"#, "out_of_range"),
        more("store", r#","store":true"#, "unsupported_field"),
        more("unknown field", r#","tenant":"globex""#, "unknown_field"),
        more("logit_bias", r#","logit_bias":{}"#, "unsupported_field"),
        more("usage asked for without a stream", r#","stream_options":{"include_usage":true}"#, "conflicting_fields"),
        more("stream is text", r#","stream":"yes""#, "wrong_type"),
        more(
            "17 metadata pairs",
            &format!(r#","metadata":{{{}}}"#, (0..17).map(|n| format!("\"k{n}\":\"v\"")).collect::<Vec<_>>().join(",")),
            "out_of_range",
        ),
        case("another tenant in metadata", body("support.answer", "hi", r#","metadata":{"tenant":"globex"}"#), 403, "tenant_mismatch"),
        case("capability of another tenant's policy", body("ticket.classify", "hi", r#","max_tokens":10000"#), 400, "max_tokens_too_large"),
        case("body above the capability's limit", body("support.answer", &"x".repeat(300_000), ""), 413, "input_too_large"),
        case("body above the server's limit", body("support.answer", &"x".repeat(5 << 20), ""), 413, "body_too_large"),
    ]
}

fn heads() -> Vec<Case> {
    vec![
        with("another tenant in a header", ("x-tenant-id", "globex"), 403, "tenant_mismatch"),
        with("second authorization header", ("authorization", "Bearer ck_x_y"), 401, "malformed_credential"),
        with("compressed body", ("content-encoding", "gzip"), 415, "unsupported_encoding"),
        with("100 MB announced", ("content-length", "104857600"), 413, "body_too_large"),
    ]
}

async fn without_events(harness: &Harness) -> Vec<(&'static str, Seen, u16, &'static str)> {
    let bearer = format!("Bearer {}", harness.acme);
    let send = async |request: Vec<u8>| client::raw(harness.address, &request).await;
    let flood: Vec<(String, String)> = (0..500).map(|n| (format!("x-flood-{n}"), "v".to_owned())).collect();
    let flood: Vec<(&str, &str)> = flood.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let long = "v".repeat(200_000);
    vec![
        ("unknown path", send(client::request("GET", "/v1/completions", &[], b"")).await, 404, "unknown_path"),
        (
            "path of a provider",
            send(client::request("POST", "/v1/responses", &[("authorization", &bearer)], b"{}")).await,
            404,
            "unknown_path",
        ),
        ("path with dots", send(client::request("POST", "/v1/../v1/chat/completions", &[], b"{}")).await, 404, "unknown_path"),
        ("GET of chat", send(client::request("GET", "/v1/chat/completions", &[], b"")).await, 405, "wrong_method"),
        ("DELETE of metrics", send(client::request("DELETE", "/metrics", &[], b"")).await, 405, "wrong_method"),
        ("500 headers", send(client::request("POST", "/v1/chat/completions", &flood, b"{}")).await, 431, "-"),
        ("header of 200 kB", send(client::request("POST", "/v1/chat/completions", &[("x-long", &long)], b"{}")).await, 431, "-"),
        ("not HTTP", send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc".to_vec()).await, 400, "-"),
    ]
}

// Must show 7: code, status and event of every kind; and every refusal that has an id has exactly its two events.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_gets_a_stable_code_and_an_event() {
    let harness = Harness::start().await;
    let mut table = String::from("| input | status | code | event |\n| --- | --- | --- | --- |\n");
    let mut kinds = 0;
    let mut wrong = Vec::new();
    for (count, case) in bodies().into_iter().chain(heads()).enumerate() {
        let headers: Vec<(&str, &str)> = case.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let seen = harness.send_bytes(&headers, &case.body).await;
        if (seen.status, seen.code().as_str()) != (case.status, case.code) {
            wrong.push(format!("{}: {} {}", case.name, seen.status, seen.body));
            continue;
        }
        assert_eq!(seen.header("x-should-retry"), Some("false"), "{}", case.name);
        let events = harness.events_after(count + 1).await;
        let [.., request, outcome] = events.as_slice() else { panic!("{}", case.name) };
        let id = seen.header("x-request-id");
        assert!(id.is_some() && request.envelope.request_id.as_deref() == id, "{}", case.name);
        let custody_event::Kind::Outcome(fact) = &outcome.kind else { panic!("{}", case.name) };
        assert_eq!(
            (&*fact.class, fact.code.as_deref(), i64::from(fact.http_status)),
            ("refused", Some(case.code), i64::from(case.status)),
            "{}",
            case.name
        );
        assert_eq!(events.len(), 2 * (count + 1), "{}", case.name);
        let _ = writeln!(table, "| {} | {} | {} | {} at {} |", case.name, case.status, case.code, fact.class, fact.stage);
        kinds += 1;
    }
    for (name, seen, status, code) in without_events(&harness).await {
        if (seen.status, seen.code().as_str()) != (status, code) {
            wrong.push(format!("{name}: {} {}", seen.status, seen.body));
        }
        let _ = writeln!(table, "| {name} | {status} | {code} | none: no governed request |");
        kinds += 1;
    }
    let metrics = harness.get("/metrics", &[]).await.body;
    for counted in ["{code=\"unknown_path\"} 3", "{code=\"wrong_method\"} 2"] {
        assert!(metrics.contains(&format!("custody_refusals_total{counted}")), "{metrics}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(kinds >= 40, "{kinds}");
    assert_eq!(harness.model.count(), 0);
    println!("{table}");
    harness.stop().await;
}

// A body that trickles in, or never comes, holds its connection no longer than the bound.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_body_times_out_and_a_broken_one_is_recorded() {
    let harness = Harness::with(&[("custody.toml", "listen = ", "body_timeout_ms = 200\nlisten = ")]).await;
    let bearer = format!("Bearer {}", harness.acme);
    let head = client::request("POST", "/v1/chat/completions", &[("authorization", &bearer), ("content-length", "5000")], b"{\"model\":");
    let mut slow = TcpStream::connect(harness.address).await.unwrap();
    slow.write_all(&head).await.unwrap();
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(5), slow.read_to_end(&mut answer)).await.unwrap();
    let seen = client::parse(&answer);
    assert_eq!((seen.status, seen.code().as_str()), (408, "body_timeout"));
    let mut broken = TcpStream::connect(harness.address).await.unwrap();
    broken.write_all(&head).await.unwrap();
    drop(broken);
    let events = harness.events_after(2).await;
    let codes: Vec<_> = events
        .iter()
        .filter_map(|event| if let custody_event::Kind::Outcome(fact) = &event.kind { fact.code.as_deref() } else { None })
        .collect();
    assert_eq!(codes, ["body_timeout", "body_incomplete"]);
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_the_bound_are_told_to_come_back() {
    let harness = Harness::with(&[("custody.toml", "listen = ", "max_in_flight = 1\nlisten = ")]).await;
    let slow = harness.chat("support.answer", "simulate: delay_ms=300");
    let turned_away = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        harness.chat("support.answer", "hi").await
    };
    let (first, second) = tokio::join!(slow, turned_away);
    assert_eq!((first.status, second.status, second.code().as_str(), second.header("retry-after")), (200, 503, "overloaded", Some("1")));
    let metrics = harness.get("/metrics", &[]).await.body;
    assert!(metrics.contains("custody_refusals_total{code=\"overloaded\"} 1"), "{metrics}");
    harness.stop().await;
}
