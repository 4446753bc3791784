//! What an event says of a text that it does not hold: a salted hash. With the salt, which is sealed beside the text, anyone who
//! opens the text can check it against the event; once the key is destroyed the salt is gone, and the hash says nothing (D5).

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::{
    secret::{SecretBytes, SecretKey},
    wire::write_hex,
};

/// HMAC-SHA-256 of the text under its salt.
#[derive(Clone, Copy)]
pub struct TextCommitment([u8; 32]);

/// A text that was opened, and the salt of its commitment.
#[derive(Debug)]
pub struct OpenedText {
    pub(crate) salt: SecretKey,
    pub(crate) text: SecretBytes,
}

impl TextCommitment {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    pub(crate) fn of(salt: &SecretKey, text: &[u8]) -> Self {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(salt.expose()).expect("a key of 32 bytes");
        mac.update(text);
        Self(mac.finalize().into_bytes().into())
    }

    /// A commitment as an event holds it.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes, which may be known to all.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl OpenedText {
    /// The text. The result must not reach an event, a log, a metric or an error.
    #[must_use]
    pub fn text(&self) -> &SecretBytes {
        &self.text
    }

    /// What the event of this text must say.
    #[must_use]
    pub fn commitment(&self) -> TextCommitment {
        TextCommitment::of(&self.salt, self.text.expose())
    }

    /// Another text in the place of this one, such as what redaction left of it. Its commitment is not the event's.
    #[must_use]
    pub fn with_text(&self, text: SecretBytes) -> Self {
        Self { salt: SecretKey::from_bytes(self.salt.expose()), text }
    }

    pub(crate) fn split(opened: &SecretBytes) -> Option<Self> {
        let (salt, text) = opened.expose().split_at_checked(32)?;
        Some(Self { salt: SecretKey::from_slice(salt)?, text: SecretBytes::new(text.to_vec()) })
    }
}

impl PartialEq for TextCommitment {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for TextCommitment {}

impl fmt::Display for TextCommitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for TextCommitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
