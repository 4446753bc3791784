//! Two small files in the journal's folder: where it is shipped to, and how far it was.
//!
//! ```text
//! kafka-partition (288 bytes; written once: temporary file, sync, rename)
//!    0   8  "CUSTODYK"
//!    8   4  format version, 1
//!   12   4  partition
//!   16  16  journal id
//!   32   1  length of the topic's name
//!   33 249  the topic's name, then zeros
//!  282   2  zeros
//!  284   4  CRC of bytes 0..284
//!
//! kafka-mark (64 bytes; overwritten in place, never synced)
//!    0   8  "CUSTODYS"
//!    8  16  journal id
//!   24   8  position up to which Kafka acknowledged everything
//!   32  28  zeros
//!   60   4  CRC of bytes 0..60
//! ```
//!
//! Integers are little-endian, as in the journal. The partition is chosen once, so that adding partitions never splits a source
//! (D3). The mark is written after Kafka acknowledged: after a crash it may be old, or gone, but is never ahead. An old one ships
//! records again, which ingest drops by (source, seq).

use std::{io, sync::Arc};

use custody_types::{JournalId, LogPosition};

use crate::{
    disk::{Disk, DiskFile},
    format::{Block, VERSION},
    kafka::error::ShipperError,
};

pub(crate) const PARTITION_FILE: &str = "kafka-partition";
pub(crate) const MARK_FILE: &str = "kafka-mark";
const PARTITION_TEMPORARY: &str = "kafka-partition.tmp";
const PARTITION_MAGIC: [u8; 8] = *b"CUSTODYK";
const MARK_MAGIC: [u8; 8] = *b"CUSTODYS";
/// Kafka's own limit of a topic's name.
const TOPIC_LIMIT: usize = 249;

/// Where a journal is shipped to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Home {
    pub topic: String,
    pub partition: i32,
}

impl Home {
    /// Chooses a partition out of `partitions`, by the journal's id.
    pub(crate) fn choose(topic: &str, journal: JournalId, partitions: u32) -> Self {
        let hash = crc32fast::hash(journal.as_uuid().as_bytes());
        let partition = i32::try_from(hash % partitions.max(1)).unwrap_or_default();
        Self { topic: topic.to_owned(), partition }
    }

    /// What the folder says; nothing where no choice was made yet.
    pub(crate) fn read(disk: &dyn Disk, journal: JournalId, configured: &str) -> Result<Option<Self>, ShipperError> {
        check_name(configured)?;
        let damaged = |problem| ShipperError::Damaged { file: PARTITION_FILE, problem };
        let Some(file) = open(disk, PARTITION_FILE).map_err(failed("reading the partition"))? else { return Ok(None) };
        let mut bytes = [0; 288];
        file.read_at(0, &mut bytes).map_err(failed("reading the partition"))?;
        let block = Block(bytes);
        if block.array(0) != PARTITION_MAGIC || !block.is_sealed(284) || block.u32(8) != VERSION {
            return Err(damaged("is not whole: restore it, so that the journal goes on in the partition it was shipped to"));
        }
        if block.journal(16) != journal {
            return Err(damaged("belongs to another journal: move it away if this journal was never shipped"));
        }
        let [length] = block.array::<1>(32);
        let name = block.0.get(33..33 + usize::from(length)).unwrap_or_default();
        let topic = String::from_utf8_lossy(name).into_owned();
        if topic != configured {
            return Err(ShipperError::OtherTopic { stored: topic, configured: configured.to_owned() });
        }
        Ok(Some(Self { topic, partition: i32::from_le_bytes(block.array(12)) }))
    }

    /// Keeps the choice, durably.
    pub(crate) fn write(&self, disk: &dyn Disk, journal: JournalId) -> Result<(), ShipperError> {
        check_name(&self.topic)?;
        self.write_file(disk, journal).map_err(failed("keeping the partition"))
    }

    fn write_file(&self, disk: &dyn Disk, journal: JournalId) -> io::Result<()> {
        let mut block = Block::<288>::zeroed();
        block.put(0, &PARTITION_MAGIC);
        block.put(8, &VERSION.to_le_bytes());
        block.put(12, &self.partition.to_le_bytes());
        block.put(16, journal.as_uuid().as_bytes());
        block.put(32, &[u8::try_from(self.topic.len()).unwrap_or_default()]);
        block.put(33, self.topic.as_bytes());
        block.seal(284);
        disk.create(PARTITION_TEMPORARY, 288)?;
        let file = disk.open(PARTITION_TEMPORARY)?;
        file.write_at(0, &block.0)?;
        file.sync()?;
        disk.rename(PARTITION_TEMPORARY, PARTITION_FILE)
    }
}

/// How far the journal was shipped.
#[derive(Debug, Clone)]
pub(crate) struct ShippedMark {
    file: Arc<dyn DiskFile>,
    journal: JournalId,
}

impl ShippedMark {
    pub(crate) fn open(disk: &dyn Disk, journal: JournalId) -> Result<Self, ShipperError> {
        let opened = open(disk, MARK_FILE).and_then(|file| match file {
            Some(file) => Ok(file),
            None => disk.create(MARK_FILE, 64).and_then(|()| disk.open(MARK_FILE)),
        });
        opened.map(|file| Self { file, journal }).map_err(failed("opening the mark of what was shipped"))
    }

    /// The position, or nothing where the mark is not whole or another journal's.
    pub(crate) fn read(&self) -> Result<Option<LogPosition>, ShipperError> {
        let mut bytes = [0; 64];
        self.file.read_at(0, &mut bytes).map_err(failed("reading the mark of what was shipped"))?;
        let block = Block(bytes);
        let is_whole = block.array(0) == MARK_MAGIC && block.is_sealed(60) && block.journal(8) == self.journal;
        Ok(is_whole.then(|| LogPosition::new(block.u64(24))))
    }

    pub(crate) fn write(&self, acked: LogPosition) -> Result<(), ShipperError> {
        let mut block = Block::<64>::zeroed();
        block.put(0, &MARK_MAGIC);
        block.put(8, self.journal.as_uuid().as_bytes());
        block.put(24, &acked.get().to_le_bytes());
        block.seal(60);
        self.file.write_at(0, &block.0).map_err(failed("marking what was shipped"))
    }
}

fn open(disk: &dyn Disk, name: &str) -> io::Result<Option<Arc<dyn DiskFile>>> {
    match disk.open(name) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn failed(doing: &'static str) -> impl Fn(io::Error) -> ShipperError {
    move |source| ShipperError::Disk { doing, source }
}

/// Kafka's rule for names; the two that mean folders are refused by the broker too.
pub(crate) fn check_name(topic: &str) -> Result<(), ShipperError> {
    let is_name = !topic.is_empty() && topic.len() <= TOPIC_LIMIT && ![".", ".."].contains(&topic);
    let is_clean = topic.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if is_name && is_clean { Ok(()) } else { Err(ShipperError::TopicName { topic: topic.chars().take(TOPIC_LIMIT).collect() }) }
}
