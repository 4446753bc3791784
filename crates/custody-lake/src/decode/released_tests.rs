//! The bytes that every released version wrote, through the decoder that ingest and queries use (D1, D6).

use custody_types::LogRecord;

use super::EventDecoder;
use crate::{
    canonical_from_row,
    testing::{PARTITION, record},
};

/// One event a line: kind, Avro bytes, canonical bytes. `crates/custody-event/tests/contract.rs` holds the same lines against serde.
const RELEASED: [(&str, &str); 3] = [
    ("v1-0", include_str!("../../../custody-event/tests/fixtures/v1-0.txt")),
    ("v1-1", include_str!("../../../custody-event/tests/fixtures/v1-1.txt")),
    ("v1-2", include_str!("../../../custody-event/tests/fixtures/v1-2.txt")),
];

struct Written {
    version: &'static str,
    kind: &'static str,
    avro: Vec<u8>,
    canonical: &'static str,
}

fn unhex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn written() -> Vec<Written> {
    let of_version = |(version, lines): (&'static str, &'static str)| {
        lines.lines().map(move |line| {
            let fields: Vec<&str> = line.split(' ').collect();
            let [kind, avro, canonical] = fields[..] else { panic!("{version}: {line}") };
            Written { version, kind, avro: unhex(avro), canonical }
        })
    };
    RELEASED.into_iter().flat_map(of_version).collect()
}

/// Decodes all of them at once and compares each row with the leaf that its own version made.
fn check(written: &[Written]) {
    let records: Vec<LogRecord> = (0..).zip(written).map(|(place, event)| record(place, event.avro.clone())).collect();
    let decoded = EventDecoder::new().unwrap().decode(PARTITION, &records);
    let refused: Vec<_> = decoded.poison.iter().map(|letter| (letter.position, letter.reason)).collect();
    assert_eq!(refused, [], "of {}", written.iter().map(|event| event.version).collect::<Vec<_>>().join(" "));
    let rows = decoded.rows.batches().iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)));
    let leaves: Vec<String> = rows.map(|(batch, row)| hex(&canonical_from_row(batch, row).unwrap())).collect();
    assert_eq!(leaves.len(), written.len());
    for (leaf, event) in leaves.iter().zip(written) {
        assert_eq!(leaf, event.canonical, "{} {}", event.version, event.kind);
    }
}

#[test]
fn every_released_schema_has_its_bytes_here() {
    assert_eq!(RELEASED.len(), custody_event::RELEASED_SCHEMAS_JSON.len());
    assert!(RELEASED.iter().all(|(_, lines)| lines.lines().count() >= 8));
}

#[test]
fn bytes_of_every_released_version_become_rows_with_the_same_canonical_bytes() {
    let written = written();
    written.chunk_by(|left, right| left.version == right.version).for_each(check);
    check(&written);
}

/// After an upgrade a log holds both, in any order.
#[test]
fn versions_that_alternate_in_one_batch_do_not_disturb_each_other() {
    let (mut older, newer): (Vec<Written>, Vec<Written>) = written().into_iter().partition(|event| event.version == "v1-0");
    older.reverse();
    let alternating: Vec<Written> = older.into_iter().zip(newer).flat_map(|(older, newer)| [newer, older]).collect();
    assert_eq!(alternating.len(), 16);
    check(&alternating);
}
