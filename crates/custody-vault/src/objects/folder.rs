//! A folder whose answer means "on the disk".
//!
//! ```text
//! put:     write `.tmp-<random>` ─▶ fsync it ─▶ rename, or link for a new one ─▶ fsync the folder ─▶ answer
//! delete:  remove ─▶ fsync the folder ─▶ answer
//! ```
//! A put that was cut short leaves a `.tmp-…`, which no name can stand for, no listing shows and the next opening removes once it is
//! an hour old. Files are 0600, folders 0700. Replacements and deletions of all processes take turns by a lock on the root, because
//! a file system has no "rename if unchanged".

mod disk;

use std::path::PathBuf;

use async_trait::async_trait;
use bytes::Bytes;

use super::{ObjectName, Objects, Put, Replaced};
use crate::error::VaultError;

/// Objects as files below a root.
#[derive(Debug, Clone)]
pub(crate) struct FolderObjects {
    root: PathBuf,
}

impl FolderObjects {
    /// Opens a folder, which is made if need be, and removes what cut-off puts left.
    pub(crate) async fn open(root: PathBuf) -> Result<Self, VaultError> {
        let objects = Self { root };
        objects.blocking("opening the folder", |root| disk::prepare(&root)).await?;
        Ok(objects)
    }

    async fn blocking<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(PathBuf) -> std::io::Result<T> + Send + 'static,
    ) -> Result<T, VaultError> {
        let root = self.root.clone();
        let done = tokio::task::spawn_blocking(move || work(root)).await;
        done.map_err(VaultError::storage(doing))?.map_err(VaultError::storage(doing))
    }
}

#[async_trait]
impl Objects for FolderObjects {
    async fn get(&self, name: &ObjectName) -> Result<Option<Bytes>, VaultError> {
        let name = name.clone();
        self.blocking("reading an object", move |root| disk::read(&root.join(name.as_str()))).await
    }

    async fn put(&self, name: &ObjectName, bytes: Bytes) -> Result<(), VaultError> {
        let name = name.clone();
        self.blocking("writing an object", move |root| disk::write(&root, name.as_str(), &bytes)).await
    }

    async fn put_new(&self, name: &ObjectName, bytes: Bytes) -> Result<Put, VaultError> {
        let name = name.clone();
        self.blocking("writing a new object", move |root| disk::write_new(&root, name.as_str(), &bytes)).await
    }

    async fn replace(&self, name: &ObjectName, was: &[u8], bytes: Bytes) -> Result<Replaced, VaultError> {
        let (name, was) = (name.clone(), was.to_vec());
        self.blocking("replacing an object", move |root| disk::replace(&root, name.as_str(), &was, &bytes)).await
    }

    async fn delete(&self, name: &ObjectName) -> Result<(), VaultError> {
        let name = name.clone();
        self.blocking("deleting an object", move |root| disk::delete(&root, name.as_str())).await
    }

    async fn list(&self, folder: &ObjectName) -> Result<Vec<ObjectName>, VaultError> {
        let folder = folder.clone();
        self.blocking("listing objects", move |root| disk::list(&root, folder.as_str())).await
    }
}

#[cfg(test)]
mod tests;
