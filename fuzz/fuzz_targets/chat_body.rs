//! Any bytes as the body of a chat request: an error with a code, or a request; never a panic.
#![no_main]

use custody_dialect::openai::{Limits, parse_chat_request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let _ = parse_chat_request(body, &Limits::default());
});
