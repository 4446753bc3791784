//! Any bytes as a text sealed at the edge, also behind a genuine head: opened only if they are the genuine ones, never a panic.
#![no_main]

use std::{
    sync::{LazyLock, Mutex},
    time::Duration,
};

use custody_fuzz::{NOON, SeededEntropy, context};
use custody_seal::edge::{EdgeDay, EdgeOpener, EdgePrivateKey, EdgePublicKey, EdgeTerms, EdgeWindow, SegmentSealer, edge_key_of};
use libfuzzer_sys::fuzz_target;

/// Made once, because the curve's arithmetic is slow beside what is looked for here.
static GENUINE: LazyLock<(Mutex<EdgeOpener>, Vec<u8>)> = LazyLock::new(genuine);

fuzz_target!(|input: (u8, &[u8])| {
    let (kept, body) = input;
    let (opener, genuine) = &*GENUINE;
    let bytes = [genuine.get(..usize::from(kept)).unwrap_or(genuine), body].concat();
    let _ = edge_key_of(&bytes);
    let mut opener = opener.lock().expect("no input panics");
    assert_eq!(opener.open(&bytes, &context(), &EdgeTerms::default()).is_ok(), bytes == *genuine);
    if let Ok(public) = EdgePublicKey::decode(body) {
        assert_eq!(public.encode(), body);
    }
});

fn genuine() -> (Mutex<EdgeOpener>, Vec<u8>) {
    let mut entropy = SeededEntropy::new();
    let key = EdgePrivateKey::generate(EdgeDay::of(NOON), &mut entropy).expect("a key");
    let window = EdgeWindow::new(Duration::ZERO, Duration::ZERO);
    let sealer = SegmentSealer::begin(key.public(), window, &mut entropy).expect("a segment");
    let genuine = sealer.seal(&context(), &EdgeTerms::default(), b"a text", NOON).expect("sealed").bytes;
    let mut opener = EdgeOpener::new();
    opener.hold(key);
    (Mutex::new(opener), genuine)
}
