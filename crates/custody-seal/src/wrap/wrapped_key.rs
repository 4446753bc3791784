//! A wrapped key as the key store holds it.

use std::{fmt, str::FromStr, sync::Arc};

use super::context::WrapContext;
use crate::{
    error::FormatError,
    wire::{Reader, put_field},
};

const MAGIC: &[u8; 4] = b"CWRP";
const VERSION: u8 = 1;
/// The longest ciphertext that AWS KMS hands out.
const MAX_WRAPPED_BYTES: usize = 6_144;
/// The longest name of a KMS key.
const MAX_NAME_BYTES: usize = 2_048;

/// The name of a key in a key service, such as a KMS key's ARN.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WrappingKeyName(Arc<str>);

/// The text can't be the name of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name of a wrapping key has 1 to {MAX_NAME_BYTES} printable characters without spaces")]
pub struct InvalidKeyNameError;

/// A key that only its key service opens, with all that is needed to ask for that.
///
/// | Bytes | Field |
/// | --- | --- |
/// | 4 | `CWRP` |
/// | 1 | format version, 1 |
/// | 2 + n | name of the wrapping key |
/// | 1 | kind: 1 edge key, 2 unit key, 3 pseudonym key |
/// | 16 | id of the key inside |
/// | 4 | edge key: its day |
/// | 2 + n, 1 (+ 2 + n), 2 + n, 4 | unit key: tenant, person, purpose, month |
/// | 2 + n | pseudonym key: tenant |
/// | 2 + n | what the key service made, 1 to 6,144 bytes |
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKey {
    wrapping_key: WrappingKeyName,
    context: WrapContext,
    wrapped: Vec<u8>,
}

impl WrappingKeyName {
    /// The name of a key in a key file: `file:` and its id.
    pub(super) fn of_file_key(id: [u8; 16]) -> Self {
        let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(Arc::from(format!("file:{hex}")))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WrappingKeyName {
    type Err = InvalidKeyNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=MAX_NAME_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(Arc::from(text))) } else { Err(InvalidKeyNameError) }
    }
}

impl WrappedKey {
    /// What a key service made.
    ///
    /// # Errors
    /// When it is empty, or longer than any key service makes it.
    pub fn new(wrapping_key: WrappingKeyName, context: WrapContext, wrapped: Vec<u8>) -> Result<Self, FormatError> {
        if (1..=MAX_WRAPPED_BYTES).contains(&wrapped.len()) {
            Ok(Self { wrapping_key, context, wrapped })
        } else {
            Err(FormatError::Malformed)
        }
    }

    /// The key that wrapped it.
    #[must_use]
    pub const fn wrapping_key(&self) -> &WrappingKeyName {
        &self.wrapping_key
    }

    /// What it is bound to.
    #[must_use]
    pub const fn context(&self) -> &WrapContext {
        &self.context
    }

    /// What the key service made.
    #[must_use]
    pub fn wrapped(&self) -> &[u8] {
        &self.wrapped
    }

    /// The bytes for the key store.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = [MAGIC.as_slice(), &[VERSION]].concat();
        put_field(&mut out, self.wrapping_key.as_str().as_bytes());
        self.context.encode(&mut out);
        put_field(&mut out, &self.wrapped);
        out
    }

    /// Reads what [`WrappedKey::encode`] wrote.
    ///
    /// # Errors
    /// When the bytes are not of this format.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new(bytes);
        reader.head(MAGIC, VERSION)?;
        let wrapping_key = reader.label()?;
        let context = WrapContext::decode(&mut reader)?;
        let wrapped = reader.field()?.to_vec();
        reader.end()?;
        Self::new(wrapping_key, context, wrapped)
    }
}

impl fmt::Display for WrappingKeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WrappedKey").field("wrapping_key", &self.wrapping_key).field("context", &self.context).finish_non_exhaustive()
    }
}
