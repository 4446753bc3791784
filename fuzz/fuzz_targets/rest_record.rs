//! Any bytes as a text at rest, also behind a genuine head: opened only if they are the genuine ones, never a panic.
#![no_main]

use std::{sync::LazyLock, time::Duration};

use custody_fuzz::{NOON, SeededEntropy, context};
use custody_seal::{
    edge::{EdgeDay, EdgeOpener, EdgePrivateKey, EdgeWindow, SegmentSealer},
    rest::{ContentSchema, ShredUnit, UnitKey, unit_key_of},
};
use libfuzzer_sys::fuzz_target;

const SCHEMA: ContentSchema = ContentSchema(1);

/// Made once, because the curve's arithmetic is slow beside what is looked for here.
static GENUINE: LazyLock<(UnitKey, Vec<u8>)> = LazyLock::new(genuine);

fuzz_target!(|input: (u8, &[u8])| {
    let (kept, body) = input;
    let (key, genuine) = &*GENUINE;
    let bytes = [genuine.get(..usize::from(kept)).unwrap_or(genuine), body].concat();
    let _ = unit_key_of(&bytes);
    assert_eq!(key.open(&bytes, SCHEMA, &context()).is_ok(), bytes == *genuine);
});

fn genuine() -> (UnitKey, Vec<u8>) {
    let mut entropy = SeededEntropy::new();
    let edge_key = EdgePrivateKey::generate(EdgeDay::of(NOON), &mut entropy).expect("a key");
    let window = EdgeWindow::new(Duration::ZERO, Duration::ZERO);
    let sealer = SegmentSealer::begin(edge_key.public(), window, &mut entropy).expect("a segment");
    let at_edge = sealer.seal(&context(), b"a text", NOON).expect("sealed").bytes;
    let mut opener = EdgeOpener::new();
    opener.hold(edge_key);
    let opened = opener.open(&at_edge, &context()).expect("opened");
    let key = UnitKey::generate(ShredUnit::of(&context(), NOON), &mut entropy).expect("a key");
    let genuine = key.seal(SCHEMA, &context(), &opened, &mut entropy).expect("sealed");
    (key, genuine)
}
