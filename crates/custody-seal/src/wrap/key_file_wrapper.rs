//! A key file as a key service.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;

use super::{context::WrapContext, error::WrapError, key_file::KeyFile, port::KeyWrapper, wrapped_key::WrappedKey};
use crate::{entropy::Entropy, secret::SecretKey};

/// Wraps and unwraps with the keys of a file that was read and unlocked before.
pub struct KeyFileWrapper {
    file: KeyFile,
    entropy: Mutex<Box<dyn Entropy>>,
}

impl KeyFileWrapper {
    /// Takes over the keys.
    #[must_use]
    pub fn new(file: KeyFile, entropy: Box<dyn Entropy>) -> Self {
        Self { file, entropy: Mutex::new(entropy) }
    }

    /// The keys.
    #[must_use]
    pub const fn file(&self) -> &KeyFile {
        &self.file
    }

    /// The keys, to add or remove some.
    pub const fn file_mut(&mut self) -> &mut KeyFile {
        &mut self.file
    }
}

#[async_trait]
impl KeyWrapper for KeyFileWrapper {
    async fn wrap(&self, key: &SecretKey, context: &WrapContext) -> Result<WrappedKey, WrapError> {
        let mut entropy = self.entropy.lock().unwrap_or_else(PoisonError::into_inner);
        self.file.wrap(key, context, entropy.as_mut())
    }

    async fn unwrap(&self, wrapped: &WrappedKey) -> Result<SecretKey, WrapError> {
        self.file.unwrap(wrapped)
    }
}

impl fmt::Debug for KeyFileWrapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyFileWrapper").field("file", &self.file).finish_non_exhaustive()
    }
}
