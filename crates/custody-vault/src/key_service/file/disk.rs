//! The key file on the disk: 0600, replaced as a whole, changed by one process at a time.
//!
//! ```text
//! change: lock `<file>.lock` ─▶ read ─▶ change ─▶ `<file>.new` ─▶ fsync ─▶ rename ─▶ fsync the folder ─▶ unlock
//! ```
//! A wrapping key is on the disk before anything is wrapped with it.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use custody_seal::wrap::{KeyFile, KeyFileError, KeyOwner, PassphraseCost};
use custody_types::{SensitiveText, Timestamp};
use rustix::fs::{FlockOperation, flock};
use zeroize::Zeroizing;

use crate::{entropy::OsEntropy, error::VaultError};

const OTHERS: u32 = 0o077;
/// Tests guess nothing, and use the passphrase more often in a second than a program in its life.
const COST: PassphraseCost = if cfg!(test) { PassphraseCost { memory_kib: 64, passes: 1, lanes: 1 } } else { PassphraseCost::STANDARD };

/// Where the file is and what locks it.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) path: PathBuf,
    pub(super) passphrase: Option<SensitiveText>,
}

/// The keys as they were read, and what the file looked like then.
pub(super) struct Held {
    pub(super) file: KeyFile,
    pub(super) stamp: Stamp,
}

/// Each writing makes a new file, so a changed file never looks the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    inode: u64,
    bytes: u64,
    changed: (i64, i64),
}

impl Place {
    /// Off the async threads: a passphrase takes a while, and so does a disk.
    pub(super) async fn blocking<T: Send + 'static>(
        self,
        work: impl FnOnce(&Self) -> Result<T, VaultError> + Send + 'static,
    ) -> Result<T, VaultError> {
        let done = tokio::task::spawn_blocking(move || work(&self)).await;
        done.map_err(VaultError::storage("using the key file"))?
    }

    pub(super) fn open_or_make(&self, now: Timestamp) -> Result<Held, VaultError> {
        match self.read() {
            Err(VaultError::KeyFileAccess { source, .. }) if source.kind() == ErrorKind::NotFound => self.make(now),
            held => held,
        }
    }

    fn make(&self, now: Timestamp) -> Result<Held, VaultError> {
        let _turn = self.lock()?;
        if self.path.exists() {
            return self.read();
        }
        let mut file = KeyFile::new();
        file.add(KeyOwner::Product, now, &mut OsEntropy).map_err(|cause| self.unusable(cause))?;
        let stamp = self.write(&file, self.passphrase.as_ref())?;
        Ok(Held { file, stamp })
    }

    pub(super) fn read_if_changed(&self, seen: Stamp) -> Result<Option<Held>, VaultError> {
        let found = fs::metadata(&self.path).map_err(|source| self.failed("read", source))?;
        if Stamp::of(&found) == seen { Ok(None) } else { self.read().map(Some) }
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut KeyFile) -> Result<(), KeyFileError>) -> Result<Held, VaultError> {
        let _turn = self.lock()?;
        let mut held = self.read()?;
        change(&mut held.file).map_err(|cause| self.unusable(cause))?;
        held.stamp = self.write(&held.file, self.passphrase.as_ref())?;
        Ok(held)
    }

    pub(super) fn relock(&self, new: Option<SensitiveText>) -> Result<(), VaultError> {
        let _turn = self.lock()?;
        let held = self.read()?;
        self.write(&held.file, new.as_ref())?;
        Self { path: self.path.clone(), passphrase: new }.read().map(|_| ())
    }

    fn read(&self) -> Result<Held, VaultError> {
        let mut file = File::open(&self.path).map_err(|source| self.failed("read", source))?;
        let found = file.metadata().map_err(|source| self.failed("read", source))?;
        let mode = found.permissions().mode() & 0o777;
        if mode & OTHERS != 0 {
            return Err(VaultError::KeyFileOpenToOthers { path: self.path.clone(), mode });
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(found.len()).unwrap_or(0)));
        io::Read::read_to_end(&mut file, &mut bytes).map_err(|source| self.failed("read", source))?;
        let keys = KeyFile::unlock(&bytes, self.passphrase.as_ref()).map_err(|cause| self.unusable(cause))?;
        Ok(Held { file: keys, stamp: Stamp::of(&found) })
    }

    /// What the file looks like then. Nobody else changes it meanwhile: the caller holds the lock.
    fn write(&self, file: &KeyFile, passphrase: Option<&SensitiveText>) -> Result<Stamp, VaultError> {
        let bytes = match passphrase {
            Some(passphrase) => file.lock(passphrase, COST, &mut OsEntropy),
            None => file.encode_unlocked(&mut OsEntropy),
        };
        let bytes = Zeroizing::new(bytes.map_err(|cause| self.unusable(cause))?);
        replace(&self.path, &bytes).map_err(|source| self.failed("written", source))
    }

    fn lock(&self) -> Result<File, VaultError> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(beside(&self.path, ".lock"));
        let file = file.map_err(|source| self.failed("written", source))?;
        flock(&file, FlockOperation::LockExclusive).map_err(|error| self.failed("written", error.into()))?;
        Ok(file)
    }

    fn failed(&self, doing: &'static str, source: io::Error) -> VaultError {
        VaultError::KeyFileAccess { path: self.path.clone(), doing, source }
    }

    fn unusable(&self, cause: KeyFileError) -> VaultError {
        VaultError::KeyFile { path: self.path.clone(), cause }
    }
}

/// The caller holds the lock, so that the new file is its own; one that a cut-off change left is overwritten.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<Stamp> {
    let new = beside(path, ".new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    let stamp = Stamp::of(&file.metadata()?);
    fs::rename(&new, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all().map(|()| stamp)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

impl Stamp {
    fn of(found: &Metadata) -> Self {
        Self { inode: found.ino(), bytes: found.size(), changed: (found.mtime(), found.mtime_nsec()) }
    }
}
