//! The steps on the file system, each durable before it returns.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use rustix::fs::{FlockOperation, flock};

use crate::objects::{ObjectName, Put, Replaced};

const TEMPORARY: &str = ".tmp-";
const LOCK: &str = ".lock";
const MOST_TRIES: u32 = 8;
/// A put takes seconds; what is older was cut off.
const CUT_OFF_AFTER: Duration = Duration::from_secs(3_600);

/// Makes the root if need be and removes what cut-off puts left in it.
pub(super) fn prepare(root: &Path) -> io::Result<()> {
    make_folders(root)?;
    fs::set_permissions(root, Permissions::from_mode(0o700))?;
    drop(lock(root)?);
    walk(root, &mut |path, name| {
        if name.starts_with(TEMPORARY) && is_old(path) {
            remove_if_there(path)?;
        }
        Ok(())
    })
}

pub(super) fn read(path: &Path) -> io::Result<Option<Bytes>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(Bytes::from(bytes))),
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn write(root: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let path = root.join(name);
    let temporary = staged(root, &path, bytes)?;
    if let Err(error) = fs::rename(&temporary, &path) {
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    sync_parent(&path)
}

pub(super) fn write_new(root: &Path, name: &str, bytes: &[u8]) -> io::Result<Put> {
    let path = root.join(name);
    let temporary = staged(root, &path, bytes)?;
    let linked = fs::hard_link(&temporary, &path);
    let _ = fs::remove_file(&temporary);
    match linked {
        Ok(()) => sync_parent(&path).map(|()| Put::Created),
        // Whoever made it may not have got to this point; the caller relies on what is there.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => sync_parent(&path).map(|()| Put::Exists),
        Err(error) => Err(error),
    }
}

pub(super) fn replace(root: &Path, name: &str, was: &[u8], bytes: &[u8]) -> io::Result<Replaced> {
    let _turn = lock(root)?;
    match read(&root.join(name))? {
        Some(found) if found == was => write(root, name, bytes).map(|()| Replaced::Done),
        Some(_) | None => Ok(Replaced::Changed),
    }
}

pub(super) fn delete(root: &Path, name: &str) -> io::Result<()> {
    let _turn = lock(root)?;
    let path = root.join(name);
    remove_if_there(&path)?;
    match sync_parent(&path) {
        Err(error) if is_absence(&error) => Ok(()),
        Err(error) => Err(error),
        Ok(()) => {
            remove_empty_folders(root, &path);
            Ok(())
        }
    }
}

/// A folder's name says whose objects it held, so an empty one goes too.
fn remove_empty_folders(root: &Path, path: &Path) {
    let above = path.ancestors().skip(1).take_while(|folder| *folder != root && folder.starts_with(root));
    for folder in above {
        if fs::remove_dir(folder).is_err() {
            return;
        }
    }
}

pub(super) fn list(root: &Path, folder: &str) -> io::Result<Vec<ObjectName>> {
    let mut found = Vec::new();
    walk(&root.join(folder), &mut |path, _| {
        let name = path.strip_prefix(root).ok().and_then(Path::to_str).and_then(|name| name.parse().ok());
        found.extend(name);
        Ok(())
    })?;
    found.sort_unstable();
    Ok(found)
}

/// Calls `found` with every plain file below a folder. Links are not followed.
fn walk(folder: &Path, found: &mut dyn FnMut(&Path, &str) -> io::Result<()>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if is_absence(&error) => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(&entry.path(), found)?;
        } else if kind.is_file() {
            found(&entry.path(), entry.file_name().to_str().unwrap_or_default())?;
        }
    }
    Ok(())
}

/// The bytes on the disk, beside their place.
fn staged(root: &Path, path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    let folder = path.parent().unwrap_or(root);
    let temporary = folder.join(format!("{TEMPORARY}{:016x}", getrandom::u64().map_err(io::Error::other)?));
    let mut file = open_new(folder, &temporary)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written.map(|()| temporary)
}

/// A deletion may take an empty folder away between its making and its first file.
fn open_new(folder: &Path, temporary: &Path) -> io::Result<File> {
    let mut tries = 0;
    loop {
        tries += 1;
        let opened = make_folders(folder).and_then(|()| OpenOptions::new().create_new(true).write(true).mode(0o600).open(temporary));
        match opened {
            Err(error) if error.kind() == ErrorKind::NotFound && tries < MOST_TRIES => {}
            opened => return opened,
        }
    }
}

/// Makes a folder and those above it, each recorded in the one above.
fn make_folders(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent()
        && !above.as_os_str().is_empty()
    {
        make_folders(above)?;
    }
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    sync_parent(folder)
}

fn lock(root: &Path) -> io::Result<File> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(root.join(LOCK))?;
    flock(&file, FlockOperation::LockExclusive)?;
    Ok(file)
}

fn sync_parent(path: &Path) -> io::Result<()> {
    let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(above)?.sync_all()
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if !is_absence(&error) => Err(error),
        _ => Ok(()),
    }
}

/// An object may be asked for below or above what is itself an object.
fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory)
}

fn is_old(path: &Path) -> bool {
    let age = path.metadata().and_then(|found| found.modified()).ok().and_then(|time| time.elapsed().ok());
    age.is_some_and(|age| age > CUT_OFF_AFTER)
}
