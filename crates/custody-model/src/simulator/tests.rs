use std::sync::Arc;

use custody_dialect::{Assembler, ChatAnswer, ChatRequest, FinishReason, Message, Role, openai};
use custody_types::SensitiveText;

use super::*;

fn call(text: &str) -> ModelCall {
    call_with(text, "{}")
}

fn call_with(text: &str, response_format: &str) -> ModelCall {
    let message = Message::text(Role::User, SensitiveText::new(text));
    let mut request = ChatRequest { messages: vec![message], ..ChatRequest::default() };
    let format = serde_json::value::RawValue::from_string(response_format.to_owned()).unwrap();
    request.options.response_format = Some(custody_dialect::SensitiveJson::new(format));
    ModelCall { request: Arc::new(request), model: "sim".parse().unwrap(), end_user: None, labels: None, request_id: "r-1".into() }
}

async fn streamed(text: &str) -> (ChatAnswer, usize, Option<ModelError>) {
    let mut stream = Simulator.stream(call(text)).await.unwrap();
    let (mut assembler, mut batches, mut error) = (Assembler::new(1 << 20), 0, None);
    while let Some(batch) = stream.next().await {
        batches += 1;
        match batch {
            Ok(events) => events.iter().try_for_each(|event| assembler.add(event)).unwrap(),
            Err(failed) => error = Some(failed),
        }
    }
    (assembler.into_answer(), batches, error)
}

fn text(answer: &ChatAnswer) -> &str {
    answer.text.as_ref().map_or("", |text| text.expose())
}

#[tokio::test]
async fn every_answer_says_that_it_is_simulated() {
    for directive in ["hello", "simulate: output_tokens=1", "simulate: output_tokens=5000"] {
        let answer = Simulator.call(call(directive)).await.unwrap().answer;
        assert!(text(&answer).starts_with("[simulator]") && text(&answer).contains("not from a model"), "{}", text(&answer));
        assert_eq!(answer.model_used.as_deref(), Some("simulator"));
    }
}

#[tokio::test]
async fn a_streamed_answer_is_the_plain_answer() {
    for directive in ["hello there", "simulate: output_tokens=3", "simulate: output_tokens=1999 chunk_words=7", "simulate: tool_call=1"] {
        let plain = Simulator.call(call(directive)).await.unwrap().answer;
        assert_eq!(streamed(directive).await.0, plain, "{directive}");
    }
}

/// LOG-11: what the directive says is what the usage says, exactly.
#[tokio::test]
async fn usage_is_what_was_told() {
    let told = "simulate: input_tokens=4808 output_tokens=10 cache_read_tokens=4000 cache_write_tokens=5 reasoning_tokens=2";
    let usage = Simulator.call(call(told)).await.unwrap().answer.usage.unwrap();
    assert_eq!((usage.prompt_tokens, usage.completion_tokens, usage.total_tokens), (Some(4808), Some(10), Some(4818)));
    assert_eq!((usage.cached_tokens, usage.cache_write_tokens, usage.reasoning_tokens), (Some(4000), Some(5), Some(2)));
    let raw = serde_json::value::RawValue::from_string(usage.json.to_string()).unwrap();
    assert_eq!(custody_dialect::RawUsage::from_json(&raw), Some(usage));
    let counted = Simulator.call(call("three words here")).await.unwrap().answer.usage.unwrap();
    assert_eq!((counted.prompt_tokens, counted.completion_tokens), (Some(3), Some(24)));
}

#[tokio::test]
async fn text_is_bounded_while_usage_is_not() {
    let answer = Simulator.call(call("simulate: output_tokens=1000000")).await.unwrap().answer;
    assert_eq!(text(&answer).split(' ').count(), 2_000);
    assert_eq!(answer.usage.unwrap().completion_tokens, Some(1_000_000));
}

#[tokio::test]
async fn faults_come_as_told() {
    let refused = Simulator.call(call("simulate: status=429 retry_after_s=3")).await.unwrap_err();
    assert_eq!((refused.kind, refused.http_status), (ErrorKind::Refused { status: 429 }, Some(429)));
    assert_eq!(refused.retry_after, Some(std::time::Duration::from_secs(3)));
    for (directive, kind) in
        [("cut_after=2", ErrorKind::Cut), ("error_after=2", ErrorKind::ErrorInStream), ("garbage=1", ErrorKind::Garbage)]
    {
        let directive = format!("simulate: output_tokens=100 {directive}");
        assert_eq!(Simulator.call(call(&directive)).await.unwrap_err().kind, kind);
        let (partial, batches, error) = streamed(&directive).await;
        assert_eq!(error.map(|error| error.kind), Some(kind), "{directive}");
        assert_eq!(batches, if kind == ErrorKind::Garbage { 2 } else { 4 });
        assert!(partial.usage.is_none() && partial.finish.is_none());
    }
    assert_eq!(Simulator.call(call("simulate: no_usage=1")).await.unwrap().answer.usage, None);
    assert!(Simulator.call(call("simulate: empty=1")).await.unwrap().answer.is_empty());
    assert_eq!(Simulator.call(call("simulate: finish=length")).await.unwrap().answer.finish, Some(FinishReason::Length));
}

#[tokio::test]
async fn a_slip_in_a_directive_is_refused() {
    for slip in ["simulate: output_token=1", "simulate: status=200", "simulate: input_tokens=-1", "simulate: garbage=yes"] {
        assert_eq!(Simulator.call(call(slip)).await.unwrap_err().kind, ErrorKind::Refused { status: 400 }, "{slip}");
    }
    assert_eq!(Directive::parse("simulate: delay_ms=1 and then a=b").unwrap().delay_ms, 1);
    assert_eq!(Directive::parse("please simulate: status=500"), Ok(Directive::default()));
}

#[tokio::test]
async fn the_output_limit_shortens_the_answer() {
    let mut call = call("simulate: output_tokens=50");
    Arc::get_mut(&mut call.request).unwrap().options.max_output_tokens = Some(20);
    let answer = Simulator.call(call).await.unwrap().answer;
    assert_eq!((answer.finish, answer.usage.unwrap().completion_tokens), (Some(FinishReason::Length), Some(20)));
}

#[tokio::test]
async fn a_schema_is_filled() {
    let schema = r#"{"type":"json_schema","json_schema":{"name":"x","schema":{"type":"object","additionalProperties":false,
        "required":["category","confidence","tags","note"],"properties":{"category":{"enum":["billing","other"]},
        "confidence":{"type":"number","minimum":0.5},"tags":{"type":"array","minItems":2,"items":{"type":"string"}},
        "note":{"type":["string","null"]},"ok":{"type":"boolean"}}}}}"#;
    let answer = Simulator.call(call_with("classify", schema)).await.unwrap().answer;
    let filled = r#"{"category":"billing","confidence":0.5,"tags":["simulated","simulated"],"note":"simulated","ok":false}"#;
    assert_eq!(text(&answer), filled);
}

#[tokio::test]
async fn the_last_users_directive_counts() {
    let body = br#"{"model":"m","messages":[{"role":"user","content":"simulate: status=500"},{"role":"assistant","content":"x"},
        {"role":"user","content":[{"type":"text","text":"simulate: output_tokens=9\nbody=here"}]}]}"#;
    let request = openai::parse_chat_request(body, &openai::Limits::default()).unwrap();
    assert_eq!(Directive::of(&request).unwrap().output_tokens, Some(9));
}
