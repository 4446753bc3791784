//! Any bytes as a provider's Converse answer, whole and streamed: an error or an answer; never a panic.
#![no_main]

use custody_dialect::{
    converse::{StreamDecoder, parse_answer},
    openai::StreamLimits,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = parse_answer(bytes);
    let (mut decoder, mut events) = (StreamDecoder::new(StreamLimits::default()), Vec::new());
    let _ = bytes.chunks(7).try_for_each(|piece| decoder.feed(piece, &mut events));
});
