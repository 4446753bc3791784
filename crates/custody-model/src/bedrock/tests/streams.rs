//! Streams, whole and broken.

use custody_dialect::{FinishReason, GuardrailPolicy, Reasoning};

use super::{
    fake::{event, exception, frame},
    *,
};

const USAGE: &str = r#""usage":{"inputTokens":21,"outputTokens":9,"totalTokens":30}"#;

fn text_delta(text: &str) -> Vec<u8> {
    event("contentBlockDelta", &format!(r#"{{"contentBlockIndex":0,"delta":{{"text":"{text}"}},"p":"abc"}}"#))
}

fn stop(reason: &str) -> Vec<u8> {
    event("messageStop", &format!(r#"{{"stopReason":"{reason}"}}"#))
}

fn metadata() -> Vec<u8> {
    event("metadata", &format!(r#"{{{USAGE},"metrics":{{"latencyMs":417}},"serviceTier":{{"type":"flex"}}}}"#))
}

fn start() -> Vec<u8> {
    event("messageStart", r#"{"role":"assistant"}"#)
}

#[tokio::test]
async fn a_stream_comes_back_whole() {
    let block = |index: u32, delta: &str| event("contentBlockDelta", &format!(r#"{{"contentBlockIndex":{index},"delta":{delta}}}"#));
    let tool = |index: u32, id: &str| {
        event(
            "contentBlockStart",
            &format!(r#"{{"contentBlockIndex":{index},"start":{{"toolUse":{{"toolUseId":"{id}","name":"find"}}}}}}"#),
        )
    };
    let end = |index: u32| event("contentBlockStop", &format!(r#"{{"contentBlockIndex":{index}}}"#));
    let frames = [
        start(),
        block(0, r#"{"reasoningContent":{"text":"hm"}}"#),
        block(0, r#"{"reasoningContent":{"signature":"c2ln"}}"#),
        end(0),
        block(1, r#"{"text":"one "}"#),
        event("somethingNew", r#"{"x":1}"#),
        block(1, r#"{"text":"two"}"#),
        block(1, r#"{"somethingElse":1}"#),
        end(1),
        tool(2, "a"),
        block(2, r#"{"toolUse":{"input":"{\"b\":1,"}}"#),
        block(2, r#"{"toolUse":{"input":"\"a\":2}"}}"#),
        end(2),
        tool(3, "b"),
        end(3),
        stop("tool_use"),
        metadata(),
    ];
    let fake = Fake::stream(&frames).await;
    let (answer, error, done) = streamed(&model(&fake).await).await;
    assert_eq!((text(&answer), error, done, answer.finish), ("one two", None, true, Some(FinishReason::ToolCalls)));
    let calls: Vec<_> = answer.tool_calls.iter().map(|call| (call.id.expose(), call.arguments.expose())).collect();
    assert_eq!(calls, [("a", r#"{"b":1,"a":2}"#), ("b", "{}")]);
    let signed = Reasoning::Text { text: SensitiveText::new("hm"), signature: Some(SensitiveText::new("c2ln")) };
    assert_eq!(answer.reasoning, [signed]);
    let usage = answer.usage.unwrap();
    assert_eq!(usage.converse.unwrap().input_tokens, Some(21));
    assert_eq!(&*usage.json, r#"{"inputTokens":21,"outputTokens":9,"totalTokens":30}"#);
    assert_eq!((answer.details.latency_ms, answer.details.service_tier.as_deref()), (Some(417), Some("flex")));
    assert!(fake.asked()[0].head.starts_with("post /model/eu.anthropic.claude-x-v1%3a0/converse-stream http/1.1"));
}

#[tokio::test]
async fn usage_may_be_left_out() {
    let fake = Fake::stream(&[start(), text_delta("x"), stop("end_turn")]).await;
    let (answer, error, done) = streamed(&model(&fake).await).await;
    assert_eq!((text(&answer), error, done, answer.usage.is_none()), ("x", None, true, true));
    // The provider states no usage: that is unknown, not nothing.
    let fake = Fake::stream(&[start(), text_delta("x"), stop("end_turn"), event("metadata", r#"{"metrics":{"latencyMs":1}}"#)]).await;
    let (answer, error, done) = streamed(&model(&fake).await).await;
    assert_eq!((error, done, answer.usage), (None, true, None));
}

#[tokio::test]
async fn an_answer_whose_usage_does_not_come_is_not_kept_waiting_for_it() {
    let fake = Fake::endless(&[start(), text_delta("x"), stop("end_turn")]).await;
    let started = Instant::now();
    let (answer, error, done) = streamed(&model(&fake).await).await;
    assert_eq!((text(&answer), error, done, answer.usage.is_none()), ("x", None, true, true));
    assert!(started.elapsed() < SOON);
}

#[tokio::test]
async fn each_break_is_told_apart() {
    let half = text_delta("half");
    let cut = [start(), half.clone()].concat();
    let mut bad = stop("end_turn");
    let last = bad.len() - 1;
    bad[last] ^= 1;
    let mut lying = stop("end_turn");
    lying[..4].copy_from_slice(&200_000_u32.to_be_bytes());
    let giant = text_delta(&"x".repeat(2 << 20));
    let cases: [(Vec<u8>, ErrorKind); 6] = [
        (cut.clone(), ErrorKind::Cut),
        ([cut.clone(), half[..9].to_vec()].concat(), ErrorKind::Cut),
        ([cut.clone(), bad].concat(), ErrorKind::Garbage),
        ([cut.clone(), lying].concat(), ErrorKind::Garbage),
        ([cut.clone(), giant[..200].to_vec()].concat(), ErrorKind::TooLarge),
        ([cut.clone(), event("contentBlockDelta", "{")].concat(), ErrorKind::Garbage),
    ];
    for (place, (bytes, kind)) in cases.into_iter().enumerate() {
        let fake = Fake::stream(&[bytes]).await;
        let (answer, error, done) = streamed(&model(&fake).await).await;
        let error = error.unwrap();
        assert_eq!((error.kind, done, text(&answer)), (kind, false, "half"), "{place}");
        assert_eq!((error.http_status, error.provider_request_id.as_deref(), error.may_be_charged()), (Some(200), Some("req-1"), true));
    }
    let long: Vec<Vec<u8>> = std::iter::once(start()).chain((0..200).map(|_| text_delta(&"x".repeat(1_000)))).collect();
    let (_, error, _) = streamed(&model(&Fake::stream(&long).await).await).await;
    assert_eq!(error.unwrap().kind, ErrorKind::TooLarge);
}

#[tokio::test]
async fn a_pause_is_bounded_wherever_it_is() {
    let model_of = async |fake: &Fake| model(fake).await;
    let nothing = Fake::saying(Vec::new(), true).await;
    let late = streamed(&model_of(&nothing).await).await.1.unwrap();
    assert_eq!((late.kind, late.caller_status()), (ErrorKind::TimedOut(TimeoutPhase::FirstToken), 504));
    let head = Fake::endless(&[start()]).await;
    assert_eq!(streamed(&model_of(&head).await).await.1.unwrap().kind, ErrorKind::TimedOut(TimeoutPhase::FirstToken));
    let half = Fake::endless(&[start(), text_delta("half")]).await;
    let (answer, error, _) = streamed(&model_of(&half).await).await;
    assert_eq!((error.unwrap().kind, text(&answer)), (ErrorKind::TimedOut(TimeoutPhase::Idle), "half"));
    assert_eq!(model_of(&nothing).await.call(hello()).await.unwrap_err().kind, ErrorKind::TimedOut(TimeoutPhase::Total));
}

// REFERENCE 1.1: HTTP said 200, and an exception comes as an event. Its message may quote the payload.
#[tokio::test]
async fn an_exception_inside_a_stream_keeps_its_name_and_no_message() {
    let said = r#"{"message":"the card is 4111"}"#;
    let cases = [
        ("throttlingException", "upstream_throttled", 429, true),
        ("validationException", "upstream_invalid_request", 400, false),
        ("modelStreamErrorException", "upstream_model_failed", 502, true),
        ("internalServerException", "upstream_unavailable", 502, true),
        ("serviceUnavailableException", "upstream_unavailable", 503, true),
        ("brandNewException", "upstream_error_in_stream", 502, true),
    ];
    use custody_types::Fault;
    for (name, code, status, retryable) in cases {
        let fake = Fake::stream(&[start(), text_delta("half"), exception(name, said)]).await;
        let (answer, error, _) = streamed(&model(&fake).await).await;
        let error = error.unwrap();
        assert_eq!((error.code(), error.caller_status(), error.retryable()), (code, status, retryable), "{name}");
        assert_eq!((error.status(), error.may_be_charged(), text(&answer)), ("cut", true, "half"));
        assert_eq!((error.provider_error.kind.as_deref(), error.provider_error.code.as_deref()), (Some(name), None));
        assert!(!format!("{error:?}").contains("4111"));
    }
    let fake = Fake::stream(&[start(), frame([(":message-type", "error"), (":error-code", "InternalFailure")], "")]).await;
    let error = streamed(&model(&fake).await).await.1.unwrap();
    assert_eq!((error.kind, error.provider_error.kind.as_deref()), (ErrorKind::ErrorInStream, Some("InternalFailure")));
}

// REFERENCE 1.6: the trace quotes what it found and the answer before masking.
#[tokio::test]
async fn a_guardrail_block_is_an_answer_and_its_trace_keeps_no_text() {
    let trace = r#"{"usage":{"inputTokens":0,"outputTokens":0,"totalTokens":0},"metrics":{"latencyMs":1},"trace":{"guardrail":{
        "modelOutput":["the card is 4111"],
        "outputAssessments":{"gr1":[{"sensitiveInformationPolicy":{"piiEntities":[
            {"match":"4111","type":"CREDIT_DEBIT_CARD_NUMBER","action":"BLOCKED","detected":true},
            {"match":"4112","type":"CREDIT_DEBIT_CARD_NUMBER","action":"BLOCKED","detected":true}],"regexes":[]},
            "topicPolicy":{"topics":[{"name":"Money Advice","type":"DENY","action":"NONE","detected":true}]},
            "invocationMetrics":{"guardrailProcessingLatency":12,"usage":{"topicPolicyUnits":1,"wordPolicyUnits":0}},
            "appliedGuardrailDetails":{"guardrailVersion":"3","guardrailOrigin":["REQUEST"]}}]}}}}"#;
    let fake = Fake::stream(&[start(), text_delta("Sorry."), stop("guardrail_intervened"), event("metadata", trace)]).await;
    let (answer, error, done) = streamed(&model(&fake).await).await;
    assert_eq!((text(&answer), error, done, answer.finish), ("Sorry.", None, true, Some(FinishReason::GuardrailIntervened)));
    let assessment = &answer.details.guardrails[0];
    assert_eq!((assessment.guardrail.as_deref(), assessment.version.as_deref(), assessment.latency_ms), (Some("gr1"), Some("3"), Some(12)));
    let units: Vec<(&str, u64)> = assessment.units.iter().map(|(name, count)| (&**name, *count)).collect();
    assert_eq!(units, [("topicPolicyUnits", 1), ("wordPolicyUnits", 0)]);
    let found: Vec<_> = assessment.findings.iter().map(|one| (one.policy, one.action.as_deref(), one.count)).collect();
    let expected = [(GuardrailPolicy::Topic, Some("NONE"), 1), (GuardrailPolicy::SensitiveInformation, Some("BLOCKED"), 2)];
    assert_eq!(found, expected);
    assert!(!format!("{:?}", answer.details).contains("411"));
}
