//! Golden files of the OpenAI form. GW-01.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod folder;

use custody_dialect::{
    Assembler, StreamEvent, UpstreamError,
    openai::{
        AnswerHead, ChunkWriter, Limits, StreamDecoder, StreamLimits, UpstreamCall, parse_chat_answer, parse_chat_request,
        render_chat_answer, render_chat_request,
    },
};
use custody_types::Fault;
use folder::{check, with_newline};

const HEAD: AnswerHead<'_> = AnswerHead { id: "chatcmpl-1", created: 1_700_000_000, model: "support.answer" };

fn failure(error: &UpstreamError) -> Vec<u8> {
    format!("{}: {error}: {error:?}\n", error.code()).into_bytes()
}

#[test]
fn a_callers_request_becomes_a_providers() {
    check("caller_request", |body| {
        let request = parse_chat_request(body, &Limits::default()).unwrap();
        let call = UpstreamCall { model: "gpt-x", end_user: Some("pseudonym"), stream: request.stream, old_max_tokens: false };
        with_newline(render_chat_request(&request, &call))
    });
}

#[test]
fn a_rendered_request_reads_as_the_same_request() {
    check("caller_request_again", |body| {
        let request = parse_chat_request(body, &Limits::default()).unwrap();
        let call = UpstreamCall { model: &request.model, end_user: None, stream: request.stream, old_max_tokens: true };
        let again = parse_chat_request(&render_chat_request(&request, &call), &Limits::default()).unwrap();
        assert_eq!((again.messages, again.options), (request.messages, request.options));
        b"same\n".to_vec()
    });
}

/// Bad input: each mistake has its code, and no answer repeats what was sent.
#[test]
fn a_callers_mistake_is_named_and_not_quoted() {
    check("caller_mistake", |body| {
        let error = parse_chat_request(body, &Limits::default()).unwrap_err();
        let shown = format!("{} {} {:?}: {error}\n", error.http_status(), error.code(), error.param());
        assert!(!shown.contains("canary") || shown.contains("stream_options.canary"), "{shown}");
        shown.into_bytes()
    });
}

#[test]
fn a_providers_answer_becomes_ours() {
    check("upstream_answer", |body| match parse_chat_answer(body) {
        Err(error) => failure(&error),
        Ok(answer) => {
            let mut out = with_newline(render_chat_answer(&HEAD, &answer));
            let usage = answer.usage.as_ref().map_or("none", |usage| &usage.json);
            let facts = format!("id={:?} model={:?} finish={:?} usage={usage}\n", answer.upstream_id, answer.model_used, answer.finish);
            assert!(!facts.contains("canary"), "{facts}");
            out.extend(facts.into_bytes());
            out
        }
    });
}

#[test]
fn a_providers_stream_becomes_ours() {
    check("upstream_stream", |bytes| {
        let mut decoder = StreamDecoder::new(StreamLimits::default());
        let (mut events, mut out) = (Vec::new(), Vec::new());
        let result = decoder.feed(bytes, &mut events).and_then(|()| decoder.end());
        let mut writer = ChunkWriter::new(&HEAD, true);
        let mut assembler = Assembler::new(1_000_000);
        let added = events.iter().try_for_each(|event| assembler.add(event));
        for event in &events {
            match event {
                StreamEvent::Opened { .. } | StreamEvent::Details(_) => {}
                StreamEvent::Delta(delta) => writer.delta(delta, &mut out),
                StreamEvent::Usage(usage) => writer.usage(usage, &mut out),
                StreamEvent::Done => writer.done(&mut out),
            }
        }
        out.extend_from_slice(b"=== assembled\n");
        out.extend(with_newline(render_chat_answer(&HEAD, assembler.answer())));
        for error in [result.err(), added.err()].into_iter().flatten() {
            out.extend(failure(&error));
        }
        out
    });
}
