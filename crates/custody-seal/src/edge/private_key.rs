//! The private key of a day: made and held where text is opened, at rest only wrapped.

use std::fmt;

use super::{day::EdgeDay, hpke_export, public_key::EdgePublicKey};
use crate::{
    entropy::{Entropy, NoEntropyError},
    error::OpenError,
    secret::SecretKey,
    wrap::{KeyWrapper, WrapContext, WrapError, WrapSubject, WrappedKey},
};

/// Opens what was sealed to its public half.
pub struct EdgePrivateKey {
    public: EdgePublicKey,
    secret: SecretKey,
}

impl EdgePrivateKey {
    /// A fresh key for a day.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn generate(day: EdgeDay, entropy: &mut dyn Entropy) -> Result<Self, NoEntropyError> {
        let (secret, public) = hpke_export::derive_key_pair(&SecretKey::generate(entropy)?);
        Ok(Self { public: EdgePublicKey::new(day, public), secret })
    }

    /// Its public half.
    #[must_use]
    pub const fn public(&self) -> &EdgePublicKey {
        &self.public
    }

    /// Wraps it for keeping.
    ///
    /// # Errors
    /// When the key service does not.
    pub async fn wrap(&self, wrapper: &dyn KeyWrapper) -> Result<WrappedKey, WrapError> {
        wrapper.wrap(&self.secret, &self.wrap_context()).await
    }

    /// Takes a kept key up again.
    ///
    /// # Errors
    /// When the key service does not unwrap it, or it is another key than its context says.
    pub async fn unwrap(wrapper: &dyn KeyWrapper, wrapped: &WrappedKey) -> Result<Self, WrapError> {
        let WrapSubject::EdgeKey { day } = wrapped.context().subject else { return Err(WrapError::NotAuthentic) };
        let secret = wrapper.unwrap(wrapped).await?;
        let public = hpke_export::public_of(&secret).ok_or(WrapError::NotAuthentic)?;
        let key = Self { public: EdgePublicKey::new(day, public), secret };
        if key.wrap_context() == *wrapped.context() { Ok(key) } else { Err(WrapError::NotAuthentic) }
    }

    pub(super) fn segment_secret(&self, encapsulated: &[u8; 32], info: &[u8]) -> Result<SecretKey, OpenError> {
        hpke_export::decapsulate(&self.secret, encapsulated, info)
    }

    fn wrap_context(&self) -> WrapContext {
        WrapContext { key: *self.public.id().as_bytes(), subject: WrapSubject::EdgeKey { day: self.public.day() } }
    }
}

impl fmt::Debug for EdgePrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EdgePrivateKey").field("id", &self.public.id()).field("day", &self.public.day()).finish_non_exhaustive()
    }
}
