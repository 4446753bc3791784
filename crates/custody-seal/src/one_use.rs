//! The one construction that every sealed format of this crate uses: a key for one text, and a commitment to it.
//!
//! ```text
//! binding    = prefix of the format (magic, version, key id, salt or place) ‖ context (length-prefixed fields)
//! prk        = HKDF-Extract(salt = the use's label, ikm = 256-bit secret)                  RFC 5869, SHA-256
//! key        = HKDF-Expand(prk, "key"        ‖ binding, 32)
//! commitment = HKDF-Expand(prk, "commitment" ‖ binding, 32)
//! sealed     = AES-256-GCM(key, nonce = 0, aad = binding ‖ commitment, text)               NIST SP 800-38D
//!
//! bytes      = prefix ‖ commitment (32) ‖ length of what follows (4, big-endian) ‖ ciphertext ‖ tag (16)
//! ```
//!
//! - **Nonce rule.** A key seals once, so the nonce is constant. A secret may therefore seal any number of texts as long as no
//!   binding comes twice, and each caller draws its binding from a counter that only it holds or from 256 random bits.
//! - **Key commitment.** GCM alone lets one ciphertext open under two keys. The commitment is a hash of secret and binding:
//!   finding two secrets with one commitment is finding a collision of SHA-256. It is compared before anything is decrypted.
//! - **What is bound is bound twice**, in the key and in the tag, so that neither alone carries the proof.

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{AeadInOut, Nonce, Tag},
};
use hkdf::Hkdf;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::{
    error::{FormatError, OpenError, SealError},
    secret::{SecretBytes, SecretKey},
    wire::Reader,
};

/// The longest text that one record holds: far below what GCM allows (64 GiB), bounded by the memory that opening takes.
pub const MAX_TEXT_BYTES: usize = 64 << 20;

/// How many texts one edge segment or one unit key may seal. Derived keys would allow far more; a bound that is reached is a
/// counter that went wrong.
pub const MAX_TEXTS_PER_KEY: u64 = 1 << 32;

/// Whether texts stand in the clear: in the build that shows that the leak scan finds them.
const UNSEALED: bool = cfg!(feature = "unsealed");

const COMMITMENT_BYTES: usize = 32;
const TAG_BYTES: usize = 16;
/// Longest prefix of text inside a record: the salt of a text's commitment.
const MAX_EXTRA_BYTES: usize = 32;

/// What a secret is used for; keys of two uses never meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    EdgeText,
    RestText,
    WrappedKey,
    KeyFile,
}

impl Use {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::EdgeText => b"custody seal v1: edge text",
            Self::RestText => b"custody seal v1: text at rest",
            Self::WrappedKey => b"custody seal v1: wrapped key",
            Self::KeyFile => b"custody seal v1: key file",
        }
    }
}

/// Where in the tail of a format the sealed text stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tail<'a> {
    commitment: &'a [u8],
    ciphertext: &'a [u8],
    tag: [u8; TAG_BYTES],
}

/// A secret, its use and what is bound: all that one text's keys follow from.
pub(crate) struct OneUse {
    hkdf: Hkdf<Sha256>,
    binding: Vec<u8>,
}

impl<'a> Tail<'a> {
    /// Reads the tail, which must be the last thing in the bytes.
    pub(crate) fn read(mut reader: Reader<'a>) -> Result<Self, FormatError> {
        let commitment = reader.take(COMMITMENT_BYTES)?;
        let length = usize::try_from(reader.u32()?).map_err(|_| FormatError::Malformed)?;
        let ciphertext_length = length.checked_sub(TAG_BYTES).ok_or(FormatError::Malformed)?;
        if ciphertext_length > MAX_TEXT_BYTES.saturating_add(MAX_EXTRA_BYTES) {
            return Err(FormatError::Malformed);
        }
        let ciphertext = reader.take(ciphertext_length)?;
        let tag = reader.array()?;
        reader.end()?;
        Ok(Self { commitment, ciphertext, tag })
    }
}

impl OneUse {
    pub(crate) fn new(secret: &SecretKey, usage: Use, prefix: &[u8], context: &[u8]) -> Self {
        Self { hkdf: Hkdf::new(Some(usage.label()), secret.expose()), binding: [prefix, context].concat() }
    }

    /// Another secret of the same binding, for what accompanies the text.
    pub(crate) fn derive(&self, role: &[u8]) -> SecretKey {
        let mut key = SecretKey::zeroed();
        self.expand(role, key.bytes_mut());
        key
    }

    /// Seals `head ‖ text` behind `prefix`, which must be the prefix that this was made with.
    pub(crate) fn seal(&self, prefix: &[u8], head: &[u8], text: &[u8]) -> Result<Vec<u8>, SealError> {
        let too_long = SealError::TooLong { bytes: text.len(), limit: MAX_TEXT_BYTES };
        if text.len() > MAX_TEXT_BYTES || head.len() > MAX_EXTRA_BYTES {
            return Err(too_long);
        }
        let commitment = self.commitment();
        let plain_length = head.len() + text.len();
        let length = u32::try_from(plain_length + TAG_BYTES).map_err(|_| too_long)?;
        let mut out = Vec::with_capacity(prefix.len() + COMMITMENT_BYTES + 4 + plain_length + TAG_BYTES);
        for part in [prefix, &commitment, &length.to_be_bytes()] {
            out.extend_from_slice(part);
        }
        let start = out.len();
        out.extend_from_slice(head);
        out.extend_from_slice(text);
        let place = out.get_mut(start..).unwrap_or_default();
        let aad = self.aad(&commitment);
        let tag = match UNSEALED {
            true => Tag::<Aes256Gcm>::default(),
            false => self.cipher().encrypt_inout_detached(&nonce(), &aad, place.into()).map_err(|_| too_long)?,
        };
        out.extend_from_slice(&tag);
        Ok(out)
    }

    /// Opens a tail. Commitment first: a text that another key sealed is never decrypted.
    pub(crate) fn open(&self, tail: &Tail<'_>) -> Result<SecretBytes, OpenError> {
        let commitment = self.commitment();
        if !bool::from(commitment.as_slice().ct_eq(tail.commitment)) {
            return Err(OpenError::NotAuthentic);
        }
        let mut text = tail.ciphertext.to_vec();
        if UNSEALED {
            return Ok(SecretBytes::new(text));
        }
        let aad = self.aad(&commitment);
        let opened = self.cipher().decrypt_inout_detached(&nonce(), &aad, text.as_mut_slice().into(), &Tag::<Aes256Gcm>::from(tail.tag));
        let text = SecretBytes::new(text);
        opened.map(|()| text).map_err(|_| OpenError::NotAuthentic)
    }

    fn commitment(&self) -> [u8; COMMITMENT_BYTES] {
        let mut commitment = [0; COMMITMENT_BYTES];
        self.expand(b"commitment", &mut commitment);
        commitment
    }

    fn cipher(&self) -> Aes256Gcm {
        let key = self.derive(b"key");
        Aes256Gcm::new(key.expose().into())
    }

    fn aad(&self, commitment: &[u8]) -> Vec<u8> {
        [self.binding.as_slice(), commitment].concat()
    }

    #[expect(clippy::expect_used, reason = "HKDF refuses only more than 255 blocks, and this is one")]
    fn expand(&self, role: &[u8], out: &mut [u8; 32]) {
        self.hkdf.expand_multi_info(&[role, &self.binding], out).expect("one block");
    }
}

fn nonce() -> Nonce<Aes256Gcm> {
    Nonce::<Aes256Gcm>::default()
}

#[cfg(test)]
mod tests;
