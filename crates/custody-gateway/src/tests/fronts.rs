//! One request through both fronts: the same decisions, counts and cost, and the same trail but for the words of the form.

use custody_event::{Event, Kind};
use serde_json::Value;

use super::{
    frames::{frames, text},
    harness::{Harness, body, converse_body, kinds},
};

/// What a request's trail says, without what differs from one request to the next.
fn trail(events: &[Event]) -> Vec<String> {
    let facts = events.iter().map(|event| {
        let envelope = &event.envelope;
        let who =
            format!("{} {} {:?} {:?} {:?}", envelope.tenant, envelope.principal, envelope.capability, envelope.tags, envelope.api_key_id);
        let what = match &event.kind {
            Kind::Request(fact) => format!(
                "{} {} {:?} {:?} {} {:?} {:?}",
                fact.operation, fact.decision, fact.policy_ids, fact.requested, fact.messages, fact.max_output_tokens, fact.stream
            ),
            Kind::Prompt(fact) => format!("{} {} {:?} {}", fact.prompt_id, fact.version, fact.parts, fact.caller_system),
            Kind::Route(fact) => {
                format!("{} {:?} {:?} {:?} {:?}", fact.decision, fact.chosen, fact.reasons, fact.policy_ids, fact.parameters)
            }
            Kind::Invocation(fact) => format!(
                "{} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
                fact.status,
                fact.input_tokens,
                fact.cache_read_tokens,
                fact.output_tokens,
                fact.reasoning_tokens,
                fact.normaliser_version,
                fact.finish_reason,
                fact.output_bytes,
                fact.output_hash
            ),
            Kind::Validation(fact) => format!("{} {:?} {}", fact.status, fact.checks, fact.handling),
            Kind::Cost(fact) => format!("{fact:?}"),
            Kind::Outcome(fact) => format!("{} {:?} {} {} {:?}", fact.class, fact.code, fact.stage, fact.attempts, fact.delivered_bytes),
            _ => panic!("no part of a request"),
        };
        format!("{} {who} {what}", event.kind.name())
    });
    facts.collect()
}

/// What both fronts are asked: capability, text, options in either form.
const ASKED: [(&str, &str, &str, &str); 9] = [
    ("support.answer", "simulate: input_tokens=100 output_tokens=7 cache_read_tokens=40 reasoning_tokens=3", "", ""),
    ("docs.summarise", "hello", r#","max_tokens":12,"temperature":0.5"#, r#","inferenceConfig":{"maxTokens":12,"temperature":0.5}"#),
    ("support.answer", "hello", r#","metadata":{"team":"blue"}"#, r#","requestMetadata":{"team":"blue"}"#),
    ("ticket.classify", "hello", "", ""),
    ("ticket.classify", "simulate: empty=1", "", ""),
    ("support.answer", "simulate: status=503", "", ""),
    ("support.answer", "simulate: no_usage=1", "", ""),
    ("support.answer", "hello", r#","max_tokens":5000"#, r#","inferenceConfig":{"maxTokens":5000}"#),
    ("no.such", "hello", "", ""),
];

// PATH-03, PATH-09, PATH-11, PATH-14: the form changes nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_fronts_decide_count_and_charge_alike() {
    let harness = Harness::start().await;
    let mut seen_events = 0;
    let mut outcomes = 0;
    for (capability, words, openai_more, converse_more) in ASKED {
        for stream in [false, true] {
            let mut trails = Vec::new();
            let streamed = if stream { r#","stream":true"# } else { "" };
            let openai = body(capability, words, &format!("{openai_more}{streamed}"));
            harness.send(&harness.acme, &[], &openai).await;
            outcomes += 1;
            let events = harness.events_after(outcomes).await;
            trails.push(trail(&events[seen_events..]));
            seen_events = events.len();
            let operation = if stream { "converse-stream" } else { "converse" };
            let path = format!("/model/{capability}/{operation}");
            harness.bedrock(&harness.acme, &path, &[], converse_body(words, converse_more).as_bytes()).await;
            outcomes += 1;
            let events = harness.events_after(outcomes).await;
            let Kind::Request(request) = &events[seen_events].kind else { panic!("{:?}", kinds(&events)) };
            assert_eq!(&*request.dialect, "converse");
            trails.push(trail(&events[seen_events..]));
            seen_events = events.len();
            assert_eq!(trails[0], trails[1], "{words} {stream}");
        }
    }
    harness.stop().await;
}

// PATH-14: each form's own arithmetic, of the same counts; and the same words of the model.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn usage_is_told_in_each_forms_arithmetic() {
    let harness = Harness::start().await;
    let words = "simulate: input_tokens=100 output_tokens=7 cache_read_tokens=40 cache_write_tokens=10";
    let openai = harness.chat("support.answer", words).await.json();
    let converse = harness.converse("support.answer", words).await.json();
    let stream = harness.converse_stream("support.answer", words).await;
    let usage = &openai["usage"];
    let told =
        [&usage["prompt_tokens"], &usage["prompt_tokens_details"]["cached_tokens"], &usage["completion_tokens"], &usage["total_tokens"]];
    assert_eq!(told.map(Value::as_u64), [Some(100), Some(40), Some(7), Some(107)]);
    let frames = frames(&stream.bytes);
    for usage in [&converse["usage"], &frames[frames.len() - 1].payload["usage"]] {
        let names = ["inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens", "outputTokens", "totalTokens"];
        assert_eq!(names.map(|name| usage[name].as_u64()), [Some(50), Some(40), Some(10), Some(7), Some(107)]);
    }
    let said = openai["choices"][0]["message"]["content"].as_str();
    assert_eq!((said, said), (converse["output"]["message"]["content"][0]["text"].as_str(), Some(text(&frames).as_str())));
    harness.stop().await;
}

// PRN-11: no text of requests, answers, users, keys or made-up names in an error or at rest, at this front either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_payload_text_or_key_is_told_or_kept() {
    use custody_log::LogReader as _;
    for canary in ["canary-4111-1111-1111-1111", "canary.doe@example.com", "sk-live-4eC39HqLyjWDarjtT1zdp7dc"] {
        let harness = Harness::start().await;
        let model = format!("/model/{canary}/converse");
        let answer = "/model/support.answer/converse-stream";
        let hi = converse_body(canary, "");
        let signed = format!("AWS4-HMAC-SHA256 Credential={canary}/x, Signature={canary}");
        let errors = [
            harness.bedrock(&harness.acme, &model, &[("amz-sdk-invocation-id", canary)], hi.as_bytes()).await,
            harness.bedrock(&harness.acme, &format!("{model}%"), &[], hi.as_bytes()).await,
            harness.bedrock(&harness.acme, answer, &[], converse_body(canary, &format!(r#","{canary}":1"#)).as_bytes()).await,
            harness.bedrock(&harness.acme, answer, &[], format!("{{\"{canary}\":1").as_bytes()).await,
            harness.bedrock(&harness.acme, answer, &[("x-tenant", canary)], hi.as_bytes()).await,
            harness.bedrock(canary, answer, &[], hi.as_bytes()).await,
            super::client::raw(harness.address, &super::client::request("POST", answer, &[("authorization", &signed)], b"{}")).await,
            harness.converse("support.answer", &format!("simulate: status=500 {canary}")).await,
            harness.converse_stream("support.answer", &format!("simulate: output_tokens=40 cut_after=2 {canary}")).await,
        ];
        for seen in &errors {
            assert!(!seen.body.contains(canary) && !seen.body.contains(&harness.acme), "{}", seen.body);
            assert!(seen.headers.iter().all(|(_, value)| !value.contains(canary)));
        }
        let records = harness.journal.reader(custody_types::LogPosition::START).read(16 << 20, std::time::Duration::ZERO).await.unwrap();
        let metrics = harness.get("/metrics", &[]).await.body;
        for bytes in records.iter().map(|record| record.payload.as_ref()).chain([metrics.as_bytes()]) {
            assert!(!bytes.windows(canary.len()).any(|window| window == canary.as_bytes()));
        }
        assert!(records.len() > 15);
        harness.stop().await;
    }
}
