//! Any bytes as a wrapped key, also behind a genuine head: refused, or a key that encodes to the very bytes it was read from, and
//! that a key file unwraps only if it made it.
#![no_main]

use custody_fuzz::{NOON, SeededEntropy, context};
use custody_seal::{
    SecretKey,
    rest::ShredUnit,
    wrap::{KeyFile, KeyOwner, WrapContext, WrapSubject, WrappedKey},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &[u8])| {
    let (kept, body) = input;
    let mut entropy = SeededEntropy::new();
    let mut file = KeyFile::new();
    file.add(KeyOwner::Tenant(context().tenant), NOON, &mut entropy).expect("a key");
    let subject = WrapSubject::Unit(ShredUnit::of(&context(), NOON));
    let wrap_context = WrapContext { key: [1; 16], subject };
    let genuine = file.wrap(&SecretKey::from_bytes(&[2; 32]), &wrap_context, &mut entropy).expect("wrapped").encode();
    let bytes = [genuine.get(..usize::from(kept)).unwrap_or(&genuine), body].concat();
    if let Ok(wrapped) = WrappedKey::decode(&bytes) {
        assert_eq!(wrapped.encode(), bytes);
        assert_eq!(file.unwrap(&wrapped).is_ok(), bytes == genuine);
    }
});
