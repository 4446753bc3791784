//! What must hold for all bytes and all conversations in the Converse form, not for some.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use custody_dialect::{
    Assembler, ChatAnswer, ChatRequest, Content, Delta, FinishReason, Message, Part, Reasoning, ReasoningDelta, Role, StreamEvent,
    ToolCall, ToolCallDelta, UpstreamError,
    converse::{EventWriter, Limits, StreamDecoder, parse_answer, parse_request, render_answer, render_request},
    openai::{StreamLimits, UpstreamCall, parse_chat_request, render_chat_request},
};
use custody_types::SensitiveText;
use proptest::prelude::*;
use serde_json::{Value, json};

const REQUEST: &[u8] = include_bytes!("golden/converse_request/everything.in.json");
const ANSWER: &[u8] = include_bytes!("golden/converse_answer/everything.in.json");
const OPENAI: &[u8] = include_bytes!("golden/openai_request_to_converse/everything.in.json");

/// Words of the form, so that made-up JSON gets past the first field.
const WORDS: [&str; 30] = [
    "messages",
    "role",
    "content",
    "user",
    "assistant",
    "text",
    "image",
    "document",
    "format",
    "source",
    "bytes",
    "png",
    "AAAA",
    "name",
    "toolUse",
    "toolResult",
    "toolUseId",
    "input",
    "status",
    "system",
    "toolConfig",
    "tools",
    "toolSpec",
    "inputSchema",
    "json",
    "cachePoint",
    "reasoningContent",
    "output",
    "message",
    "usage",
];

fn text(text: impl Into<String>) -> SensitiveText {
    SensitiveText::new(text)
}

fn some_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(&WORDS[..]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 48, 6, move |inner| {
        let list = prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from);
        let object = prop::collection::vec((word.clone(), inner), 0..5);
        prop_oneof![list, object.prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())]
    })
}

fn mutate(bytes: &[u8], changes: &[(prop::sample::Index, u8, bool)]) -> Vec<u8> {
    let mut mutated = bytes.to_vec();
    for (at, byte, insert) in changes {
        let at = at.index(mutated.len());
        if *insert { mutated.insert(at, *byte) } else { mutated[at] = *byte }
    }
    mutated
}

fn read_all(bytes: &[u8]) {
    let limits = Limits::default();
    for stream in [false, true] {
        if let Ok(request) = parse_request("m", bytes, stream, &limits) {
            // What was accepted can be said to both kinds of provider.
            let call = UpstreamCall { model: "m", end_user: None, stream, old_max_tokens: false };
            assert!(!render_chat_request(&request, &call).is_empty());
            drop(render_request(&request, &BTreeMap::new()));
        }
    }
    if let Ok(request) = parse_chat_request(bytes, &limits) {
        drop(render_request(&request, &BTreeMap::new()));
    }
    if let Ok(answer) = parse_answer(bytes) {
        assert!(!render_answer(&answer, 1).is_empty());
    }
    let mut decoder = StreamDecoder::new(StreamLimits::default());
    drop(decoder.feed(bytes, &mut Vec::new()));
    for name in ["messageStart", "contentBlockStart", "contentBlockDelta", "messageStop", "metadata", "else"] {
        let mut decoder = StreamDecoder::new(StreamLimits::default());
        decoder.event("messageStart", b"{}", &mut Vec::new()).unwrap();
        drop(decoder.event(name, bytes, &mut Vec::new()));
    }
}

/// What a conversation says: who, what, which calls and which results. Whose message a thing stands in is left out, because
/// Converse joins messages of one side.
fn said(request: &ChatRequest) -> Vec<(&'static str, String)> {
    let mut said = Vec::new();
    for message in &request.messages {
        let side = if message.role == Role::Tool { "result" } else { message.role.as_str() };
        let texts: Vec<String> = match &message.content {
            Content::None => Vec::new(),
            Content::Text(text) => vec![text.expose().to_owned()],
            Content::Parts(parts) => {
                parts.iter().filter_map(|part| if let Part::Text(text) = part { Some(text.expose().to_owned()) } else { None }).collect()
            }
        };
        if let Some(id) = &message.tool_call_id {
            said.push(("for", id.expose().to_owned()));
        }
        said.extend(texts.into_iter().filter(|text| !text.trim().is_empty()).map(|text| (side, text)));
        for call in message.calls("").unwrap() {
            let arguments: Value = serde_json::from_str(call.arguments.expose()).unwrap();
            said.push(("call", format!("{} {} {arguments}", call.id.expose(), call.name.expose())));
        }
    }
    said
}

fn conversation() -> impl Strategy<Value = Value> {
    let exchange = (".{1,12}", ".{0,12}", prop::collection::vec(("[a-z]{1,9}", any::<i32>(), ".{0,9}"), 0..3));
    prop::collection::vec(exchange, 1..5).prop_map(|exchanges| {
        let mut messages = Vec::new();
        for (turn, (asked, answered, calls)) in exchanges.into_iter().enumerate() {
            messages.push(json!({"role": "user", "content": format!("q{asked}")}));
            let id = |at: usize| format!("call_{turn}_{at}");
            let call = |(at, (name, number, _)): (usize, &(String, i32, String))| {
                json!({"id": id(at), "type": "function", "function": {"name": name, "arguments": json!({"n": number}).to_string()}})
            };
            let wire: Vec<Value> = calls.iter().enumerate().map(call).collect();
            let mut said = json!({"role": "assistant", "content": format!("a{answered}")});
            if !wire.is_empty() {
                said["tool_calls"] = Value::from(wire);
            }
            messages.push(said);
            let results = calls.iter().enumerate();
            messages.extend(results.map(|(at, (_, _, result))| json!({"role": "tool", "tool_call_id": id(at), "content": result})));
        }
        messages.push(json!({"role": "user", "content": "last"}));
        json!({"model": "m", "messages": messages})
    })
}

fn answer() -> impl Strategy<Value = ChatAnswer> {
    let thought = prop_oneof![
        (".{1,9}", prop::option::of("[a-z]{1,9}"))
            .prop_map(|(thought, signature)| Reasoning::Text { text: text(thought), signature: signature.map(text) }),
        Just(Reasoning::Redacted(text("cmVk"))),
    ];
    let call = ("[a-z]{1,9}", "[a-z]{1,9}", any::<i32>()).prop_map(|(id, name, number)| ToolCall {
        id: text(id),
        name: text(name),
        arguments: text(json!({ "n": number }).to_string()),
    });
    let reasons: Vec<FinishReason> = FinishReason::ALL.into_iter().filter(|reason| *reason != FinishReason::Other).collect();
    let parts = (prop::collection::vec(thought, 0..3), prop::option::of(".{1,40}"), prop::collection::vec(call, 0..3));
    (parts, prop::sample::select(reasons)).prop_map(|((reasoning, said, tool_calls), finish)| ChatAnswer {
        reasoning,
        text: said.map(text),
        tool_calls,
        finish: Some(finish),
        ..ChatAnswer::default()
    })
}

/// An answer in pieces of a letter or two, as a provider might send it.
fn pieces(answer: &ChatAnswer) -> Vec<Delta> {
    let letters = |text: &SensitiveText| text.expose().chars().map(SensitiveText::new).collect::<Vec<_>>();
    let thought = |delta: ReasoningDelta| Delta { reasoning: Some(delta), ..Delta::default() };
    let tool = |delta: ToolCallDelta| Delta { tool_calls: vec![delta], ..Delta::default() };
    let mut all = Vec::new();
    for (index, reasoning) in (0_u32..).zip(&answer.reasoning) {
        let empty = ReasoningDelta { index, ..ReasoningDelta::default() };
        match reasoning {
            Reasoning::Redacted(bytes) => all.push(thought(ReasoningDelta { redacted: Some(bytes.clone()), ..empty })),
            Reasoning::Text { text, signature } => {
                all.extend(letters(text).into_iter().map(|piece| thought(ReasoningDelta { text: Some(piece), ..empty.clone() })));
                all.extend(signature.iter().map(|one| thought(ReasoningDelta { signature: Some(one.clone()), ..empty.clone() })));
            }
        }
    }
    all.extend(answer.text.iter().flat_map(letters).map(|piece| Delta { text: Some(piece), ..Delta::default() }));
    for (index, call) in (0_u32..).zip(&answer.tool_calls) {
        all.push(tool(ToolCallDelta { index, id: Some(call.id.clone()), name: Some(call.name.clone()), arguments: None }));
        let arguments = letters(&call.arguments).into_iter();
        all.extend(arguments.map(|piece| tool(ToolCallDelta { index, arguments: Some(piece), ..ToolCallDelta::default() })));
    }
    all
}

fn decode<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<StreamEvent>, Result<(), UpstreamError>) {
    let mut decoder = StreamDecoder::new(StreamLimits::default());
    let mut events = Vec::new();
    let result = pieces.into_iter().try_for_each(|piece| decoder.feed(piece, &mut events));
    (events, result.and_then(|()| decoder.end()))
}

#[test]
fn a_message_beyond_its_limit_is_refused_and_not_kept() {
    let mut decoder = StreamDecoder::new(StreamLimits { line_bytes: 100, stream_bytes: 1_000 });
    let mut head = 0x00ff_ffff_u32.to_be_bytes().to_vec();
    head.extend([0; 8]);
    let long = decoder.feed(&head, &mut Vec::new()).and_then(|()| decoder.feed(&[0; 101], &mut Vec::new()));
    assert!(matches!(long, Err(UpstreamError::LineTooLong { limit: 100 } | UpstreamError::Garbage)));
    let mut decoder = StreamDecoder::new(StreamLimits { line_bytes: 100, stream_bytes: 50 });
    assert_eq!(decoder.feed(&[0; 51], &mut Vec::new()), Err(UpstreamError::AnswerTooLong { limit: 50 }));
}

#[test]
fn what_a_decoder_holds_is_not_shown() {
    let mut decoder = StreamDecoder::new(StreamLimits::default());
    let mut frames = Vec::new();
    EventWriter::new().delta(&Delta { text: Some(text("canary")), ..Delta::default() }, &mut frames);
    decoder.feed(&frames[..frames.len() - 4], &mut Vec::new()).unwrap();
    assert!(!format!("{decoder:?}").contains("99, 97, 110"));
}

#[test]
fn the_systems_words_come_first_and_can_be_demoted() {
    let mut request = parse_request("m", REQUEST, false, &Limits::default()).unwrap();
    assert_eq!(request.messages[0].role, Role::System);
    assert_eq!(request.demote_system_messages("context: "), 2);
    assert!(request.messages.iter().all(|message| !message.role.is_instruction()));
    let kept = |message: &Message| matches!(&message.content, Content::Parts(parts) if parts.len() > 1);
    assert!(kept(&request.messages[0]));
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read_all(&bytes);
    }

    #[test]
    fn no_json_makes_a_reader_panic(json in some_json()) {
        read_all(json.to_string().as_bytes());
        read_all(json!({"messages": json}).to_string().as_bytes());
        read_all(json!({"messages": [{"role": "user", "content": json}]}).to_string().as_bytes());
    }

    #[test]
    fn no_near_miss_makes_a_reader_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..6),
    ) {
        for bytes in [REQUEST, ANSWER, OPENAI] {
            read_all(&mutate(bytes, &changes));
        }
    }

    #[test]
    fn a_conversation_says_the_same_in_both_forms(body in conversation()) {
        let asked = parse_chat_request(body.to_string().as_bytes(), &Limits::default()).unwrap();
        let rendered = render_request(&asked, &BTreeMap::new()).unwrap();
        let again = parse_request("m", &rendered, false, &Limits::default()).unwrap();
        prop_assert_eq!(said(&again), said(&asked));
        let turns: Value = serde_json::from_slice(&rendered).unwrap();
        let roles: Vec<&Value> = turns["messages"].as_array().unwrap().iter().map(|turn| &turn["role"]).collect();
        prop_assert!(roles.windows(2).all(|pair| pair[0] != pair[1]), "{roles:?}");
    }

    #[test]
    fn a_whole_answer_reads_as_the_answer_that_was_written(answer in answer()) {
        prop_assert_eq!(parse_answer(&render_answer(&answer, 1)).map(|read| ChatAnswer { details: answer.details.clone(), ..read }), Ok(answer));
    }

    #[test]
    fn a_stream_adds_up_to_the_whole_answer_however_it_is_split(answer in answer(), size in 1..200_usize) {
        let (mut writer, mut frames) = (EventWriter::new(), Vec::new());
        pieces(&answer).iter().for_each(|delta| writer.delta(delta, &mut frames));
        writer.stop(answer.finish.unwrap(), &mut frames);
        writer.metadata(&answer, 1, &mut frames);
        let (events, result) = decode(frames.chunks(size));
        prop_assert_eq!(result, Ok(()));
        let mut assembler = Assembler::new(1_000_000);
        events.iter().try_for_each(|event| assembler.add(event)).unwrap();
        let mut whole = assembler.into_answer();
        whole.details = answer.details.clone();
        prop_assert_eq!(whole, answer);
        prop_assert_eq!(events.last(), Some(&StreamEvent::Done));
    }

    #[test]
    fn an_answer_in_pieces_is_the_answer(answer in answer()) {
        let mut assembler = Assembler::new(1_000_000);
        answer.deltas().into_iter().try_for_each(|delta| assembler.add(&StreamEvent::Delta(delta))).unwrap();
        prop_assert_eq!(ChatAnswer { finish: answer.finish, ..assembler.into_answer() }, answer);
    }

    #[test]
    fn a_broken_stream_is_the_same_error_however_it_is_split(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..4),
        size in 1..200_usize,
    ) {
        let (mut writer, mut frames) = (EventWriter::new(), Vec::new());
        for said in ["hello", "world"] {
            writer.delta(&Delta { text: Some(text(said)), ..Delta::default() }, &mut frames);
        }
        writer.stop(FinishReason::Stop, &mut frames);
        let broken = mutate(&frames, &changes);
        prop_assert_eq!(decode(broken.chunks(size)), decode(std::iter::once(broken.as_slice())));
    }
}
