//! Any bytes as parked records, also behind a genuine head: refused, or records whose bytes are the very ones that were read.
#![no_main]

use libfuzzer_sys::fuzz_target;

/// The format by itself: the crate that it belongs to brings the lake's engine along, which takes long to build with sanitizers.
#[allow(dead_code, reason = "the module's tests are built elsewhere")]
#[path = "../../crates/custody-ingest/src/content/parked_batch.rs"]
mod parked_batch;

use parked_batch::ParkedBatch;

fuzz_target!(|input: (bool, &[u8])| {
    let (headed, body) = input;
    let bytes = if headed { [b"CPRK\x01".as_slice(), body].concat() } else { body.to_vec() };
    if let Ok(batch) = ParkedBatch::decode(&bytes) {
        assert_eq!(batch.encode(), bytes);
    }
});
