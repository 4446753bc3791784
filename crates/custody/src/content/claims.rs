//! Sealed texts that are too large for the stream, in the vault's store.

use std::sync::Arc;

use async_trait::async_trait;
use custody_gateway::{ClaimError, ClaimStore};
use custody_seal::edge::EdgeDay;
use custody_types::Text;
use custody_vault::{Claims, Objects};

/// The store as the gateway sees it.
pub struct VaultClaims(Claims);

impl VaultClaims {
    pub fn new(objects: Arc<dyn Objects>) -> Self {
        Self(Claims::new(objects))
    }
}

#[async_trait]
impl ClaimStore for VaultClaims {
    async fn put(&self, day: EdgeDay, content_id: &str, sealed: Vec<u8>) -> Result<Text, ClaimError> {
        let stored = self.0.put_edge(day, content_id, sealed.into()).await;
        stored.map(|name| Text::from(name.to_string())).map_err(|error| ClaimError(error.into()))
    }
}
