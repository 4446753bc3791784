//! A tenant's key of pseudonyms: the same value gives the same number, and without the key nobody can try values (LOG-38).
//!
//! ```text
//! number = first 8 bytes, big-endian, of HMAC-SHA-256(secret, label ‖ length of kind (8) ‖ kind ‖ length of value (8) ‖ value)
//! ```
//! A number is no proof: with 64 bits, two of five thousand million values of one kind are expected to share one. Whoever has the key can
//! try values until a number fits, so that what carries pseudonyms stays personal data. To end that, the key is destroyed.

use std::fmt;

use custody_types::TenantId;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{
    entropy::{Entropy, NoEntropyError, draw},
    secret::SecretKey,
    wire::write_hex,
    wrap::{KeyWrapper, WrapContext, WrapError, WrapSubject, WrappedKey},
};

const LABEL: &[u8] = b"custody seal v1: pseudonym";

/// Makes a tenant's pseudonyms. One tenant has one, so that a value is the same everywhere in its texts.
pub struct PseudonymKey {
    id: [u8; 16],
    tenant: TenantId,
    secret: SecretKey,
}

impl PseudonymKey {
    /// A fresh key for a tenant.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn generate(tenant: TenantId, entropy: &mut dyn Entropy) -> Result<Self, NoEntropyError> {
        Ok(Self { id: draw(entropy)?, tenant, secret: SecretKey::generate(entropy)? })
    }

    /// Whose pseudonyms it makes.
    #[must_use]
    pub const fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The number that stands for a value of a kind. Both are framed by their lengths: no two pairs give the same bytes to hash.
    #[must_use]
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    pub fn pseudonym(&self, kind: &str, value: &str) -> u64 {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(self.secret.expose()).expect("a key of 32 bytes");
        mac.update(LABEL);
        for part in [kind, value] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        let hash: [u8; 32] = mac.finalize().into_bytes().into();
        hash.first_chunk().copied().map_or(0, u64::from_be_bytes)
    }

    /// Wraps it for the key store.
    ///
    /// # Errors
    /// When the key service does not.
    pub async fn wrap(&self, wrapper: &dyn KeyWrapper) -> Result<WrappedKey, WrapError> {
        let subject = WrapSubject::Pseudonyms { tenant: self.tenant.clone() };
        wrapper.wrap(&self.secret, &WrapContext { key: self.id, subject }).await
    }

    /// Takes a kept key up again.
    ///
    /// # Errors
    /// When it is another kind of key, or the key service does not unwrap it.
    pub async fn unwrap(wrapper: &dyn KeyWrapper, wrapped: &WrappedKey) -> Result<Self, WrapError> {
        let WrapSubject::Pseudonyms { tenant } = wrapped.context().subject.clone() else { return Err(WrapError::NotAuthentic) };
        let secret = wrapper.unwrap(wrapped).await?;
        Ok(Self { id: wrapped.context().key, tenant, secret })
    }
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PseudonymKey(")?;
        write_hex(f, &self.id)?;
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_entropy::{NoEntropy, SeededEntropy};

    fn key(seed: u64) -> PseudonymKey {
        PseudonymKey::generate("acme".parse().unwrap(), &mut SeededEntropy::new(seed)).unwrap()
    }

    #[test]
    fn a_value_has_one_number_under_one_key_and_another_under_another() {
        let (one, other) = (key(1), key(2));
        assert_eq!(one.pseudonym("EMAIL", "a@b.org"), one.pseudonym("EMAIL", "a@b.org"));
        assert_ne!(one.pseudonym("EMAIL", "a@b.org"), one.pseudonym("EMAIL", "b@b.org"));
        assert_ne!(one.pseudonym("EMAIL", "a@b.org"), other.pseudonym("EMAIL", "a@b.org"));
    }

    /// The number is that of HMAC over framed parts, computed here by its definition (RFC 2104).
    #[test]
    fn the_number_is_the_head_of_a_framed_hmac() {
        use sha2::Digest;
        let (key, kind, value) = (key(1), "EMAIL", "a@b.org");
        let padded = |pad: u8| {
            let mut block = [pad; 64];
            block.iter_mut().zip(key.secret.expose()).for_each(|(byte, secret)| *byte ^= secret);
            block
        };
        let message = [LABEL, &[0, 0, 0, 0, 0, 0, 0, 5], kind.as_bytes(), &[0, 0, 0, 0, 0, 0, 0, 7], value.as_bytes()].concat();
        let inner = Sha256::digest([padded(0x36).as_slice(), &message].concat());
        let outer = Sha256::digest([padded(0x5c).as_slice(), inner.as_slice()].concat());
        assert_eq!(key.pseudonym(kind, value).to_be_bytes(), outer[..8]);
    }

    #[test]
    fn kind_and_value_cannot_be_shifted_into_one_another() {
        let key = key(1);
        let shifted = [("AB", "C"), ("A", "BC"), ("", "ABC"), ("ABC", ""), ("A\0", "BC"), ("A", "\0BC")];
        let numbers: std::collections::BTreeSet<u64> = shifted.iter().map(|(kind, value)| key.pseudonym(kind, value)).collect();
        assert_eq!(numbers.len(), shifted.len());
    }

    #[test]
    fn printing_shows_no_key_and_without_randomness_there_is_none() {
        let key = key(1);
        let shown = format!("{key:?}");
        assert_eq!(shown.len(), "PseudonymKey()".len() + 32);
        let secret: String = key.secret.expose().iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(!shown.contains(&secret[..16]));
        assert!(PseudonymKey::generate("acme".parse().unwrap(), &mut NoEntropy).is_err());
    }
}
