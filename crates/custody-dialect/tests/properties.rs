//! What must hold for all bytes, not for some.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use custody_dialect::{
    Assembler, SseReader, StreamEvent, UpstreamError,
    openai::{Limits, StreamDecoder, StreamLimits, parse_chat_answer, parse_chat_request, parse_error_body},
};
use proptest::prelude::*;

const STREAM: &[u8] = include_bytes!("golden/upstream_stream/crlf_comments_multiline.in.sse");
const TOOLS: &[u8] = include_bytes!("golden/upstream_stream/tools.in.sse");
const REQUEST: &[u8] = include_bytes!("golden/caller_request/everything.in.json");
const ANSWER: &[u8] = include_bytes!("golden/upstream_answer/tools.in.json");

fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<StreamEvent>, Result<(), UpstreamError>) {
    let mut decoder = StreamDecoder::new(StreamLimits::default());
    let mut events = Vec::new();
    let result = pieces.into_iter().try_for_each(|piece| decoder.feed(piece, &mut events));
    (events, result.and_then(|()| decoder.end()))
}

fn split<'a>(bytes: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

fn mutate(bytes: &[u8], changes: &[(prop::sample::Index, u8, bool)]) -> Vec<u8> {
    let mut mutated = bytes.to_vec();
    for (at, byte, insert) in changes {
        let at = at.index(mutated.len());
        if *insert { mutated.insert(at, *byte) } else { mutated[at] = *byte }
    }
    mutated
}

#[test]
fn every_single_split_gives_the_same_events() {
    for stream in [STREAM, TOOLS] {
        let whole = decode([stream]);
        for at in 0..=stream.len() {
            assert_eq!(decode([&stream[..at], &stream[at..]]), whole, "split at {at}");
        }
        assert_eq!(decode(stream.chunks(1)), whole);
    }
}

#[test]
fn a_line_or_an_event_beyond_its_limit_is_refused_and_not_kept() {
    let mut reader = SseReader::new(100);
    let endless = std::iter::repeat_n(b"data: aaaaaaaaa".as_slice(), 20).try_for_each(|piece| reader.feed(piece, |_| Ok(())));
    assert_eq!(endless, Err(UpstreamError::LineTooLong { limit: 100 }));
    let mut reader = SseReader::new(100);
    let many = std::iter::repeat_n(b"data: aaaaaaaaa\n".as_slice(), 20).try_for_each(|piece| reader.feed(piece, |_| Ok(())));
    assert_eq!(many, Err(UpstreamError::LineTooLong { limit: 100 }));
    let mut decoder = StreamDecoder::new(StreamLimits { line_bytes: 100, stream_bytes: 1_000 });
    let comments = std::iter::repeat_n(b": ping\n\n".as_slice(), 200).try_for_each(|piece| decoder.feed(piece, &mut Vec::new()));
    assert_eq!(comments, Err(UpstreamError::AnswerTooLong { limit: 1_000 }));
}

#[test]
fn an_assembled_answer_is_bounded() {
    let mut assembler = Assembler::new(2);
    let result = decode([TOOLS]).0.iter().try_for_each(|event| assembler.add(event));
    assert_eq!(result, Err(UpstreamError::AnswerTooLong { limit: 2 }));
}

proptest! {
    #[test]
    fn any_split_gives_the_same_events(cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12)) {
        for stream in [STREAM, TOOLS] {
            prop_assert_eq!(decode(split(stream, &cuts)), decode([stream]));
        }
    }

    #[test]
    fn a_broken_stream_is_the_same_error_however_it_is_split(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..4),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let broken = mutate(STREAM, &changes);
        prop_assert_eq!(decode(split(&broken, &cuts)), decode([broken.as_slice()]));
    }

    #[test]
    fn no_bytes_make_a_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = (parse_chat_request(&bytes, &Limits::default()), parse_chat_answer(&bytes), parse_error_body(&bytes), decode([bytes.as_slice()]));
    }

    #[test]
    fn no_near_miss_makes_a_parser_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..6),
    ) {
        let _ = parse_chat_request(&mutate(REQUEST, &changes), &Limits::default());
        let _ = parse_chat_answer(&mutate(ANSWER, &changes));
    }

    /// A refusal never repeats payload text, wherever the mistake is.
    #[test]
    fn no_error_quotes_the_payload(at in 0..6_usize) {
        let secret = "4111-1111";
        let bodies = [
            format!(r#"{{"model":"m","messages":"{secret}"}}"#),
            format!(r#"{{"model":["{secret}"],"messages":[]}}"#),
            format!(r#"{{"model":"m","messages":[{{"role":"{secret}","content":"x"}}]}}"#),
            format!(r#"{{"model":"m","messages":[{{"role":"user","content":"x","{secret}":1}}]}}"#),
            format!(r#"{{"model":"m","{secret}":1}}"#),
            format!(r#"{{"model":"m","messages":[{{"role":"user","content":"{secret}\ud800"}}]}}"#),
        ];
        let error = parse_chat_request(bodies[at].as_bytes(), &Limits::default()).unwrap_err();
        let shown = format!("{error} {error:?}");
        prop_assert!(!shown.contains("4111"));
    }
}
