//! Where a lake is: a folder, or a prefix of an S3 bucket.
//!
//! No secret is part of a location. Credentials come from where AWS programs take them: the environment, a profile, web identity, the
//! container, the instance. With an endpoint of one's own, profiles are not looked at. The region of a bucket is asked for here or in
//! `AWS_REGION`; without one, `us-east-1` is asked.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use url::{Host, Url};

const S3_SCHEME: &str = "s3://";

/// The place of a lake. Invariant: an S3 place names a bucket, and is asked over an encrypted connection or on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LakeRoot(Place);

/// What is to be known of an S3 store besides the bucket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct S3Options {
    /// The store's address, where it is not Amazon's. `http` is for this machine only.
    pub endpoint: Option<Url>,
    /// The bucket's region.
    pub region: Option<String>,
}

/// Why a text or its options are not the place of a lake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LakeRootError {
    /// Neither a folder nor S3.
    #[error("lake `{0}` is neither a folder nor `s3://bucket/prefix`")]
    Scheme(String),
    /// The part after `s3://` can't be read as bucket and prefix. It is not repeated, because it may hold a secret.
    #[error("lake is not of the form `s3://bucket/prefix`, without user, port, query or fragment")]
    Bucket,
    /// The endpoint would carry evidence in the clear over a network.
    #[error("endpoint `{0}` is not encrypted: `http` is for this machine only, use `https`")]
    Unencrypted(String),
    /// The endpoint is no address of a store.
    #[error("endpoint is not of the form `https://host:port`, without user, query or fragment")]
    Endpoint,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Folder(PathBuf),
    S3 {
        /// Bucket and prefix, without a slash at the end.
        url: Url,
        options: S3Options,
    },
}

impl LakeRoot {
    /// A lake in a folder, which is made if need be.
    #[must_use]
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self(Place::Folder(path.into()))
    }

    /// A folder, or `s3://bucket/prefix`. The options matter to the latter only.
    ///
    /// # Errors
    /// When the text is another kind of place, or the store would be asked in the clear over a network.
    pub fn parse(text: &str, options: S3Options) -> Result<Self, LakeRootError> {
        if text.starts_with(S3_SCHEME) {
            if let Some(endpoint) = &options.endpoint {
                check_endpoint(endpoint)?;
            }
            return Ok(Self(Place::S3 { url: bucket_and_prefix(text)?, options }));
        }
        match text.split_once("://") {
            Some((scheme, _)) => Err(LakeRootError::Scheme(format!("{scheme}://…"))),
            None if text.is_empty() => Err(LakeRootError::Scheme(String::new())),
            None => Ok(Self::folder(text)),
        }
    }

    /// Whether the lake is on S3.
    #[must_use]
    pub const fn is_s3(&self) -> bool {
        matches!(self.0, Place::S3 { .. })
    }

    pub(crate) const fn place(&self) -> &Place {
        &self.0
    }
}

fn bucket_and_prefix(text: &str) -> Result<Url, LakeRootError> {
    let mut url = Url::parse(text.trim_end_matches('/')).map_err(|_| LakeRootError::Bucket)?;
    let has_host = url.host_str().is_some_and(|bucket| !bucket.is_empty());
    let plain = url.username().is_empty() && url.password().is_none() && url.port().is_none();
    if !has_host || !plain || url.query().is_some() || url.fragment().is_some() {
        return Err(LakeRootError::Bucket);
    }
    let prefix = url.path().trim_end_matches('/').to_owned();
    url.set_path(&prefix);
    Ok(url)
}

fn check_endpoint(endpoint: &Url) -> Result<(), LakeRootError> {
    let plain = endpoint.username().is_empty() && endpoint.password().is_none();
    if !plain || endpoint.host().is_none() || endpoint.query().is_some() || endpoint.fragment().is_some() {
        return Err(LakeRootError::Endpoint);
    }
    match endpoint.scheme() {
        "https" => Ok(()),
        "http" if is_this_machine(endpoint) => Ok(()),
        "http" => Err(LakeRootError::Unencrypted(endpoint.to_string())),
        _ => Err(LakeRootError::Endpoint),
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

impl fmt::Display for LakeRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Folder(path) => write!(f, "{}", path.display()),
            Place::S3 { url, .. } => write!(f, "{url}"),
        }
    }
}

impl From<&Path> for LakeRoot {
    fn from(path: &Path) -> Self {
        Self::folder(path)
    }
}

impl From<&PathBuf> for LakeRoot {
    fn from(path: &PathBuf) -> Self {
        Self::folder(path)
    }
}

impl From<&Self> for LakeRoot {
    fn from(root: &Self) -> Self {
        root.clone()
    }
}

#[cfg(test)]
mod tests;
