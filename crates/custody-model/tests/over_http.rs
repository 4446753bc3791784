//! The OpenAI-compatible adapter against a real server on loopback. PATH-11.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::{sync::Arc, time::Duration};

use custody_dialect::{Assembler, ChatAnswer, ChatRequest, Message, Role, StreamEvent};
use custody_model::{ErrorKind, Model, ModelCall, ModelError, OpenAiCompatible, OpenAiConfig, Simulator, TimeoutPhase};
use custody_testkit::upstream::Upstream;
use custody_types::{Fault, SensitiveText};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

fn call(text: &str) -> ModelCall {
    let message = Message::text(Role::User, SensitiveText::new(text));
    let request = ChatRequest { messages: vec![message], ..ChatRequest::default() };
    ModelCall {
        request: Arc::new(request),
        model: "gpt-x".parse().unwrap(),
        end_user: Some("p-1".into()),
        labels: None,
        request_id: "r-1".into(),
    }
}

fn config(base_url: String) -> OpenAiConfig {
    let mut config = OpenAiConfig::new(base_url);
    config.timeouts.first_token_ms = 200;
    config.timeouts.idle_ms = 200;
    config.timeouts.total_ms = 1_000;
    config
}

async fn started() -> (Upstream, OpenAiCompatible) {
    let upstream = Upstream::start().await.unwrap();
    let model = config(upstream.base_url()).build(Some(&SensitiveText::new("sk-test"))).unwrap();
    (upstream, model)
}

async fn streamed(model: &dyn Model, text: &str) -> (ChatAnswer, Option<ModelError>, bool) {
    let mut stream = model.stream(call(text)).await.unwrap();
    let (mut assembler, mut error, mut done) = (Assembler::new(1 << 20), None, false);
    while let Some(batch) = stream.next().await {
        match batch {
            Ok(events) => {
                assert!(!events.is_empty() && !done);
                done = events.last() == Some(&StreamEvent::Done);
                events.iter().try_for_each(|event| assembler.add(event)).unwrap();
            }
            Err(failed) => error = Some(failed),
        }
    }
    (assembler.into_answer(), error, done)
}

#[tokio::test]
async fn a_plain_answer_comes_back_whole() {
    let (upstream, model) = started().await;
    let answer = model.call(call("simulate: input_tokens=7 output_tokens=9")).await.unwrap();
    let simulated = Simulator.call(call("simulate: input_tokens=7 output_tokens=9")).await.unwrap();
    assert_eq!((&answer.answer.text, &answer.answer.usage), (&simulated.answer.text, &simulated.answer.usage));
    assert_eq!((answer.facts.http_status, answer.facts.provider_request_id.as_deref()), (200, Some("stub-1")));
    let seen = upstream.last().unwrap();
    assert_eq!(seen.headers["authorization"], "Bearer sk-test");
    assert_eq!(seen.headers["x-request-id"], "r-1");
    let sent: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!((&sent["model"], &sent["user"]), (&"gpt-x".into(), &"p-1".into()));
}

#[tokio::test]
async fn a_stream_comes_back_whole_and_its_connection_is_used_again() {
    let (upstream, model) = started().await;
    for _ in 0..5 {
        let (answer, error, done) = streamed(&model, "simulate: input_tokens=7 output_tokens=90").await;
        let simulated = Simulator.call(call("simulate: input_tokens=7 output_tokens=90")).await.unwrap().answer;
        assert_eq!((answer.text, answer.usage, answer.finish), (simulated.text, simulated.usage, simulated.finish));
        assert_eq!((error, done), (None, true));
    }
    assert_eq!((upstream.calls(), upstream.connections()), (5, 1));
}

#[tokio::test]
async fn a_stream_without_end_mark_or_usage_is_still_whole() {
    let (_upstream, model) = started().await;
    let (answer, error, done) = streamed(&model, "simulate: no_done=1 no_usage=1").await;
    assert_eq!((answer.usage, error, done), (None, None, true));
    let (answer, error, _) = streamed(&model, "simulate: tool_call=1").await;
    assert_eq!((answer.tool_calls.len(), error), (1, None));
}

#[tokio::test]
async fn a_refusal_keeps_status_code_and_advice() {
    let (_upstream, model) = started().await;
    for stream in [false, true] {
        let text = "simulate: status=429 retry_after_s=3";
        let refused = if stream { model.stream(call(text)).await.map(drop) } else { model.call(call(text)).await.map(drop) };
        let refused = refused.unwrap_err();
        assert_eq!((refused.kind, refused.http_status), (ErrorKind::Refused { status: 429 }, Some(429)));
        assert_eq!((refused.code(), refused.status(), refused.retryable()), ("upstream_throttled", "refused", true));
        assert_eq!(refused.retry_after, Some(Duration::from_secs(3)));
        assert_eq!(refused.provider_error.code.as_deref(), Some("simulated"));
        assert!(refused.provider_request_id.is_some() && !refused.may_be_charged());
    }
    let denied = model.call(call("simulate: status=401")).await.unwrap_err();
    assert_eq!((denied.code(), denied.caller_status(), denied.retryable()), ("upstream_denied", 502, false));
}

#[tokio::test]
async fn each_break_is_told_apart() {
    let (_upstream, model) = started().await;
    for (fault, kind) in [("cut_after=2", ErrorKind::Cut), ("error_after=2", ErrorKind::ErrorInStream), ("garbage=1", ErrorKind::Garbage)] {
        let text = format!("simulate: output_tokens=100 {fault}");
        let plain = model.call(call(&text)).await.unwrap_err();
        assert_eq!((plain.kind, plain.http_status, plain.may_be_charged()), (kind, Some(200), true), "{fault}");
        let (partial, error, done) = streamed(&model, &text).await;
        assert_eq!((error.map(|error| error.kind), done), (Some(kind), false), "{fault}");
        assert_eq!(partial.text.is_some(), kind != ErrorKind::Garbage);
    }
}

#[tokio::test]
async fn each_wait_has_its_bound() {
    let (_upstream, model) = started().await;
    let late = model.stream(call("simulate: delay_ms=5000")).await.unwrap_err();
    assert_eq!(late.kind, ErrorKind::TimedOut(TimeoutPhase::FirstToken));
    let late = model.call(call("simulate: delay_ms=5000")).await.unwrap_err();
    assert_eq!((late.kind, late.caller_status()), (ErrorKind::TimedOut(TimeoutPhase::Total), 504));
    let first = streamed(&model, "simulate: chunk_delay_ms=5000").await.1.unwrap();
    assert_eq!(first.kind, ErrorKind::TimedOut(TimeoutPhase::FirstToken));
    let slow = streamed(&model, "simulate: chunk_delay_ms=100 output_tokens=2000").await.1.unwrap();
    assert_eq!(slow.kind, ErrorKind::TimedOut(TimeoutPhase::Total));
}

#[tokio::test]
async fn a_pause_inside_an_answer_is_bounded() {
    let address = raw_server("HTTP/1.1 200 OK\r\n\r\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}}]}\n\n").await;
    let model = config(address).build(None).unwrap();
    let (answer, error, _) = streamed(&model, "hello").await;
    assert_eq!(error.unwrap().kind, ErrorKind::TimedOut(TimeoutPhase::Idle));
    assert_eq!(answer.text.unwrap().expose(), "x");
}

#[tokio::test]
async fn an_answer_too_large_is_refused_before_it_is_read() {
    let address = raw_server("HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n{").await;
    let model = config(address).build(None).unwrap();
    assert_eq!(model.call(call("hello")).await.unwrap_err().kind, ErrorKind::TooLarge);
    let (_upstream, mut small) = (Upstream::start().await.unwrap(), None);
    let mut bounded = config(_upstream.base_url());
    bounded.max_answer_bytes = 1_000;
    small.replace(bounded.build(None).unwrap());
    let (_, error, _) = streamed(&small.unwrap(), "simulate: output_tokens=2000").await;
    assert_eq!(error.unwrap().kind, ErrorKind::TooLarge);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (upstream, _) = started().await;
    let elsewhere = format!("HTTP/1.1 307 x\r\nlocation: {}/chat/completions\r\ncontent-length: 0\r\n\r\n", upstream.base_url());
    let model = config(raw_server(&elsewhere).await).build(None).unwrap();
    assert_eq!(model.call(call("hello")).await.unwrap_err().kind, ErrorKind::Refused { status: 307 });
    assert_eq!(upstream.calls(), 0);
}

#[tokio::test]
async fn what_answers_no_http_is_a_failure_and_nobody_home_is_another() {
    let model = config(raw_server("SSH-2.0-canary\r\n").await).build(None).unwrap();
    let failed = model.call(call("hello")).await.unwrap_err();
    assert_eq!((failed.kind, failed.may_be_charged()), (ErrorKind::Failed, true));
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let model = config(format!("http://{closed}/v1")).build(None).unwrap();
    let failed = model.call(call("hello")).await.unwrap_err();
    assert_eq!((failed.kind, failed.may_be_charged()), (ErrorKind::ConnectFailed, false));
}

#[test]
fn a_conversation_can_not_be_sent_anywhere_by_a_slip() {
    let mistakes = |base_url: &str, hosts: &[&str]| {
        let mut config = OpenAiConfig::new(base_url);
        config.egress_hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        config.build(None).err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert!(mistakes("http://models.example/v1", &["models.example"]).contains("plain http"));
    assert!(mistakes("https://models.example/v1", &[]).contains("egress_hosts: `models.example` is not listed"));
    assert!(mistakes("https://models.example.evil/v1", &["models.example"]).contains("not listed"));
    assert!(mistakes("https://user:pw@models.example/v1", &["models.example"]).contains("no user, password"));
    assert!(!mistakes("https://user:pw@models.example/v1", &[]).contains("pw@"));
    assert!(mistakes("ftp://localhost/v1", &[]).contains("scheme `ftp`"));
    assert!(mistakes("nonsense", &[]).contains("not a URL"));
    for fine in ["http://localhost:1/v1", "http://127.0.0.1:1", "http://[::1]:1/v1/"] {
        assert_eq!(mistakes(fine, &[]), "");
    }
    assert_eq!(mistakes("https://models.example/v1", &["Models.Example"]), "");
}

#[test]
fn every_mistake_is_told_in_one_run() {
    let mut config = OpenAiConfig::new("http://models.example");
    config.timeouts.idle_ms = 0;
    config.max_answer_bytes = 0;
    let error = config.build(Some(&SensitiveText::new("line\nbreak"))).unwrap_err();
    assert_eq!(error.mistakes.len(), 5, "{error}");
    assert!(!error.to_string().contains("break"));
}

/// A server that reads some bytes, says what it is told, and then keeps the connection open.
async fn raw_server(says: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let says = says.to_owned();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            let _ = socket.read(&mut buffer).await;
            let _ = socket.write_all(says.as_bytes()).await;
            kept.push(socket);
        }
    });
    format!("http://{address}/v1")
}
