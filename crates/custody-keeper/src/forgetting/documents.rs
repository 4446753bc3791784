//! Plans and certificates as JSON documents of the vault's store.
//!
//! A document that several runs may write at once is written over what this run read or wrote of it last: the other one stops.

use serde::{Serialize, de::DeserializeOwned};

use super::{error::ForgetError, ports::VaultStore};

/// Reads a document where it is there.
pub(crate) async fn read<D: DeserializeOwned>(vault: &dyn VaultStore, kind: &'static str, id: &str) -> Result<Option<D>, ForgetError> {
    Ok(read_written(vault, kind, id).await?.map(|(document, _)| document))
}

/// Reads a document, and the bytes that it was written as.
pub(crate) async fn read_written<D: DeserializeOwned>(
    vault: &dyn VaultStore,
    kind: &'static str,
    id: &str,
) -> Result<Option<(D, Vec<u8>)>, ForgetError> {
    let bytes = vault.document(kind, id).await.map_err(ForgetError::at("reading a plan"))?;
    let Some(bytes) = bytes else { return Ok(None) };
    let unreadable = |error: serde_json::Error| ForgetError::Document { name: format!("{kind}/{id}"), why: error.to_string() };
    let document = serde_json::from_slice(&bytes).map_err(unreadable)?;
    Ok(Some((document, bytes)))
}

/// Writes a document durably.
pub(crate) async fn write<D: Serialize + Sync>(
    vault: &dyn VaultStore,
    kind: &'static str,
    id: &str,
    document: &D,
) -> Result<(), ForgetError> {
    let bytes = written(kind, id, document)?;
    vault.put_document(kind, id, bytes).await.map_err(ForgetError::at("writing a plan"))
}

/// Writes a document over what it `was`, which are its new bytes then. False where another run wrote it meanwhile.
pub(crate) async fn write_over<D: Serialize + Sync>(
    vault: &dyn VaultStore,
    kind: &'static str,
    id: &str,
    was: &mut Option<Vec<u8>>,
    document: &D,
) -> Result<bool, ForgetError> {
    let bytes = written(kind, id, document)?;
    let done = vault.replace_document(kind, id, was.as_deref(), bytes.clone()).await.map_err(ForgetError::at("writing a plan"))?;
    if done {
        *was = Some(bytes);
    }
    Ok(done)
}

fn written<D: Serialize>(kind: &str, id: &str, document: &D) -> Result<Vec<u8>, ForgetError> {
    let unwritable = |error: serde_json::Error| ForgetError::Document { name: format!("{kind}/{id}"), why: error.to_string() };
    serde_json::to_vec_pretty(document).map_err(unwritable)
}
