//! A store that lets something happen when a commit is put.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use deltalake::logstore::{
    LogStoreRef, StorageConfig, logstore_with,
    object_store::{
        CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode, PutMultipartOptions,
        PutOptions, PutPayload, PutResult, RenameOptions, Result, path::Path,
    },
};
use futures::{future::BoxFuture, stream::BoxStream};

/// What happens at one put of a commit.
pub(crate) enum Meddle {
    /// Somebody else is faster.
    Before(BoxFuture<'static, ()>),
    /// It is made, and the answer is lost.
    LoseAnswer,
    /// It is not made, and the answer is lost.
    LoseRequest,
}

struct Meddling {
    inner: Arc<dyn ObjectStore>,
    coming: Mutex<VecDeque<Meddle>>,
}

/// The same log, with something in the way of its next commits.
pub(crate) fn meddling(log_store: &LogStoreRef, coming: impl IntoIterator<Item = Meddle>) -> LogStoreRef {
    let store = Meddling { inner: log_store.root_object_store(None), coming: Mutex::new(coming.into_iter().collect()) };
    logstore_with(Arc::new(store), log_store.root_url(), StorageConfig::default()).unwrap()
}

impl Meddling {
    fn next(&self, location: &Path, options: &PutOptions) -> Option<Meddle> {
        let is_commit = matches!(options.mode, PutMode::Create) && location.as_ref().contains("_delta_log");
        if is_commit { self.coming.lock().unwrap().pop_front() } else { None }
    }
}

fn torn() -> Error {
    Error::Generic { store: "meddling", source: Box::new(std::io::Error::from(std::io::ErrorKind::ConnectionReset)) }
}

impl fmt::Debug for Meddling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl fmt::Display for Meddling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.inner, f)
    }
}

#[async_trait]
impl ObjectStore for Meddling {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        match self.next(location, &options) {
            None => self.inner.put_opts(location, payload, options).await,
            Some(Meddle::Before(other)) => {
                other.await;
                self.inner.put_opts(location, payload, options).await
            }
            Some(Meddle::LoseAnswer) => {
                self.inner.put_opts(location, payload, options).await?;
                Err(torn())
            }
            Some(Meddle::LoseRequest) => Err(torn()),
        }
    }

    async fn put_multipart_opts(&self, location: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.inner.rename_opts(from, to, options).await
    }
}
