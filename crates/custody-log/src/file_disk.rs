//! A folder on a real disk. Linux: `flock`, `fallocate`, `fdatasync`, `posix_fadvise`.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use rustix::fs::{Advice, FallocateFlags, FlockOperation, fadvise, fallocate, flock};

use crate::disk::{Disk, DiskFile, DiskLock};

const LOCK: &str = "lock";
const ZEROS: usize = 1 << 20;
/// Zeros written between syncs, so that a spare in the making does not stall the commits beside it for long.
const ZEROS_PER_SYNC: usize = 4 << 20;

/// One folder.
#[derive(Debug)]
pub struct FileDisk {
    folder: PathBuf,
    writable: bool,
}

impl FileDisk {
    /// The folder, made where it is missing.
    pub fn open(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_path_buf(), writable: true })
    }

    /// An existing folder, to read from.
    #[must_use]
    pub fn read_only(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf(), writable: false }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }

    fn fill(&self, path: &Path, len: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
        if len > 0 {
            reserve(&file, len)?;
        }
        write_zeros(&file, len)?;
        file.sync_all()?;
        self.sync_folder()
    }
}

/// Asks for all blocks at once, so that a full disk says so before anything is written. File systems that cannot are found out
/// by writing.
fn reserve(file: &File, len: u64) -> io::Result<()> {
    match fallocate(file, FallocateFlags::empty(), 0, len) {
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => Ok(()),
        other => other.map_err(io::Error::from),
    }
}

fn write_zeros(file: &File, len: u64) -> io::Result<()> {
    let zeros = vec![0; ZEROS];
    let mut offset = 0;
    while offset < len {
        let piece = zeros.get(..usize::try_from(len - offset).unwrap_or(ZEROS).min(ZEROS)).unwrap_or_default();
        file.write_all_at(piece, offset)?;
        offset += piece.len() as u64;
        if offset.is_multiple_of(ZEROS_PER_SYNC as u64) {
            file.sync_data()?;
        }
    }
    Ok(())
}

impl Disk for FileDisk {
    fn lock(&self) -> io::Result<Option<DiskLock>> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(self.path(LOCK))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(DiskLock::new(Box::new(file)))),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn list(&self) -> io::Result<Vec<String>> {
        std::fs::read_dir(&self.folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn create(&self, name: &str, len: u64) -> io::Result<()> {
        let path = self.path(name);
        self.fill(&path, len).inspect_err(|_| {
            // Best effort: what remains is a `.tmp` file that the next open removes.
            let _ = std::fs::remove_file(&path);
        })
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let file = OpenOptions::new().read(true).write(self.writable).open(self.path(name))?;
        Ok(Arc::new(RealFile(file)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.path(from), self.path(to))?;
        self.sync_folder()
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.path(name))?;
        self.sync_folder()
    }

    fn shrink(&self, name: &str, len: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(self.path(name))?;
        file.set_len(len)?;
        file.sync_all()
    }

    fn inode(&self, name: &str) -> io::Result<u64> {
        std::fs::metadata(self.path(name)).map(|metadata| metadata.ino())
    }
}

#[derive(Debug)]
struct RealFile(File);

impl DiskFile for RealFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut read = 0;
        while let Some(rest) = buffer.get_mut(read..).filter(|rest| !rest.is_empty()) {
            match self.0.read_at(rest, offset + read as u64) {
                Ok(0) => break,
                Ok(more) => read += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(read)
    }

    fn len(&self) -> io::Result<u64> {
        self.0.metadata().map(|metadata| metadata.len())
    }

    fn drop_cache(&self) -> io::Result<()> {
        fadvise(&self.0, 0, None, Advice::DontNeed).map_err(io::Error::from)
    }
}
