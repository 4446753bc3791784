//! The port: what a key service does for us.

use std::fmt;

use async_trait::async_trait;

use super::{context::WrapContext, error::WrapError, wrapped_key::WrappedKey};
use crate::secret::SecretKey;

/// A key service: AWS KMS, or a local key file.
#[async_trait]
pub trait KeyWrapper: Send + Sync + fmt::Debug {
    /// Wraps a key with the current key of its tenant (or the product's, for edge keys) and binds it to `context`.
    async fn wrap(&self, key: &SecretKey, context: &WrapContext) -> Result<WrappedKey, WrapError>;

    /// Unwraps a key for the context that it carries. The key service checks that context; who asked for a certain key compares
    /// it with what was asked.
    async fn unwrap(&self, wrapped: &WrappedKey) -> Result<SecretKey, WrapError>;

    /// Wraps a kept key anew with the current key. A service that can do so without showing the key does it itself.
    async fn rewrap(&self, wrapped: &WrappedKey) -> Result<WrappedKey, WrapError> {
        let key = self.unwrap(wrapped).await?;
        self.wrap(&key, wrapped.context()).await
    }
}
