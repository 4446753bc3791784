//! Any bytes as a record of the content stream: refused, or a record that encodes to bytes which read back to the same record.
#![no_main]

use custody_event::{ContentRecord, Octets};
use custody_types::{Text, Timestamp};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    // The fingerprint is given, so that the fuzzer reaches the record.
    let template = sample().encode().expect("a sample encodes");
    let bytes = [template.get(..10).unwrap_or_default(), body].concat();
    if let Ok(record) = ContentRecord::decode(&bytes) {
        let written = record.encode().expect("what was read can be written");
        let again = ContentRecord::decode(&written).expect("what was written can be read");
        assert_eq!(again, record);
        assert_eq!(again.encode().expect("it can be written again"), written);
    }
    let _ = ContentRecord::decode(body);
});

fn sample() -> ContentRecord {
    let text = |value: &str| Text::from(value);
    ContentRecord {
        content_id: text("c"),
        request_id: text("r"),
        time: Timestamp::from_micros(0),
        tenant: text("acme"),
        person: None,
        part: text("prompt"),
        ordinal: 0,
        purpose: text("quality"),
        retention_class: text("short"),
        expires_on: 20_800,
        capability: text("support.answer"),
        data_class: text("confidential"),
        handling_rule: text("support@3"),
        redaction: text("default"),
        bytes: 0,
        commitment: Octets(vec![7; 32]),
        sealed: None,
        claim: None,
    }
}
