//! The port: named bytes that are durable once a put has answered.
//!
//! What every store promises, and `conformance` proves of each:
//! - a put that answered is there after a power cut; a name never stands for half an object;
//! - of many that create a name at once, one wins;
//! - a replacement never brings back what was deleted in between;
//! - listings are sorted and show whole objects only.

#[cfg(test)]
pub(crate) mod conformance;
pub(crate) mod folder;
mod name;
pub(crate) mod s3;

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::VaultError;

pub use name::{InvalidObjectNameError, ObjectName};

/// What became of a put that must not overwrite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Put {
    /// The object is new.
    Created,
    /// One of this name was there and is untouched. It may be this very put's, when the store's answer to a first try was lost.
    Exists,
}

/// What became of a replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Replaced {
    /// The object has the new bytes.
    Done,
    /// It no longer has the old bytes, or is gone; it is untouched.
    Changed,
}

/// A store of objects.
#[async_trait]
pub trait Objects: Send + Sync + fmt::Debug {
    /// An object's bytes; nothing where there is none.
    async fn get(&self, name: &ObjectName) -> Result<Option<Bytes>, VaultError>;

    /// Writes an object, whether or not there is one.
    async fn put(&self, name: &ObjectName, bytes: Bytes) -> Result<(), VaultError>;

    /// Writes an object that is not there yet.
    async fn put_new(&self, name: &ObjectName, bytes: Bytes) -> Result<Put, VaultError>;

    /// Writes an object that still has the bytes `was`.
    async fn replace(&self, name: &ObjectName, was: &[u8], bytes: Bytes) -> Result<Replaced, VaultError>;

    /// Deletes an object, durably. Deleting what is not there succeeds.
    async fn delete(&self, name: &ObjectName) -> Result<(), VaultError>;

    /// The names of all objects below a folder, sorted.
    async fn list(&self, folder: &ObjectName) -> Result<Vec<ObjectName>, VaultError>;
}
