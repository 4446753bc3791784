//! A disk in memory that tells the truth about durability: what was not synced may be gone, or half gone, after a crash.
//!
//! ```text
//! write ──▶ cache (visible at once) ──sync──▶ device
//!             │ sync fails: the pages count as clean, the device never gets them, later syncs say nothing (as Linux does)
//!             │ crash: each unsynced page is lost, kept, or torn between two of its sectors
//! ```
//! Names (create, rename, remove) are durable at once, which is what [`Disk`] promises.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use custody_log::{Disk, DiskFile, DiskLock};

mod content;

use content::{Content, Dice};

/// What a fault can be attached to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DiskPoint {
    /// Making a file.
    Create,
    /// Writing bytes.
    Write,
    /// Syncing a file.
    Sync,
    /// Reading bytes.
    Read,
    /// Renaming.
    Rename,
    /// Removing.
    Remove,
    /// Taking the lock.
    Lock,
}

/// The disk. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub struct SimDisk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<String, Arc<Mutex<Content>>>,
    next_inode: u64,
    locked: bool,
    /// Rises with each crash: handles of an earlier life are dead.
    life: u64,
    capacity: Option<u64>,
    read_only: bool,
    power_left: Option<u64>,
    faults: Vec<Fault>,
    operations: u64,
}

#[derive(Debug)]
struct Fault {
    point: DiskPoint,
    skip: u64,
    times: u64,
    kind: io::ErrorKind,
}

fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SimDisk {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets the next `times` operations at `point` fail with `kind`.
    pub fn fail(&self, point: DiskPoint, kind: io::ErrorKind, times: u64) {
        self.fail_later(point, kind, 0, times);
    }

    /// The same, after `skip` operations at that point went well.
    pub fn fail_later(&self, point: DiskPoint, kind: io::ErrorKind, skip: u64, times: u64) {
        guard(&self.0).faults.push(Fault { point, skip, times, kind });
    }

    /// Takes all faults away; capacity, read-only and power stay.
    pub fn heal(&self) {
        guard(&self.0).faults.clear();
    }

    /// Bounds the bytes of all files: beyond it, making a file answers that the disk is full.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        guard(&self.0).capacity = bytes;
    }

    /// Makes every change fail, or lets changes through again.
    pub fn set_read_only(&self, read_only: bool) {
        guard(&self.0).read_only = read_only;
    }

    /// Cuts the power after `operations` more writes, syncs and name changes: from then on everything fails until
    /// [`SimDisk::crash`].
    pub fn power_off_after(&self, operations: u64) {
        guard(&self.0).power_left = Some(operations);
    }

    /// Writes, syncs and name changes so far.
    #[must_use]
    pub fn operations(&self) -> u64 {
        guard(&self.0).operations
    }

    /// The machine stops and starts again: the lock is free, and each unsynced page is lost, kept or torn, as `seed` says.
    pub fn crash(&self, seed: u64) {
        let mut dice = Dice(seed);
        self.restart(|content| content.crash(&mut dice));
    }

    /// The machine stops: everything unsynced is lost but the first `bytes` of it in each file, counted from its first unsynced
    /// page.
    pub fn crash_keeping(&self, bytes: usize) {
        self.restart(|content| content.crash_keeping(bytes));
    }

    /// Only the process stops: the lock is free, nothing that was written is lost.
    pub fn kill(&self) {
        self.restart(|_| ());
    }

    fn restart(&self, mut each: impl FnMut(&mut Content)) {
        let mut state = guard(&self.0);
        for file in state.files.values_mut() {
            let mut content = guard(file).clone();
            each(&mut content);
            // Handles of the life before keep the old content.
            *file = Arc::new(Mutex::new(content));
        }
        state.locked = false;
        state.power_left = None;
        state.life += 1;
    }

    /// A copy of the folder, as a careless restore makes it: same bytes, other inodes.
    #[must_use]
    pub fn copy(&self) -> Self {
        let state = guard(&self.0);
        let mut copied = State { next_inode: 1_000_000, ..State::default() };
        for (name, file) in &state.files {
            copied.next_inode += 1;
            let bytes = guard(file).cache.clone();
            let content = Content::on_device(copied.next_inode, bytes);
            copied.files.insert(name.clone(), Arc::new(Mutex::new(content)));
        }
        Self(Arc::new(Mutex::new(copied)))
    }

    /// Alters one byte on the device and in the cache. False where there is no such byte.
    #[must_use]
    pub fn flip(&self, name: &str, offset: usize, mask: u8) -> bool {
        let state = guard(&self.0);
        let Some(file) = state.files.get(name) else { return false };
        let mut content = guard(file);
        let Content { cache, device, .. } = &mut *content;
        let bytes = [cache.get_mut(offset), device.get_mut(offset)];
        let both = bytes.iter().all(Option::is_some);
        bytes.into_iter().flatten().for_each(|byte| *byte ^= mask);
        both
    }

    /// The bytes of a file, as a process sees them.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        guard(&self.0).files.get(name).map(|file| guard(file).cache.clone())
    }

    /// Names of all files, in order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        guard(&self.0).files.keys().cloned().collect()
    }

    fn change(&self, point: DiskPoint) -> io::Result<MutexGuard<'_, State>> {
        let mut state = guard(&self.0);
        if state.read_only {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        state.spend_power()?;
        state.meet_fault(point)?;
        Ok(state)
    }
}

impl State {
    fn spend_power(&mut self) -> io::Result<()> {
        self.operations += 1;
        match &mut self.power_left {
            Some(0) => Err(io::Error::other("the power is off")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn meet_fault(&mut self, point: DiskPoint) -> io::Result<()> {
        let Some(index) = self.faults.iter().position(|fault| fault.point == point && fault.times > 0) else {
            return Ok(());
        };
        let Some(fault) = self.faults.get_mut(index) else { return Ok(()) };
        if fault.skip > 0 {
            fault.skip -= 1;
            return Ok(());
        }
        fault.times -= 1;
        Err(fault.kind.into())
    }

    fn used(&self) -> u64 {
        self.files.values().map(|file| guard(file).cache.len() as u64).sum()
    }

    fn file(&self, name: &str) -> io::Result<Arc<Mutex<Content>>> {
        self.files.get(name).map(Arc::clone).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

#[derive(Debug)]
struct SimLock {
    disk: SimDisk,
    life: u64,
}

impl Drop for SimLock {
    fn drop(&mut self) {
        let mut state = guard(&self.disk.0);
        if state.life == self.life {
            state.locked = false;
        }
    }
}

impl Disk for SimDisk {
    fn lock(&self) -> io::Result<Option<DiskLock>> {
        let mut state = self.change(DiskPoint::Lock)?;
        if state.locked {
            return Ok(None);
        }
        state.locked = true;
        let life = state.life;
        drop(state);
        Ok(Some(DiskLock::new(Box::new(SimLock { disk: self.clone(), life }))))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.names())
    }

    fn create(&self, name: &str, len: u64) -> io::Result<()> {
        let mut state = self.change(DiskPoint::Create)?;
        let replaced = state.files.get(name).map_or(0, |file| guard(file).cache.len() as u64);
        if state.capacity.is_some_and(|capacity| state.used() - replaced + len > capacity) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.next_inode += 1;
        let zeros = vec![0; usize::try_from(len).map_err(io::Error::other)?];
        let content = Content::on_device(state.next_inode, zeros);
        state.files.insert(name.to_owned(), Arc::new(Mutex::new(content)));
        Ok(())
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let state = guard(&self.0);
        Ok(Arc::new(SimFile { content: state.file(name)?, life: state.life, disk: self.clone() }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.change(DiskPoint::Rename)?;
        let file = state.files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.files.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.change(DiskPoint::Remove)?;
        state.files.remove(name).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn shrink(&self, name: &str, len: u64) -> io::Result<()> {
        let state = self.change(DiskPoint::Write)?;
        let file = state.file(name)?;
        let mut content = guard(&file);
        let len = usize::try_from(len).map_err(io::Error::other)?;
        content.shrink(len);
        Ok(())
    }

    fn inode(&self, name: &str) -> io::Result<u64> {
        guard(&self.0).file(name).map(|file| guard(&file).inode)
    }
}

#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    content: Arc<Mutex<Content>>,
    life: u64,
}

impl SimFile {
    /// A handle of an earlier life writes nowhere.
    fn change(&self, point: DiskPoint) -> io::Result<()> {
        let state = self.disk.change(point)?;
        if state.life == self.life { Ok(()) } else { Err(io::Error::other("the process is gone")) }
    }
}

impl DiskFile for SimFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.change(DiskPoint::Write)?;
        guard(&self.content).write(usize::try_from(offset).map_err(io::Error::other)?, bytes);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let changed = self.change(DiskPoint::Sync);
        let powered = guard(&self.disk.0).power_left != Some(0);
        let mut content = guard(&self.content);
        match changed {
            Ok(()) => content.sync(),
            // With a broken device the pages are dropped; without power nothing happens to them.
            Err(_) if powered => content.fail_sync(),
            Err(_) => {}
        }
        drop(content);
        changed
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        guard(&self.disk.0).meet_fault(DiskPoint::Read)?;
        let content = guard(&self.content);
        let rest = usize::try_from(offset).ok().and_then(|offset| content.cache.get(offset..)).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(target), Some(source)) = (buffer.get_mut(..count), rest.get(..count)) {
            target.copy_from_slice(source);
        }
        Ok(count)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(guard(&self.content).cache.len() as u64)
    }

    fn drop_cache(&self) -> io::Result<()> {
        guard(&self.content).drop_cache();
        Ok(())
    }
}
