//! Any bytes as an event: refused, or an event that encodes to bytes which read back to the same event.
#![no_main]

use custody_event::{Decoder, Encoder, canonical::canonical_bytes};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let mut encoder = Encoder::new().expect("the schema parses");
    let decoder = Decoder::new(&[]);
    // The fingerprint is given, so that the fuzzer reaches the record.
    let template = encoder.encode(&sample()).expect("a sample encodes");
    let bytes = [template.get(..10).unwrap_or_default(), body].concat();
    if let Ok(event) = decoder.decode(&bytes) {
        let again = decoder.decode(&encoder.encode(&event).expect("what was read can be written")).expect("what was written can be read");
        assert_eq!(again, event);
        assert_eq!(canonical_bytes(&again), canonical_bytes(&event));
    }
});

fn sample() -> custody_event::Event {
    custody_event::Event {
        event_id: "e".into(),
        time: custody_types::Timestamp::from_micros(0),
        envelope: Default::default(),
        kind: custody_event::Kind::Control(Default::default()),
    }
}
