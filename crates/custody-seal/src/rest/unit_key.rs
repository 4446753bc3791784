//! The key of a shred unit: seals and opens the unit's texts, at rest only wrapped.

use std::{
    fmt,
    str::FromStr,
    sync::atomic::{AtomicU64, Ordering},
};

use super::{
    record::{RestRecord, prefix},
    unit::ShredUnit,
};
use crate::{
    commitment::OpenedText,
    entropy::{Entropy, NoEntropyError, draw},
    error::{OpenError, SealError},
    one_use::{MAX_TEXTS_PER_KEY, OneUse, Use},
    secret::SecretKey,
    text_context::TextContext,
    wire::write_hex,
    wrap::{KeyWrapper, WrapContext, WrapError, WrapSubject, WrappedKey},
};

/// Names a unit key: random, and given with the key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitKeyId([u8; 16]);

/// The text names no unit key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a unit key is named by 32 hexadecimal digits, small letters")]
pub struct InvalidUnitKeyIdError;

/// The version of the table that a text stands in; a row read as another version's does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentSchema(pub u16);

/// Seals and opens the texts of one unit.
pub struct UnitKey {
    id: UnitKeyId,
    unit: ShredUnit,
    secret: SecretKey,
    sealed: AtomicU64,
}

impl UnitKeyId {
    /// An id as a record or key store holds it.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl ContentSchema {
    /// The version of the table that the full text is sealed for.
    pub const FULL_TEXT: Self = Self(1);

    /// The same for what redaction leaves of it: one does not open as the other.
    pub const REDACTED_TEXT: Self = Self(0x0101);
}

impl UnitKey {
    /// A fresh key for a unit.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn generate(unit: ShredUnit, entropy: &mut dyn Entropy) -> Result<Self, NoEntropyError> {
        Ok(Self::new(UnitKeyId(draw(entropy)?), unit, SecretKey::generate(entropy)?))
    }

    fn new(id: UnitKeyId, unit: ShredUnit, secret: SecretKey) -> Self {
        Self { id, unit, secret, sealed: AtomicU64::new(0) }
    }

    /// Its name.
    #[must_use]
    pub const fn id(&self) -> UnitKeyId {
        self.id
    }

    /// What it covers.
    #[must_use]
    pub const fn unit(&self) -> &ShredUnit {
        &self.unit
    }

    /// Seals a text that was opened at the edge's border, with the salt of its commitment.
    ///
    /// # Errors
    /// When the text is not of this unit, there is no randomness, or a limit is reached.
    pub fn seal(
        &self,
        schema: ContentSchema,
        context: &TextContext,
        opened: &OpenedText,
        entropy: &mut dyn Entropy,
    ) -> Result<Vec<u8>, SealError> {
        if !self.unit.takes(context) {
            return Err(SealError::WrongUnit);
        }
        self.count()?;
        let prefix = prefix(self.id, &draw(entropy)?);
        self.one_use(&prefix, schema, context).seal(&prefix, opened.salt.expose(), opened.text.expose())
    }

    /// Opens a text for the row in which it stands.
    ///
    /// # Errors
    /// When the bytes are not of the format, another key's, or not the text of this row.
    pub fn open(&self, bytes: &[u8], schema: ContentSchema, context: &TextContext) -> Result<OpenedText, OpenError> {
        let record = RestRecord::read(bytes)?;
        if record.key != self.id {
            return Err(OpenError::UnknownKey);
        }
        let opened = self.one_use(record.prefix, schema, context).open(&record.tail)?;
        OpenedText::split(&opened).ok_or(OpenError::NotAuthentic)
    }

    /// Wraps it for the key store.
    ///
    /// # Errors
    /// When the key service does not.
    pub async fn wrap(&self, wrapper: &dyn KeyWrapper) -> Result<WrappedKey, WrapError> {
        let context = WrapContext { key: self.id.0, subject: WrapSubject::Unit(self.unit.clone()) };
        wrapper.wrap(&self.secret, &context).await
    }

    /// Takes a kept key up again.
    ///
    /// # Errors
    /// When the key service does not unwrap it.
    pub async fn unwrap(wrapper: &dyn KeyWrapper, wrapped: &WrappedKey) -> Result<Self, WrapError> {
        let WrapSubject::Unit(unit) = wrapped.context().subject.clone() else { return Err(WrapError::NotAuthentic) };
        let secret = wrapper.unwrap(wrapped).await?;
        Ok(Self::new(UnitKeyId(wrapped.context().key), unit, secret))
    }

    fn one_use(&self, prefix: &[u8], schema: ContentSchema, context: &TextContext) -> OneUse {
        let mut bound = schema.0.to_be_bytes().to_vec();
        self.unit.encode(&mut bound);
        bound.extend_from_slice(&context.encode());
        OneUse::new(&self.secret, Use::RestText, prefix, &bound)
    }

    fn count(&self) -> Result<(), SealError> {
        let next = |sealed: u64| (sealed < MAX_TEXTS_PER_KEY).then_some(sealed.saturating_add(1));
        self.sealed.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).map(|_| ()).map_err(|_| SealError::KeyExhausted)
    }
}

impl fmt::Display for UnitKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

/// As it is displayed, and nothing else: what is read from a name leads back to that name.
impl FromStr for UnitKeyId {
    type Err = InvalidUnitKeyIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 32 || !text.bytes().all(is_digit) {
            return Err(InvalidUnitKeyIdError);
        }
        u128::from_str_radix(text, 16).map(|id| Self(id.to_be_bytes())).map_err(|_| InvalidUnitKeyIdError)
    }
}

impl fmt::Debug for UnitKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for UnitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnitKey").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
