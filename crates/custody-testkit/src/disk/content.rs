//! The bytes of one simulated file: what a process sees, what the device holds, and what a crash makes of the difference.

use std::collections::BTreeSet;

const PAGE: usize = 4096;
const SECTOR: usize = 512;

/// One file.
#[derive(Debug, Default, Clone)]
pub(super) struct Content {
    pub(super) inode: u64,
    pub(super) cache: Vec<u8>,
    pub(super) device: Vec<u8>,
    dirty: BTreeSet<usize>,
    /// Pages whose sync failed: clean to the system, stale on the device.
    lying: BTreeSet<usize>,
}

impl Content {
    /// Bytes that are durable.
    pub(super) fn on_device(inode: u64, bytes: Vec<u8>) -> Self {
        Self { inode, cache: bytes.clone(), device: bytes, ..Self::default() }
    }

    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        if self.cache.len() < end {
            self.cache.resize(end, 0);
        }
        if let Some(place) = self.cache.get_mut(offset..end) {
            place.copy_from_slice(bytes);
        }
        self.dirty.extend(offset / PAGE..end.div_ceil(PAGE));
    }

    pub(super) fn sync(&mut self) {
        self.device.resize(self.cache.len(), 0);
        for page in std::mem::take(&mut self.dirty) {
            self.lying.remove(&page);
            self.take_range(page * PAGE, (page + 1) * PAGE);
        }
    }

    pub(super) fn fail_sync(&mut self) {
        let dirty = std::mem::take(&mut self.dirty);
        self.lying.extend(dirty);
    }

    /// Brings a range of the cache to the device.
    fn take_range(&mut self, from: usize, to: usize) {
        let to = to.min(self.cache.len()).min(self.device.len());
        if let (Some(source), Some(target)) = (self.cache.get(from..to), self.device.get_mut(from..to)) {
            target.copy_from_slice(source);
        }
    }

    /// Clean pages are read from the device again.
    pub(super) fn drop_cache(&mut self) {
        for page in std::mem::take(&mut self.lying) {
            let range = page * PAGE..((page + 1) * PAGE).min(self.device.len());
            if let (Some(target), Some(source)) = (self.cache.get_mut(range.clone()), self.device.get(range)) {
                target.copy_from_slice(source);
            }
        }
    }

    pub(super) fn shrink(&mut self, len: usize) {
        self.cache.truncate(len);
        self.device.truncate(len);
        self.dirty.retain(|page| page * PAGE < len);
        self.lying.retain(|page| page * PAGE < len);
    }

    fn forget_unsynced(&mut self) {
        self.dirty.clear();
        self.lying.clear();
        self.cache.clone_from(&self.device);
    }

    pub(super) fn crash(&mut self, dice: &mut Dice) {
        self.device.resize(self.cache.len().max(self.device.len()), 0);
        for page in std::mem::take(&mut self.dirty) {
            let start = page * PAGE;
            match dice.roll(3) {
                0 => {}
                1 => self.take_range(start, start + PAGE),
                _ => self.tear(start, dice),
            }
        }
        self.forget_unsynced();
    }

    /// Some sectors of the page reached the device, others did not.
    fn tear(&mut self, start: usize, dice: &mut Dice) {
        for sector in (start..start + PAGE).step_by(SECTOR) {
            if dice.roll(2) == 0 {
                self.take_range(sector, sector + SECTOR);
            }
        }
    }

    pub(super) fn crash_keeping(&mut self, bytes: usize) {
        self.device.resize(self.cache.len().max(self.device.len()), 0);
        if let Some(first) = self.dirty.first().copied() {
            self.take_range(first * PAGE, first * PAGE + bytes);
        }
        self.forget_unsynced();
    }
}

/// A small generator (splitmix64): the same seed, the same crash.
#[derive(Debug)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % sides
    }
}
