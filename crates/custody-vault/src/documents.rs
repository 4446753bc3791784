//! JSON documents: what people decided. Read strictly, so that no word of a decision is passed over.

use std::{fmt, marker::PhantomData, sync::Arc};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    error::VaultError,
    objects::{ObjectName, Objects, Put, Replaced},
};

const ENDING: &str = ".json";

/// Documents that are read at the same time.
const AT_ONCE: usize = 16;

/// A kind of document. Implementors refuse unknown fields and carry a version.
pub trait Document: Serialize + DeserializeOwned + Send + Sync {
    /// The folder that its kind stands in, such as `holds`.
    const FOLDER: &'static str;
    /// The version that this program writes.
    const VERSION: u32;

    /// The version that stands in the document.
    fn version(&self) -> u32;
}

/// Keeps the documents of one kind.
pub struct Documents<T> {
    objects: Arc<dyn Objects>,
    kind: PhantomData<fn() -> T>,
}

impl<T: Document> Documents<T> {
    /// Over a store.
    #[must_use]
    pub fn new(objects: Arc<dyn Objects>) -> Self {
        Self { objects, kind: PhantomData }
    }

    /// Writes a document whose id is not taken yet.
    ///
    /// # Errors
    /// When it is taken or the store fails.
    pub async fn put_new(&self, id: &str, document: &T) -> Result<(), VaultError> {
        let name = name::<T>(id)?;
        match self.objects.put_new(&name, encode(&name, document)?).await? {
            Put::Created => Ok(()),
            // A first try whose answer was lost may have written it.
            Put::Exists if self.objects.get(&name).await? == Some(encode(&name, document)?) => Ok(()),
            Put::Exists => Err(VaultError::DocumentExists { object: name.to_string() }),
        }
    }

    /// Writes a document, whether or not there is one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn put(&self, id: &str, document: &T) -> Result<(), VaultError> {
        let name = name::<T>(id)?;
        self.objects.put(&name, encode(&name, document)?).await
    }

    /// Writes a document that is still `was`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn replace(&self, id: &str, was: &T, document: &T) -> Result<Replaced, VaultError> {
        let name = name::<T>(id)?;
        self.objects.replace(&name, &encode(&name, was)?, encode(&name, document)?).await
    }

    /// A document.
    ///
    /// # Errors
    /// When the store fails, or the document is not what this program writes.
    pub async fn get(&self, id: &str) -> Result<Option<T>, VaultError> {
        self.read(&name::<T>(id)?).await
    }

    /// Deletes a document.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete(&self, id: &str) -> Result<(), VaultError> {
        self.objects.delete(&name::<T>(id)?).await
    }

    /// All documents with their ids, sorted. One that can't be read fails the list: what it decides must not be passed over.
    ///
    /// # Errors
    /// When the store fails, or a document is not what this program writes.
    pub async fn list(&self) -> Result<Vec<(String, T)>, VaultError> {
        self.read_all(self.ids(T::FOLDER.parse()?).await?).await
    }

    /// The ids of all documents below a folder of their kind, sorted.
    ///
    /// # Errors
    /// When the store fails, or the folder can't be named.
    pub async fn ids_below(&self, folder: &str) -> Result<Vec<String>, VaultError> {
        self.ids(format!("{}/{folder}", T::FOLDER).parse()?).await
    }

    async fn ids(&self, folder: ObjectName) -> Result<Vec<String>, VaultError> {
        let names = self.objects.list(&folder).await?;
        let below = names.iter().filter_map(|name| name.as_str().strip_prefix(T::FOLDER)?.strip_prefix('/')?.strip_suffix(ENDING));
        Ok(below.map(str::to_owned).collect())
    }

    /// The documents of these ids that are there, in their order.
    ///
    /// # Errors
    /// As for [`Documents::list`].
    pub async fn read_all(&self, ids: Vec<String>) -> Result<Vec<(String, T)>, VaultError> {
        let reads: Vec<_> = ids.into_iter().map(|id| self.read_one(id)).collect();
        let found: Vec<Option<(String, T)>> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn read_one(&self, id: String) -> Result<Option<(String, T)>, VaultError> {
        let document = self.get(&id).await?;
        Ok(document.map(|document| (id, document)))
    }

    async fn read(&self, name: &ObjectName) -> Result<Option<T>, VaultError> {
        let Some(bytes) = self.objects.get(name).await? else { return Ok(None) };
        let unusable = |source| VaultError::UnusableDocument { object: name.to_string(), source };
        let document: T = serde_json::from_slice(&bytes).map_err(|error| unusable(error.into()))?;
        if document.version() == T::VERSION {
            Ok(Some(document))
        } else {
            Err(unusable(format!("version {} is not known to this program", document.version()).into()))
        }
    }
}

fn name<T: Document>(id: &str) -> Result<ObjectName, VaultError> {
    Ok(format!("{}/{id}{ENDING}", T::FOLDER).parse()?)
}

fn encode<T: Document>(name: &ObjectName, document: &T) -> Result<Bytes, VaultError> {
    let mut text = serde_json::to_vec_pretty(document)
        .map_err(|error| VaultError::UnusableDocument { object: name.to_string(), source: error.into() })?;
    text.push(b'\n');
    Ok(text.into())
}

impl<T> Clone for Documents<T> {
    fn clone(&self) -> Self {
        Self { objects: Arc::clone(&self.objects), kind: PhantomData }
    }
}

impl<T> fmt::Debug for Documents<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Documents").field("objects", &self.objects).finish()
    }
}

#[cfg(test)]
mod tests;
