//! Key bytes and opened text: held on the heap so that moving them leaves no copy, wiped when dropped, never printed.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::entropy::{Entropy, NoEntropyError, draw_into};

const KEY_BYTES: usize = 32;

/// A key of 256 bits.
pub struct SecretKey(Box<[u8; KEY_BYTES]>);

/// Text or other bytes that were opened and must not be at rest in the clear.
pub struct SecretBytes(Vec<u8>);

impl SecretKey {
    /// A fresh key.
    ///
    /// # Errors
    /// When the source of randomness has none.
    pub fn generate(entropy: &mut dyn Entropy) -> Result<Self, NoEntropyError> {
        let mut key = Self::zeroed();
        draw_into(entropy, key.bytes_mut())?;
        Ok(key)
    }

    /// A key that another key service handed back. The caller wipes its own copy.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; KEY_BYTES]) -> Self {
        let mut key = Self::zeroed();
        key.bytes_mut().copy_from_slice(bytes);
        key
    }

    /// The key itself. Each call is a place to review: only a key service that wraps it has a reason to.
    #[must_use]
    pub fn expose(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    pub(crate) fn zeroed() -> Self {
        Self(Box::new([0; KEY_BYTES]))
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8; KEY_BYTES] {
        &mut self.0
    }

    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_bytes)
    }
}

impl Drop for SecretKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl PartialEq for SecretKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_slice().ct_eq(other.0.as_slice()).into()
    }
}

impl Eq for SecretKey {}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<key>")
    }
}

impl SecretBytes {
    /// Takes over bytes that are secret from here on.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes themselves. Each call is a place to review.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// How many there are, which is not secret.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Drop for SecretBytes {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl PartialEq for SecretBytes {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretBytes {}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<secret, {} bytes>", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printing_shows_neither_keys_nor_text() {
        let shown = format!("{:?} {:?}", SecretKey::from_bytes(&[0x41; 32]), SecretBytes::new(b"AAAA".to_vec()));
        assert_eq!(shown, "<key> <secret, 4 bytes>");
    }
}
