//! Golden files of the Converse form and of the way between both forms. GW-01, PATH-11, PATH-14.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod folder;

use std::{collections::BTreeMap, fmt::Write};

use aws_smithy_eventstream::frame::{read_message_from, write_message_to};
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use custody_dialect::{
    Assembler, ChatAnswer, StreamEvent, UpstreamError,
    converse::{EventWriter, Exception, Limits, StreamDecoder, exception_body, parse_answer, parse_request, render_answer, render_request},
    openai::{
        AnswerHead, ChunkWriter, StreamLimits, UpstreamCall, parse_chat_answer, parse_chat_request, render_chat_answer, render_chat_request,
    },
};
use custody_types::{Fault, TokenUsage};
use folder::{check, with_newline};

const HEAD: AnswerHead<'_> = AnswerHead { id: "chatcmpl-1", created: 1_700_000_000, model: "support.answer" };

fn labels() -> BTreeMap<String, String> {
    BTreeMap::from([("tenant".to_owned(), "acme".to_owned())])
}

fn failure(error: &UpstreamError) -> Vec<u8> {
    format!("{}: {error}: {error:?}\n", error.code()).into_bytes()
}

/// What is neither reasoning nor text of the answer; none of it may hold payload.
fn facts(answer: &ChatAnswer) -> Vec<u8> {
    let usage = answer.usage.as_ref().map_or("none", |usage| &usage.json);
    let mut facts = format!("model={:?} finish={:?} usage={usage}\n", answer.model_used, answer.finish);
    writeln!(facts, "{:#?}", answer.details).unwrap();
    assert!(!facts.contains("canary"), "{facts}");
    facts.into_bytes()
}

#[test]
fn a_converse_callers_request_becomes_an_openai_providers() {
    check("converse_request_to_openai", |body| {
        let request = parse_request("support.answer", body, false, &Limits::default()).unwrap();
        let call = UpstreamCall { model: "gpt-x", end_user: None, stream: request.stream, old_max_tokens: false };
        let mut out = with_newline(render_chat_request(&request, &call));
        out.extend(format!("tags={:?}\n", request.metadata).into_bytes());
        out
    });
}

#[test]
fn a_converse_callers_request_becomes_a_converse_providers() {
    check("converse_request", |body| {
        let request = parse_request("support.answer", body, true, &Limits::default()).unwrap();
        let rendered = render_request(&request, &BTreeMap::new()).unwrap();
        let again = parse_request("support.answer", &rendered, true, &Limits::default()).unwrap();
        assert_eq!(again.options, request.options);
        assert_eq!(render_request(&again, &BTreeMap::new()).unwrap(), rendered);
        with_newline(rendered)
    });
}

#[test]
fn an_openai_callers_request_becomes_a_converse_providers() {
    check("openai_request_to_converse", |body| {
        let request = parse_chat_request(body, &Limits::default()).unwrap();
        let rendered = render_request(&request, &labels()).unwrap();
        parse_request("m", &rendered, true, &Limits::default()).unwrap();
        with_newline(rendered)
    });
}

#[test]
fn what_converse_cannot_say_is_refused_and_not_quoted() {
    check("openai_request_not_converse", |body| {
        let request = parse_chat_request(body, &Limits::default()).unwrap();
        let error = render_request(&request, &BTreeMap::new()).unwrap_err();
        let shown = format!("{} {:?}: {error}\n", error.code(), error.param());
        assert!(!shown.contains("canary"), "{shown}");
        shown.into_bytes()
    });
}

/// Bad input: each mistake has its code and the service's form, and no answer repeats what was sent.
#[test]
fn a_converse_callers_mistake_is_named_and_not_quoted() {
    check("converse_mistake", |body| {
        let error = parse_request("support.answer", body, false, &Limits::default()).unwrap_err();
        let (kind, message) = (Exception::Validation, format!("{error} ({})", error.code()));
        let body = String::from_utf8(exception_body(&message)).unwrap();
        let shown = format!("{} {} {body}\n{:?}\n", kind.http_status(), kind.name(), error.param());
        assert!(!shown.contains("canary"), "{shown}");
        shown.into_bytes()
    });
}

#[test]
fn a_converse_providers_answer_becomes_ours() {
    check("converse_answer", |body| match parse_answer(body) {
        Err(error) => failure(&error),
        Ok(answer) => {
            let mut out = with_newline(render_answer(&answer, 7));
            out.extend(with_newline(render_chat_answer(&HEAD, &answer)));
            out.extend(facts(&answer));
            out
        }
    });
}

#[test]
fn an_openai_providers_answer_becomes_a_converse_callers() {
    check("openai_answer_to_converse", |body| with_newline(render_answer(&parse_chat_answer(body).unwrap(), 7)));
}

/// Whoever answered, each caller gets its own arithmetic, from the normalised counts where there are any.
#[test]
fn each_caller_is_told_the_usage_in_its_own_arithmetic() {
    let counts = TokenUsage { input: 100, cache_read: 60, cache_write_5m: 10, cache_write_1h: 5, output: 20, reasoning: 8 };
    let body = br#"{"output":{"message":{"role":"assistant","content":[{"text":"x"}]}},"stopReason":"end_turn","usage":{"inputTokens":100,
        "outputTokens":20,"totalTokens":120,"cacheDetails":[{"ttl":"1h","inputTokens":5},{"ttl":"5m","inputTokens":10}]}}"#;
    let answer = ChatAnswer { counts: Some(counts), ..parse_answer(body).unwrap() };
    let usage = |body: Vec<u8>| serde_json::from_slice::<serde_json::Value>(&body).unwrap()["usage"].to_string();
    assert_eq!(
        usage(render_answer(&answer, 7)),
        r#"{"inputTokens":25,"outputTokens":20,"totalTokens":120,"cacheReadInputTokens":60,"cacheWriteInputTokens":15,"cacheDetails":[{"ttl":"1h","inputTokens":5},{"ttl":"5m","inputTokens":10}]}"#
    );
    assert_eq!(
        usage(render_chat_answer(&HEAD, &answer)),
        r#"{"prompt_tokens":100,"completion_tokens":20,"total_tokens":120,"prompt_tokens_details":{"cached_tokens":60,"cache_write_tokens":15},"completion_tokens_details":{"reasoning_tokens":8}}"#
    );
}

/// The input is one event a line, `name payload`, or `!name payload` for an exception.
fn frames(lines: &[u8]) -> Vec<u8> {
    let mut frames = Vec::new();
    for line in String::from_utf8(lines.to_vec()).unwrap().lines() {
        let (name, payload) = line.split_once(' ').unwrap();
        let (kind, header, name) = match name.strip_prefix('!') {
            Some(name) => ("exception", ":exception-type", name),
            None => ("event", ":event-type", name),
        };
        let message = Message::new(payload.to_owned().into_bytes())
            .add_header(Header::new(":message-type", HeaderValue::String(kind.into())))
            .add_header(Header::new(header, HeaderValue::String(name.to_owned().into())));
        write_message_to(&message, &mut frames).unwrap();
    }
    frames
}

fn shown(mut frames: &[u8]) -> Vec<u8> {
    let mut out = String::new();
    while !frames.is_empty() {
        let message = read_message_from(&mut frames).unwrap();
        for header in message.headers() {
            write!(out, "{}={} ", header.name().as_str(), header.value().as_string().unwrap().as_str()).unwrap();
        }
        writeln!(out, "{}", std::str::from_utf8(message.payload()).unwrap()).unwrap();
    }
    out.into_bytes()
}

#[test]
fn a_converse_providers_stream_becomes_ours() {
    check("converse_stream", |lines| {
        let mut decoder = StreamDecoder::new(StreamLimits::default());
        let mut events = Vec::new();
        let result = decoder.feed(&frames(lines), &mut events).and_then(|()| decoder.end());
        let (mut chunks, mut writer) = (ChunkWriter::new(&HEAD, true), EventWriter::new());
        let (mut sse, mut eventstream) = (Vec::new(), Vec::new());
        let mut assembler = Assembler::new(1_000_000);
        for event in &events {
            assembler.add(event).unwrap();
            let StreamEvent::Delta(delta) = event else { continue };
            chunks.delta(delta, &mut sse);
            writer.delta(delta, &mut eventstream);
        }
        let answer = assembler.answer();
        match &result {
            Ok(()) => {
                writer.stop(answer.finish.unwrap(), &mut eventstream);
                writer.metadata(answer, 7, &mut eventstream);
            }
            Err(_) => writer.exception(Exception::ModelError, "the model failed", &mut eventstream),
        }
        chunks.answer_usage(answer, &mut sse);
        let mut out = shown(&eventstream);
        out.extend_from_slice(b"=== for an OpenAI caller\n");
        out.extend(sse);
        out.extend_from_slice(b"=== assembled\n");
        out.extend(with_newline(render_answer(answer, 7)));
        out.extend(facts(answer));
        out.extend(result.err().iter().flat_map(failure));
        out
    });
}
