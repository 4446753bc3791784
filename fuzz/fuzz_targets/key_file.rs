//! Any bytes as a key file, also behind a genuine head: refused, never a panic.
#![no_main]

use custody_fuzz::{NOON, SeededEntropy};
use custody_seal::wrap::{KeyFile, KeyOwner};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &[u8])| {
    let (kept, body) = input;
    let mut entropy = SeededEntropy::new();
    let mut file = KeyFile::new();
    file.add(KeyOwner::Product, NOON, &mut entropy).expect("a key");
    let genuine = file.encode_unlocked(&mut entropy).expect("encoded");
    let bytes = [genuine.get(..usize::from(kept)).unwrap_or(&genuine), body].concat();
    assert_eq!(KeyFile::unlock(&bytes, None).is_ok(), bytes == genuine);
});
