//! Where a vault is: a folder, or a prefix of an S3 bucket. No secret is part of a place.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use url::{Host, Url};

use crate::{
    error::VaultError,
    objects::{Objects, folder::FolderObjects, s3::S3Objects},
};

const S3_SCHEME: &str = "s3://";

/// A few hundred bytes on a disk of this machine: written, synced and renamed.
const LONGEST_PUT_IN_FOLDER: Duration = Duration::from_secs(2);
/// The store's client repeats a put for half a minute, and the last try of it may take another; twice that is beyond doubt.
const LONGEST_PUT_ON_S3: Duration = Duration::from_secs(120);

/// The place of a vault. Invariant: an S3 place names a bucket, and is asked over an encrypted connection or on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultRoot(Place);

/// What is to be known of an S3 store besides the bucket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct S3Options {
    /// The store's address, where it is not Amazon's. `http` is for this machine only.
    pub endpoint: Option<Url>,
    /// The bucket's region.
    pub region: Option<String>,
}

/// Why a text or its options are not the place of a vault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultRootError {
    /// Neither a folder nor S3.
    #[error("vault `{0}` is neither a folder nor `s3://bucket/prefix`")]
    Scheme(String),
    /// The part after `s3://` can't be read as bucket and prefix. It is not repeated, because it may hold a secret.
    #[error("vault is not of the form `s3://bucket/prefix`, without user, port, query or fragment")]
    Bucket,
    /// The endpoint would be asked in the clear over a network.
    #[error("endpoint `{0}` is not encrypted: `http` is for this machine only, use `https`")]
    Unencrypted(String),
    /// The endpoint is no address.
    #[error("endpoint is not of the form `https://host:port`, without user, query or fragment")]
    Endpoint,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Folder(PathBuf),
    S3 { bucket: String, prefix: String, options: S3Options },
}

impl VaultRoot {
    /// A vault in a folder, which is made if need be.
    #[must_use]
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self(Place::Folder(path.into()))
    }

    /// A folder, or `s3://bucket/prefix`. The options matter to the latter only.
    ///
    /// # Errors
    /// When the text is another kind of place, or the store would be asked in the clear over a network.
    pub fn parse(text: &str, options: S3Options) -> Result<Self, VaultRootError> {
        if text.starts_with(S3_SCHEME) {
            if let Some(endpoint) = &options.endpoint {
                check_endpoint(endpoint)?;
            }
            let (bucket, prefix) = bucket_and_prefix(text)?;
            return Ok(Self(Place::S3 { bucket, prefix, options }));
        }
        match text.split_once("://") {
            Some((scheme, _)) => Err(VaultRootError::Scheme(format!("{scheme}://…"))),
            None if text.is_empty() => Err(VaultRootError::Scheme(String::new())),
            None => Ok(Self::folder(text)),
        }
    }

    /// Whether it is a folder that nobody made yet.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(&self.0, Place::Folder(path) if !path.exists())
    }

    /// Whether the vault is on S3.
    #[must_use]
    pub const fn is_s3(&self) -> bool {
        matches!(self.0, Place::S3 { .. })
    }

    /// How long it may take until a key that a process wrapped is in the store, or will not come any more.
    #[must_use]
    pub const fn longest_put(&self) -> Duration {
        if self.is_s3() { LONGEST_PUT_ON_S3 } else { LONGEST_PUT_IN_FOLDER }
    }
}

/// Opens the store of a vault. A folder is made if need be; of a bucket nothing is asked yet.
///
/// # Errors
/// When the folder can't be made or written, or the client can't be set up.
pub async fn open_objects(root: &VaultRoot) -> Result<Arc<dyn Objects>, VaultError> {
    match &root.0 {
        Place::Folder(path) => Ok(Arc::new(FolderObjects::open(path.clone()).await?)),
        Place::S3 { bucket, prefix, options } => Ok(Arc::new(S3Objects::open(bucket, prefix, options)?)),
    }
}

fn bucket_and_prefix(text: &str) -> Result<(String, String), VaultRootError> {
    let url = Url::parse(text).map_err(|_| VaultRootError::Bucket)?;
    let bucket = url.host_str().filter(|bucket| !bucket.is_empty()).ok_or(VaultRootError::Bucket)?;
    let plain = url.username().is_empty() && url.password().is_none() && url.port().is_none();
    let prefix = url.path().trim_matches('/');
    let nameable = prefix.is_empty() || prefix.parse::<crate::objects::ObjectName>().is_ok();
    if !plain || !nameable || url.query().is_some() || url.fragment().is_some() {
        return Err(VaultRootError::Bucket);
    }
    Ok((bucket.to_owned(), prefix.to_owned()))
}

/// Refuses an address that is none, or that would be asked in the clear over a network.
pub(crate) fn check_endpoint(endpoint: &Url) -> Result<(), VaultRootError> {
    let plain = endpoint.username().is_empty() && endpoint.password().is_none();
    if !plain || endpoint.host().is_none() || endpoint.query().is_some() || endpoint.fragment().is_some() {
        return Err(VaultRootError::Endpoint);
    }
    match endpoint.scheme() {
        "https" => Ok(()),
        "http" if is_this_machine(endpoint) => Ok(()),
        "http" => Err(VaultRootError::Unencrypted(endpoint.to_string())),
        _ => Err(VaultRootError::Endpoint),
    }
}

/// Whether packets to this address never leave the machine. Names other than `localhost` are resolved by others, so they don't count.
pub(crate) fn is_this_machine(endpoint: &Url) -> bool {
    match endpoint.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

impl fmt::Display for VaultRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Folder(path) => write!(f, "{}", path.display()),
            Place::S3 { bucket, prefix, .. } => write!(f, "{S3_SCHEME}{bucket}/{prefix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_endpoint(endpoint: &str) -> Result<VaultRoot, VaultRootError> {
        VaultRoot::parse("s3://bucket/vault", S3Options { endpoint: Some(endpoint.parse().unwrap()), region: None })
    }

    #[test]
    fn folders_and_prefixes_of_buckets_are_places() {
        for (text, shown) in [("/srv/vault", "/srv/vault"), ("vault", "vault"), ("s3://b/a/b/", "s3://b/a/b"), ("s3://b", "s3://b/")] {
            assert_eq!(VaultRoot::parse(text, S3Options::default()).unwrap().to_string(), shown);
        }
        for text in ["", "gs://b/a", "s3://", "s3://key:secret@b/a", "s3://b:80/a", "s3://b/a?x=1", "s3://b/a#x", "s3://b/a%20b"] {
            let refused = VaultRoot::parse(text, S3Options::default()).unwrap_err();
            assert!(!refused.to_string().contains("secret"), "{refused}");
        }
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for endpoint in ["http://127.0.0.1:8333", "http://localhost:8333", "http://[::1]:8333", "https://s3.example"] {
            assert!(with_endpoint(endpoint).is_ok(), "{endpoint}");
        }
        for endpoint in ["http://s3.example", "http://10.0.0.1", "http://localhost.example", "ftp://127.0.0.1", "https://u:p@s3.example"] {
            assert!(with_endpoint(endpoint).is_err(), "{endpoint}");
        }
    }
}
