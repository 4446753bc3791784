//! The two small files beside the segments: which journal this is, and how far it is durable. Layout in [`crate::format`].

use std::{io, sync::Arc};

use custody_types::{JournalId, LogPosition};

use crate::{
    disk::{Disk, DiskFile},
    format::{Block, VERSION},
};

const IDENTITY: &str = "identity";
const IDENTITY_MAGIC: [u8; 8] = *b"CUSTODYI";
const MARK: &str = "mark";
const MARK_MAGIC: [u8; 8] = *b"CUSTODYM";
const MARK_READS: usize = 8;

/// What the identity file says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity {
    pub journal: JournalId,
    /// Whether the folder was copied: the file is not the one that was written.
    pub copied: bool,
}

/// Reads the identity; nothing where there is none, an error of kind `InvalidData` where it is not one.
pub(crate) fn read_identity(disk: &dyn Disk) -> io::Result<Option<Identity>> {
    let file = match disk.open(IDENTITY) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = [0; 48];
    file.read_at(0, &mut bytes)?;
    let block = Block(bytes);
    if block.array(0) != IDENTITY_MAGIC || !block.is_sealed(44) || block.u32(8) != VERSION {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(Some(Identity { journal: block.journal(16), copied: block.u64(32) != disk.inode(IDENTITY)? }))
}

/// Writes the identity under its own inode, durably.
pub(crate) fn write_identity(disk: &dyn Disk, journal: JournalId) -> io::Result<()> {
    const TEMPORARY: &str = "identity.tmp";
    disk.create(TEMPORARY, 48)?;
    let mut block = Block::<48>::zeroed();
    block.put(0, &IDENTITY_MAGIC);
    block.put(8, &VERSION.to_le_bytes());
    block.put(16, journal.as_uuid().as_bytes());
    block.put(32, &disk.inode(TEMPORARY)?.to_le_bytes());
    block.seal(44);
    let file = disk.open(TEMPORARY)?;
    file.write_at(0, &block.0)?;
    file.sync()?;
    disk.rename(TEMPORARY, IDENTITY)
}

/// The durable end as published. Everything before `durable` was synced before the mark was written, so after a crash the mark
/// may be old but is never ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub journal: JournalId,
    pub epoch: u32,
    pub durable: LogPosition,
    pub newest_segment: u64,
    pub oldest: LogPosition,
}

/// The mark's file.
#[derive(Debug, Clone)]
pub(crate) struct MarkFile(Arc<dyn DiskFile>);

impl MarkFile {
    /// Opens the mark for reading; nothing where there is none.
    pub(crate) fn open(disk: &dyn Disk) -> io::Result<Option<Self>> {
        match disk.open(MARK) {
            Ok(file) => Ok(Some(Self(file))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens the mark for writing, making it where there is none.
    pub(crate) fn open_or_create(disk: &dyn Disk) -> io::Result<Self> {
        if let Some(mark) = Self::open(disk)? {
            return Ok(mark);
        }
        disk.create(MARK, 64)?;
        disk.open(MARK).map(Self)
    }

    /// Publishes a mark.
    pub(crate) fn publish(&self, mark: &Mark) -> io::Result<()> {
        let mut block = Block::<64>::zeroed();
        block.put(0, &MARK_MAGIC);
        block.put(8, mark.journal.as_uuid().as_bytes());
        block.put(24, &mark.epoch.to_le_bytes());
        block.put(32, &mark.durable.get().to_le_bytes());
        block.put(40, &mark.newest_segment.to_le_bytes());
        block.put(48, &mark.oldest.get().to_le_bytes());
        block.seal(60);
        self.0.write_at(0, &block.0)
    }

    /// The mark, or nothing where it is not whole. A reader may meet a write half done, so it looks again a few times.
    pub(crate) fn read(&self) -> io::Result<Option<Mark>> {
        for _ in 0..MARK_READS {
            let mut bytes = [0; 64];
            self.0.read_at(0, &mut bytes)?;
            let block = Block(bytes);
            if block.array(0) == MARK_MAGIC && block.is_sealed(60) {
                return Ok(Some(decode_mark(&block)));
            }
        }
        Ok(None)
    }
}

fn decode_mark(block: &Block<64>) -> Mark {
    Mark {
        journal: block.journal(8),
        epoch: block.u32(24),
        durable: LogPosition::new(block.u64(32)),
        newest_segment: block.u64(40),
        oldest: LogPosition::new(block.u64(48)),
    }
}
