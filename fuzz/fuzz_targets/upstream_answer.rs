//! Any bytes from a provider, whole or as a stream cut anywhere: an error or an answer; never a panic. A cut elsewhere gives the same.
#![no_main]

use custody_dialect::openai::{StreamDecoder, StreamLimits, parse_chat_answer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &[u8])| {
    let (cut, bytes) = input;
    let _ = parse_chat_answer(bytes);
    let whole = events(&[bytes]);
    let (head, tail) = bytes.split_at(usize::from(cut).min(bytes.len()));
    assert_eq!(whole, events(&[head, tail]));
});

fn events(pieces: &[&[u8]]) -> (bool, usize) {
    let mut parser = StreamDecoder::new(StreamLimits::default());
    let mut out = Vec::new();
    let failed = pieces.iter().any(|piece| parser.feed(piece, &mut out).is_err());
    (failed, out.len())
}
