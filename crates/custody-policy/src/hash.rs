//! The hash that says which text decided.
//!
//! ```text
//! SHA-256 over: the built-in rules, the schema, then each file in order of its name; each as
//!   length of name (u64, big endian) · name · length of text (u64, big endian) · text
//! ```

use std::fmt::Write;

use custody_types::Text;
use sha2::{Digest, Sha256};

use crate::{builtin, set::SourceFile};

/// Lower-case hex. The order in which files are given does not matter; each byte of their names and texts does.
pub(crate) fn of(schema: SourceFile<'_>, policies: &[SourceFile<'_>]) -> Text {
    let mut ordered: Vec<SourceFile<'_>> = policies.to_vec();
    ordered.sort_by_key(|file| file.name);
    let mut hasher = Sha256::new();
    for file in [SourceFile { name: builtin::FILE, text: builtin::RULES }, schema].into_iter().chain(ordered) {
        feed(&mut hasher, file.name);
        feed(&mut hasher, file.text);
    }
    let mut hex = String::with_capacity(64);
    for byte in hasher.finalize() {
        let _ = write!(hex, "{byte:02x}");
    }
    Text::from(hex)
}

fn feed(hasher: &mut Sha256, text: &str) {
    hasher.update((text.len() as u64).to_be_bytes());
    hasher.update(text.as_bytes());
}
