//! The disk as the journal needs it: one folder of files with explicit durability. Production uses [`crate::FileDisk`];
//! simulations use a disk that loses unsynced pages on purpose.

use std::{fmt, io, sync::Arc};

/// Held while this process owns the folder; dropping it lets another process in.
pub struct DiskLock(#[expect(dead_code, reason = "held for its drop")] Box<dyn Send + Sync>);

impl DiskLock {
    /// Wraps whatever releases the lock when it is dropped.
    #[must_use]
    pub fn new(guard: Box<dyn Send + Sync>) -> Self {
        Self(guard)
    }
}

impl fmt::Debug for DiskLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DiskLock")
    }
}

/// One folder. Every method that changes names (`create`, `rename`, `remove`, `shrink`) is durable when it returns.
pub trait Disk: Send + Sync + fmt::Debug {
    /// Takes the folder for this process; nothing where another process has it.
    fn lock(&self) -> io::Result<Option<DiskLock>>;
    /// Names of the files in the folder, in any order.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Makes a file of `len` zero bytes whose blocks are written and synced, so that later writes need no allocation. Replaces
    /// a file of that name; leaves none behind on failure.
    fn create(&self, name: &str, len: u64) -> io::Result<()>;
    /// Opens an existing file.
    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;
    /// Gives a file another name, replacing what stood there.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Cuts a file to `len` bytes.
    fn shrink(&self, name: &str, len: u64) -> io::Result<()>;
    /// A number that a copy of the file does not share.
    fn inode(&self, name: &str) -> io::Result<u64>;
}

/// One open file of a [`Disk`].
pub trait DiskFile: Send + Sync + fmt::Debug {
    /// Writes all bytes at `offset`. Not durable before [`DiskFile::sync`].
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Makes all earlier writes durable. After an error nothing is known about them, and asking again would lie.
    fn sync(&self) -> io::Result<()>;
    /// Reads into `buffer` from `offset`; fewer bytes only at the end of the file.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Whether the file has no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        self.len().map(|len| len == 0)
    }
    /// Forgets clean cached pages, so that the next read shows what the device holds.
    fn drop_cache(&self) -> io::Result<()>;
}
