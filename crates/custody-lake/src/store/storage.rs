//! Opens the storage below a table: a folder that is written durably, or S3 with conditional puts, bounded waits and bounded retries.
//!
//! What the S3 client repeats by itself: a request that was refused as busy (5xx, 429) or never got through, and reads. A conditional
//! put whose answer was lost is not repeated; where a repetition met its own first try after all (a 5xx or a torn connection after the
//! commit was made), the store answers that the version exists, which the caller resolves with `find_commit`. So is a 409.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Once},
    time::Duration,
};

use deltalake::{DeltaTableBuilder, DeltaTableError, ensure_table_uri, logstore::LogStoreRef};
use url::Url;

use super::durable_folder::DurableFolder;
use crate::{
    error::StoreError,
    location::{LakeRoot, Place, S3Options, is_this_machine},
};

const OPENING: &str = "opening the table";

/// A connection that takes longer is not coming.
const CONNECT_LIMIT: &str = "5s";

/// Repetitions of one request, and the time after which there are no more. Ingest and queries repeat on their own.
const MOST_RETRIES: &str = "8";
const RETRIES_FOR: &str = "45s";

/// What a table is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Reads only.
    Read,
    /// Reads and durable writes as small as ingest makes them. A folder that is not there is made.
    Write,
    /// Reads and durable writes of files as large as compaction makes them, and deletions.
    Rewrite,
}

impl Access {
    /// Longest request, its body included: a range of a file, a flush of ingest, a file of compaction (256 MiB in ten minutes is slower
    /// than any network this should run on).
    const fn request_limit(self) -> Duration {
        match self {
            Self::Read => Duration::from_secs(30),
            Self::Write => Duration::from_secs(60),
            Self::Rewrite => Duration::from_secs(600),
        }
    }
}

/// The log of a table below a lake's root. The table may not be there yet.
pub(crate) fn log_store(lake: &LakeRoot, table: &'static str, access: Access) -> Result<LogStoreRef, StoreError> {
    match lake.place() {
        Place::Folder(folder) => in_folder(&folder.join(table), table, access),
        Place::S3 { url, options } => on_s3(url, table, options, access).map_err(StoreError::storage(OPENING)),
    }
}

fn in_folder(folder: &Path, table: &'static str, access: Access) -> Result<LogStoreRef, StoreError> {
    let url = folder_url(folder, table, access)?;
    let builder = DeltaTableBuilder::from_url(url.clone()).map_err(StoreError::storage(OPENING))?;
    let builder = match access {
        Access::Read => builder,
        Access::Write | Access::Rewrite => builder.with_storage_backend(Arc::new(DurableFolder::new()), url),
    };
    builder.build_storage().map_err(StoreError::storage(OPENING))
}

fn folder_url(folder: &Path, table: &'static str, access: Access) -> Result<Url, StoreError> {
    let folder = std::path::absolute(folder).map_err(StoreError::storage(OPENING))?;
    if access == Access::Write {
        std::fs::create_dir_all(&folder).map_err(StoreError::storage(OPENING))?;
    } else if !folder.is_dir() {
        return Err(StoreError::UnusableTable { table, found: format!("no folder `{}`", folder.display()) });
    }
    let url = Url::from_directory_path(&folder).map_err(|()| StoreError::storage(OPENING)("folder has no URL"))?;
    ensure_table_uri(url.as_str()).map_err(StoreError::storage(OPENING))
}

fn on_s3(root: &Url, table: &str, options: &S3Options, access: Access) -> Result<LogStoreRef, DeltaTableError> {
    register_s3();
    let mut url = root.clone();
    url.set_path(&format!("{}/{table}/", root.path()));
    DeltaTableBuilder::from_url(url)?.with_storage_options(s3_settings(options, access)).build_storage()
}

/// Once per process, and here only.
fn register_s3() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| deltalake::aws::register_handlers(None));
}

/// What is set here wins over the environment, which the library reads for all it finds there.
fn s3_settings(options: &S3Options, access: Access) -> HashMap<String, String> {
    let http = options.endpoint.as_ref().is_some_and(|endpoint| endpoint.scheme() == "http" && is_this_machine(endpoint));
    let mut settings = HashMap::from([
        ("aws_conditional_put", "etag".to_owned()),
        ("aws_allow_http", http.to_string()),
        ("allow_invalid_certificates", "false".to_owned()),
        ("connect_timeout", CONNECT_LIMIT.to_owned()),
        ("timeout", format!("{}s", access.request_limit().as_secs())),
        ("max_retries", MOST_RETRIES.to_owned()),
        ("retry_timeout", RETRIES_FOR.to_owned()),
    ]);
    if let Some(region) = &options.region {
        settings.insert("aws_region", region.clone());
    }
    if let Some(endpoint) = &options.endpoint {
        // The second is what `AWS_ENDPOINT_URL_S3` of the environment would set, and goes before the first.
        for key in ["aws_endpoint", "aws_endpoint_url_s3"] {
            settings.insert(key, endpoint.as_str().trim_end_matches('/').to_owned());
        }
    }
    settings.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn puts_are_conditional_waits_are_bounded_and_plain_http_needs_an_endpoint_here() {
        let settings = s3_settings(&S3Options::default(), Access::Write);
        let of = |key: &str| settings.get(key).map(String::as_str);
        assert_eq!(of("aws_conditional_put"), Some("etag"));
        assert_eq!((of("timeout"), of("connect_timeout"), of("retry_timeout")), (Some("60s"), Some("5s"), Some("45s")));
        assert_eq!((of("aws_allow_http"), of("aws_endpoint"), of("aws_region")), (Some("false"), None, None));
        let endpoint = Url::parse("http://127.0.0.1:8333/").ok();
        let here = s3_settings(&S3Options { endpoint, region: Some("eu-central-1".to_owned()) }, Access::Rewrite);
        assert_eq!(here["aws_allow_http"], "true");
        assert_eq!(here["aws_endpoint"], "http://127.0.0.1:8333");
        assert_eq!(here["aws_endpoint_url_s3"], "http://127.0.0.1:8333");
        assert_eq!((here["aws_region"].as_str(), here["timeout"].as_str()), ("eu-central-1", "600s"));
    }
}
