//! A local folder as an object store whose answer means "on the disk". The stock one leaves what it wrote to the operating system,
//! and the log is cut off after a commit: a power cut could lose both.
//!
//! ```text
//! put:  write `<name>#<n>` ─▶ fsync it ─▶ link (create) or rename (overwrite) to `<name>` ─▶ fsync the folder ─▶ answer
//! ```
//! So a name never stands for half a file. Names with `#<n>` are hidden from listings.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path as FilePath, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use deltalake::logstore::object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, RenameOptions, Result, UploadPart, local::LocalFileSystem, path::Path,
};
use futures::stream::BoxStream;

const STORE: &str = "durable folder";

/// Folders above a new file that may be new as well: the partition's, the table's, the lake's.
const NEW_FOLDERS: usize = 3;

/// The whole local file system, durably written.
#[derive(Debug, Clone)]
pub(crate) struct DurableFolder {
    inner: Arc<LocalFileSystem>,
}

/// Parts are kept until the file is whole: only a table's checkpoints are written this way.
#[derive(Debug)]
struct WholeUpload {
    folder: DurableFolder,
    location: Path,
    parts: Vec<PutPayload>,
}

impl DurableFolder {
    pub(crate) fn new() -> Self {
        Self { inner: Arc::new(LocalFileSystem::new()) }
    }

    async fn write(&self, location: &Path, payload: PutPayload, create: bool) -> Result<PutResult> {
        let path = self.inner.path_to_filesystem(location)?;
        let written = tokio::task::spawn_blocking(move || write_durably(&path, &payload, create));
        match written.await {
            Ok(Ok(())) => Ok(PutResult { e_tag: None, version: None }),
            Ok(Err(source)) if create && source.kind() == io::ErrorKind::AlreadyExists => {
                Err(Error::AlreadyExists { path: location.to_string(), source: Box::new(source) })
            }
            Ok(Err(source)) => Err(Error::Generic { store: STORE, source: Box::new(source) }),
            Err(source) => Err(Error::JoinError { source }),
        }
    }

    async fn sync(&self, location: &Path) -> Result<()> {
        let path = self.inner.path_to_filesystem(location)?;
        let synced = tokio::task::spawn_blocking(move || File::open(&path)?.sync_all().and_then(|()| sync_folder(&path)));
        match synced.await {
            Ok(result) => result.map_err(|source| Error::Generic { store: STORE, source: Box::new(source) }),
            Err(source) => Err(Error::JoinError { source }),
        }
    }
}

fn write_durably(path: &FilePath, payload: &PutPayload, create: bool) -> io::Result<()> {
    let folder_is_new = make_folder(path)?;
    let (mut file, staging) = open_staging(path)?;
    let placed = write_all(&mut file, payload).and_then(|()| place(&staging, path, create));
    if placed.is_err() || create {
        // A link leaves the staging name behind, and so does a failure.
        let _ = fs::remove_file(&staging);
    }
    placed?;
    sync_folder(path)?;
    if folder_is_new { sync_ancestors(path) } else { Ok(()) }
}

fn make_folder(path: &FilePath) -> io::Result<bool> {
    match path.parent() {
        Some(folder) if !folder.is_dir() => fs::create_dir_all(folder).map(|()| true),
        _ => Ok(false),
    }
}

fn open_staging(path: &FilePath) -> io::Result<(File, PathBuf)> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    loop {
        let mut name = path.as_os_str().to_owned();
        name.push(format!("#{}", NEXT.fetch_add(1, Ordering::Relaxed)));
        match OpenOptions::new().create_new(true).write(true).open(&name) {
            Ok(file) => return Ok((file, PathBuf::from(name))),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

fn write_all(file: &mut File, payload: &PutPayload) -> io::Result<()> {
    for part in payload {
        file.write_all(part)?;
    }
    file.sync_all()
}

fn place(staging: &FilePath, path: &FilePath, create: bool) -> io::Result<()> {
    if create { fs::hard_link(staging, path) } else { fs::rename(staging, path) }
}

fn sync_folder(path: &FilePath) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

fn sync_ancestors(path: &FilePath) -> io::Result<()> {
    path.ancestors()
        .skip(2)
        .take(NEW_FOLDERS)
        .filter(|folder| !folder.as_os_str().is_empty())
        .try_for_each(|folder| File::open(folder)?.sync_all())
}

impl fmt::Display for DurableFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(STORE)
    }
}

#[async_trait]
impl ObjectStore for DurableFolder {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        match options.mode {
            PutMode::Create => self.write(location, payload, true).await,
            PutMode::Overwrite => self.write(location, payload, false).await,
            PutMode::Update(_) => self.inner.put_opts(location, payload, options).await,
        }
    }

    async fn put_multipart_opts(&self, location: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Ok(Box::new(WholeUpload { folder: self.clone(), location: location.clone(), parts: Vec::new() }))
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

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await?;
        self.sync(to).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.inner.rename_opts(from, to, options).await?;
        self.sync(to).await
    }
}

#[async_trait]
impl MultipartUpload for WholeUpload {
    fn put_part(&mut self, part: PutPayload) -> UploadPart {
        self.parts.push(part);
        Box::pin(futures::future::ready(Ok(())))
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let whole: PutPayload = self.parts.drain(..).flat_map(IntoIterator::into_iter).collect();
        self.folder.write(&self.location, whole, false).await
    }

    async fn abort(&mut self) -> Result<()> {
        self.parts.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use deltalake::logstore::object_store::ObjectStoreExt;
    use futures::TryStreamExt;

    use super::*;

    async fn names(store: &DurableFolder, folder: &Path) -> Vec<String> {
        let found: Vec<ObjectMeta> = store.list(Some(folder)).try_collect().await.unwrap();
        found.into_iter().filter_map(|object| object.location.filename().map(str::to_owned)).collect()
    }

    #[tokio::test]
    async fn a_name_is_created_once_and_stands_for_a_whole_file() {
        let folder = tempfile::tempdir().unwrap();
        let root = Path::from_absolute_path(folder.path()).unwrap();
        let (store, location) = (DurableFolder::new(), root.clone().join("new").join("folders").join("one"));
        let create = || PutOptions::from(PutMode::Create);
        store.put_opts(&location, "first".into(), create()).await.unwrap();
        let again = store.put_opts(&location, "second".into(), create()).await;
        assert!(matches!(again, Err(Error::AlreadyExists { .. })), "{again:?}");
        assert_eq!(store.get(&location).await.unwrap().bytes().await.unwrap(), "first");
        store.put(&location, "third".into()).await.unwrap();
        assert_eq!(store.get(&location).await.unwrap().bytes().await.unwrap(), "third");
        assert_eq!(names(&store, &root).await, ["one"], "nothing is left behind");
        assert_eq!(fs::read_dir(folder.path().join("new/folders")).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn of_many_that_create_the_same_name_one_wins() {
        let folder = tempfile::tempdir().unwrap();
        let location = Path::from_absolute_path(folder.path()).unwrap().join("0.json");
        let store = DurableFolder::new();
        let puts = (0..16).map(|writer: u32| store.put_opts(&location, writer.to_string().into(), PutMode::Create.into()));
        let won = futures::future::join_all(puts).await.into_iter().filter(Result::is_ok).count();
        assert_eq!(won, 1);
    }

    #[tokio::test]
    async fn a_file_in_parts_appears_when_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let root = Path::from_absolute_path(folder.path()).unwrap();
        let (store, location) = (DurableFolder::new(), root.clone().join("checkpoint"));
        let mut upload = store.put_multipart(&location).await.unwrap();
        upload.put_part("first ".into()).await.unwrap();
        upload.put_part("second".into()).await.unwrap();
        assert!(names(&store, &root).await.is_empty());
        upload.complete().await.unwrap();
        assert_eq!(store.get(&location).await.unwrap().bytes().await.unwrap(), "first second");
    }
}
