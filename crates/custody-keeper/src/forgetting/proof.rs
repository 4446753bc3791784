//! What an event says of a list of keys that are gone.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::key::PlannedKey;

/// SHA-256 of the keys' names, sorted, each followed by a line feed; hex. Whoever has the plan can compute it again.
#[must_use]
pub fn keys_hash<'a>(keys: impl IntoIterator<Item = &'a PlannedKey>) -> String {
    let mut names: Vec<&str> = keys.into_iter().map(|key| key.key.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    hash(&names.iter().fold(String::new(), |list, name| list + name + "\n"))
}

/// SHA-256 of a text, hex.
pub(crate) fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
