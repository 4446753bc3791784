//! Files that only their owner may read: API key hashes and the deployment's hash key.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

const OWNER_ONLY: u32 = 0o600;
const GROUP_AND_OTHERS: u32 = 0o077;

/// Whether anyone but the owner has any right to the file.
pub(crate) fn is_exposed(file: &Path) -> io::Result<bool> {
    Ok(fs::metadata(file)?.permissions().mode() & GROUP_AND_OTHERS != 0)
}

/// Makes a file that must not exist yet.
pub(crate) fn create(file: &Path, content: &[u8]) -> io::Result<()> {
    let mut open = OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(file)?;
    open.write_all(content)?;
    open.sync_all()
}

/// Replaces a file in one step: readers see the old content or the new one.
pub(crate) fn replace(file: &Path, content: &[u8]) -> io::Result<()> {
    let fresh = file.with_extension("new");
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    create(&fresh, content)?;
    fs::rename(&fresh, file)
}
