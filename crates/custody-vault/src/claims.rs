//! Claim checks: sealed texts too large for the stream or the table. The record or row holds the name.
//!
//! ```text
//! claims/edge/<day>/<content id>                                  as the edge sealed it
//! claims/rest/<expires on>/<content id>.<unit key id>             under the key that the row names
//! claims/rest/<expires on>/<content id>.<unit key id>.redacted    what redaction left, beside it
//! claims/rest/<expires on>/<content id>.sealed                    one that did not open, as it came
//! ```
//! Two processes may seal one text under two keys at once. The row of one of them is committed; what the other put goes by its date.

use std::sync::Arc;

use bytes::Bytes;
use custody_seal::{edge::EdgeDay, rest::UnitKeyId};

use crate::{
    error::VaultError,
    objects::{InvalidObjectNameError, ObjectName, Objects},
};

const EDGE: &str = "claims/edge";
const REST: &str = "claims/rest";
const REDACTED: &str = ".redacted";
const SEALED: &str = ".sealed";

/// Keeps claim checks.
#[derive(Debug, Clone)]
pub struct Claims {
    objects: Arc<dyn Objects>,
}

impl Claims {
    /// Over a store.
    #[must_use]
    pub fn new(objects: Arc<dyn Objects>) -> Self {
        Self { objects }
    }

    /// Keeps a text as the edge sealed it, under the day of its key. The answer stands in the content record.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn put_edge(&self, day: EdgeDay, content_id: &str, sealed: Bytes) -> Result<ObjectName, VaultError> {
        self.keep(format!("{EDGE}/{day}/{content_id}"), sealed).await
    }

    /// Keeps a text as it is sealed at rest under a key. The answer stands in the row.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn put_rest(&self, expires_on: i32, content_id: &str, key: UnitKeyId, sealed: Bytes) -> Result<ObjectName, VaultError> {
        self.keep(format!("{REST}/{expires_on}/{content_id}.{key}"), sealed).await
    }

    /// Keeps a text that did not open, as it came. The answer stands in the row.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn put_rest_unopened(&self, expires_on: i32, content_id: &str, sealed: Bytes) -> Result<ObjectName, VaultError> {
        self.keep(format!("{REST}/{expires_on}/{content_id}{SEALED}"), sealed).await
    }

    /// Keeps a redacted text as it is sealed at rest, beside the full one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn put_rest_redacted(
        &self,
        expires_on: i32,
        content_id: &str,
        key: UnitKeyId,
        sealed: Bytes,
    ) -> Result<ObjectName, VaultError> {
        self.keep(format!("{REST}/{expires_on}/{content_id}.{key}{REDACTED}"), sealed).await
    }

    async fn keep(&self, claim: String, sealed: Bytes) -> Result<ObjectName, VaultError> {
        let name = claim_name(&claim)?;
        self.objects.put(&name, sealed).await.map(|()| name)
    }

    /// What a record or row names; nothing where it is gone. Other objects of the vault can't be reached this way.
    ///
    /// # Errors
    /// When the name is no claim's or the store fails.
    pub async fn get(&self, claim: &str) -> Result<Option<Bytes>, VaultError> {
        self.objects.get(&claim_name(claim)?).await
    }

    /// Deletes what a record or row names.
    ///
    /// # Errors
    /// When the name is no claim's or the store fails.
    pub async fn delete(&self, claim: &str) -> Result<(), VaultError> {
        self.objects.delete(&claim_name(claim)?).await
    }

    /// Deletes all of a day that the edge sealed, and says how many.
    ///
    /// # Errors
    /// When the store fails; the next call goes on.
    pub async fn delete_edge_day(&self, day: EdgeDay) -> Result<usize, VaultError> {
        let claims = self.objects.list(&edge_day(day)?).await?;
        for claim in &claims {
            self.objects.delete(claim).await?;
        }
        Ok(claims.len())
    }

    /// The days under which the edge left texts.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn edge(&self) -> Result<Vec<ObjectName>, VaultError> {
        self.objects.list(&EDGE.parse()?).await
    }

    /// All that is kept at rest.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn rest(&self) -> Result<Vec<ObjectName>, VaultError> {
        self.objects.list(&REST.parse()?).await
    }

    /// What is kept at rest and may not be from this UTC day on (days since 1970-01-01). Who deletes it looks at holds first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn expired(&self, today: i32) -> Result<Vec<ObjectName>, VaultError> {
        let mut claims = self.rest().await?;
        claims.retain(|claim| expires_on(claim).is_some_and(|day| day <= today));
        Ok(claims)
    }
}

fn edge_day(day: EdgeDay) -> Result<ObjectName, VaultError> {
    Ok(format!("{EDGE}/{day}").parse()?)
}

fn expires_on(claim: &ObjectName) -> Option<i32> {
    claim.segments().nth(2)?.parse().ok()
}

/// The name of a claim, and of nothing else.
fn claim_name(claim: &str) -> Result<ObjectName, InvalidObjectNameError> {
    let name: ObjectName = claim.parse()?;
    let is_claim = [EDGE, REST].iter().any(|folder| claim.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')));
    if is_claim && name.segments().count() == 4 { Ok(name) } else { Err(InvalidObjectNameError::of(claim)) }
}

#[cfg(test)]
mod tests;
