//! Plans and certificates as JSON documents of the vault's store.

use serde::{Serialize, de::DeserializeOwned};

use super::{error::ForgetError, ports::VaultStore};

/// Reads a document where it is there.
pub(crate) async fn read<D: DeserializeOwned>(vault: &dyn VaultStore, kind: &'static str, id: &str) -> Result<Option<D>, ForgetError> {
    let bytes = vault.document(kind, id).await.map_err(ForgetError::at("reading a plan"))?;
    let Some(bytes) = bytes else { return Ok(None) };
    let unreadable = |error: serde_json::Error| ForgetError::Document { name: format!("{kind}/{id}"), why: error.to_string() };
    serde_json::from_slice(&bytes).map(Some).map_err(unreadable)
}

/// Writes a document durably.
pub(crate) async fn write<D: Serialize + Sync>(
    vault: &dyn VaultStore,
    kind: &'static str,
    id: &str,
    document: &D,
) -> Result<(), ForgetError> {
    let unwritable = |error: serde_json::Error| ForgetError::Document { name: format!("{kind}/{id}"), why: error.to_string() };
    let bytes = serde_json::to_vec_pretty(document).map_err(unwritable)?;
    vault.put_document(kind, id, bytes).await.map_err(ForgetError::at("writing a plan"))
}
