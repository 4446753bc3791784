//! HPKE as this crate uses it: base mode, export only. What is exported is the secret of a segment.

use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable,
    aead::ExportOnlyAead,
    kdf::HkdfSha256,
    kem::X25519HkdfSha256,
    rand_core::{TryCryptoRng, TryRng},
    setup_receiver, setup_sender_with_rng,
};
use zeroize::Zeroize;

use crate::{
    entropy::{Entropy, draw_into},
    error::{OpenError, SealError},
    secret::SecretKey,
};

type Private = <X25519HkdfSha256 as Kem>::PrivateKey;
type Public = <X25519HkdfSha256 as Kem>::PublicKey;
type Encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey;

const SEGMENT_SECRET: &[u8] = b"custody edge segment secret v1";

/// A key pair from 256 random bits (RFC 9180, DeriveKeyPair).
pub(super) fn derive_key_pair(input: &SecretKey) -> (SecretKey, [u8; 32]) {
    let (private, public) = X25519HkdfSha256::derive_keypair(input.expose());
    let mut secret = SecretKey::zeroed();
    private.write_exact(secret.bytes_mut());
    (secret, public.to_bytes().into())
}

/// The public half of a private key.
pub(super) fn public_of(secret: &SecretKey) -> Option<[u8; 32]> {
    let private = Private::from_bytes(secret.expose()).ok()?;
    Some(X25519HkdfSha256::sk_to_pk(&private).to_bytes().into())
}

/// Agrees on a secret with the holder of the private key.
pub(super) fn encapsulate(public: &[u8; 32], info: &[u8], entropy: &mut dyn Entropy) -> Result<([u8; 32], SecretKey), SealError> {
    let public = Public::from_bytes(public).map_err(|_| SealError::EdgeKeyUnusable)?;
    let mut once = Once::draw(entropy)?;
    let setup = setup_sender_with_rng::<ExportOnlyAead, HkdfSha256, X25519HkdfSha256>(&OpModeS::Base, &public, info, &mut once);
    let (encapsulated, context) = setup.map_err(|_| SealError::EdgeKeyUnusable)?;
    if once.overdrawn {
        return Err(SealError::EdgeKeyUnusable);
    }
    let mut secret = SecretKey::zeroed();
    context.export(SEGMENT_SECRET, secret.bytes_mut()).map_err(|_| SealError::EdgeKeyUnusable)?;
    Ok((encapsulated.to_bytes().into(), secret))
}

/// Finds the secret again.
pub(super) fn decapsulate(private: &SecretKey, encapsulated: &[u8; 32], info: &[u8]) -> Result<SecretKey, OpenError> {
    let private = Private::from_bytes(private.expose()).map_err(|_| OpenError::NotAuthentic)?;
    let encapsulated = Encapsulated::from_bytes(encapsulated).map_err(|_| OpenError::NotAuthentic)?;
    let setup = setup_receiver::<ExportOnlyAead, HkdfSha256, X25519HkdfSha256>(&OpModeR::Base, &private, &encapsulated, info);
    let context = setup.map_err(|_| OpenError::NotAuthentic)?;
    let mut secret = SecretKey::zeroed();
    context.export(SEGMENT_SECRET, secret.bytes_mut()).map_err(|_| OpenError::NotAuthentic)?;
    Ok(secret)
}

/// Hands the library the 256 random bits of one ephemeral key, drawn before so that a failing source is an error and not a panic.
struct Once {
    bytes: SecretKey,
    used: usize,
    overdrawn: bool,
}

impl Once {
    fn draw(entropy: &mut dyn Entropy) -> Result<Self, SealError> {
        let mut bytes = SecretKey::zeroed();
        draw_into(entropy, bytes.bytes_mut())?;
        Ok(Self { bytes, used: 0, overdrawn: false })
    }
}

impl TryRng for Once {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut word = [0; 4];
        self.try_fill_bytes(&mut word)?;
        Ok(u32::from_le_bytes(word))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut word = [0; 8];
        self.try_fill_bytes(&mut word)?;
        Ok(u64::from_le_bytes(word))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        let end = self.used.saturating_add(out.len());
        match self.bytes.expose().get(self.used..end) {
            Some(fresh) => out.copy_from_slice(fresh),
            None => {
                out.zeroize();
                self.overdrawn = true;
            }
        }
        self.used = end;
        Ok(())
    }
}

impl TryCryptoRng for Once {}

#[cfg(test)]
mod tests;
