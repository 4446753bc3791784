//! A prefix of an S3 bucket. Creating and replacing are conditional puts, so that of many writers one wins.
//!
//! A put whose answer was lost is repeated by the client; a creation may then meet itself and answer that the object exists, which
//! callers take as "use what is there". Buckets with versions keep what is deleted as an old version: `docs/DEPLOYMENT.md` says what
//! to set.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::{
    ClientOptions, Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, RetryConfig, UpdateVersion,
    aws::{AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut},
    path::Path,
};
use url::Url;

use super::{ObjectName, Objects, Put, Replaced};
use crate::{
    error::VaultError,
    root::{S3Options, is_this_machine},
};

const OPENING: &str = "opening the bucket";
/// A connection that takes longer is not coming.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// Longest request: a claim check of 64 MiB.
const REQUEST_LIMIT: Duration = Duration::from_secs(60);
/// Repetitions of one request, and the time after which there are no more. Callers repeat on their own.
const MOST_RETRIES: usize = 6;
const RETRIES_FOR: Duration = Duration::from_secs(30);

/// Objects below a prefix.
#[derive(Debug, Clone)]
pub(crate) struct S3Objects {
    store: Arc<dyn ObjectStore>,
    prefix: String,
}

impl S3Objects {
    /// Prepares the client; nothing is asked yet. Credentials are those of the environment, the container or the instance.
    pub(crate) fn open(bucket: &str, prefix: &str, options: &S3Options) -> Result<Self, VaultError> {
        let http = options.endpoint.as_ref().is_some_and(|endpoint| endpoint.scheme() == "http" && is_this_machine(endpoint));
        let client = ClientOptions::new().with_allow_http(http).with_connect_timeout(CONNECT_LIMIT).with_timeout(REQUEST_LIMIT);
        let retries = RetryConfig { max_retries: MOST_RETRIES, retry_timeout: RETRIES_FOR, ..RetryConfig::default() };
        let mut builder = AmazonS3Builder::from_env()
            .with_bucket_name(bucket)
            .with_client_options(client)
            .with_retry(retries)
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .with_allow_http(http);
        if let Some(region) = &options.region {
            builder = builder.with_region(region);
        }
        if let Some(endpoint) = &options.endpoint {
            // The second is what `AWS_ENDPOINT_URL_S3` of the environment would set, and goes before the first.
            for key in [AmazonS3ConfigKey::Endpoint, AmazonS3ConfigKey::S3Endpoint] {
                builder = builder.with_config(key, address(endpoint));
            }
        }
        let store = builder.build().map_err(VaultError::storage(OPENING))?;
        Ok(Self { store: Arc::new(store), prefix: prefix.to_owned() })
    }

    fn path(&self, name: &ObjectName) -> Result<Path, VaultError> {
        let whole = if self.prefix.is_empty() { name.to_string() } else { format!("{}/{name}", self.prefix) };
        Path::parse(whole).map_err(VaultError::storage("naming an object"))
    }

    fn name(&self, path: &Path) -> Option<ObjectName> {
        let below = path.as_ref().strip_prefix(&self.prefix)?;
        below.trim_start_matches('/').parse().ok()
    }

    async fn put_as(&self, name: &ObjectName, bytes: Bytes, mode: PutMode) -> Result<(), Error> {
        let path = self.path(name).map_err(|error| Error::Generic { store: "vault", source: Box::new(error) })?;
        self.store.put_opts(&path, bytes.into(), PutOptions::from(mode)).await.map(|_| ())
    }
}

fn address(endpoint: &Url) -> String {
    endpoint.as_str().trim_end_matches('/').to_owned()
}

/// What the store said, told apart by whether asking again can help.
fn failed(doing: &'static str) -> impl FnOnce(Error) -> VaultError {
    move |error| match error {
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => VaultError::StorageRefused { doing, source: Box::new(error) },
        error => VaultError::Storage { doing, source: Box::new(error) },
    }
}

#[async_trait]
impl Objects for S3Objects {
    async fn get(&self, name: &ObjectName) -> Result<Option<Bytes>, VaultError> {
        const DOING: &str = "reading an object";
        match self.store.get(&self.path(name)?).await {
            Ok(found) => found.bytes().await.map(Some).map_err(failed(DOING)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(DOING)(error)),
        }
    }

    async fn put(&self, name: &ObjectName, bytes: Bytes) -> Result<(), VaultError> {
        self.put_as(name, bytes, PutMode::Overwrite).await.map_err(failed("writing an object"))
    }

    async fn put_new(&self, name: &ObjectName, bytes: Bytes) -> Result<Put, VaultError> {
        match self.put_as(name, bytes, PutMode::Create).await {
            Ok(()) => Ok(Put::Created),
            Err(Error::AlreadyExists { .. }) => Ok(Put::Exists),
            Err(error) => Err(failed("writing a new object")(error)),
        }
    }

    async fn replace(&self, name: &ObjectName, was: &[u8], bytes: Bytes) -> Result<Replaced, VaultError> {
        const DOING: &str = "replacing an object";
        let found = match self.store.get(&self.path(name)?).await {
            Err(Error::NotFound { .. }) => return Ok(Replaced::Changed),
            found => found.map_err(failed(DOING))?,
        };
        let version = UpdateVersion { e_tag: found.meta.e_tag.clone(), version: found.meta.version.clone() };
        if found.bytes().await.map_err(failed(DOING))? != was {
            return Ok(Replaced::Changed);
        }
        match self.put_as(name, bytes, PutMode::Update(version)).await {
            Ok(()) => Ok(Replaced::Done),
            Err(Error::Precondition { .. } | Error::NotFound { .. }) => Ok(Replaced::Changed),
            Err(error) => Err(failed(DOING)(error)),
        }
    }

    async fn delete(&self, name: &ObjectName) -> Result<(), VaultError> {
        match self.store.delete(&self.path(name)?).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed("deleting an object")(error)),
        }
    }

    async fn list(&self, folder: &ObjectName) -> Result<Vec<ObjectName>, VaultError> {
        let found: Vec<_> = self.store.list(Some(&self.path(folder)?)).try_collect().await.map_err(failed("listing objects"))?;
        let mut names: Vec<ObjectName> = found.iter().filter_map(|object| self.name(&object.location)).collect();
        names.sort_unstable();
        Ok(names)
    }
}

#[cfg(test)]
mod tests;
