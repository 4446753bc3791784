//! The next segment, made before it is needed: writing 64 MiB of zeros must not stand in a request's way.

use std::{io, sync::Arc};

use crate::{
    disk::Disk,
    format::{SegmentHead, segment_name},
    view::Segment,
};

pub(crate) const SPARE: &str = "spare.log";
const TEMPORARY: &str = "spare.tmp";
/// Made when there is no spare; another name, because a job may be writing one at the same time.
const URGENT: &str = "segment.tmp";

/// Work for a background thread: prepares a spare segment. Needs nothing of the journal while it runs.
#[derive(Debug)]
pub struct SpareJob {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) bytes: u64,
}

impl SpareJob {
    /// Allocates, zeroes and syncs the spare.
    pub fn run(&self) -> io::Result<()> {
        self.disk.create(TEMPORARY, self.bytes)?;
        self.disk.rename(TEMPORARY, SPARE)
    }
}

/// What is known of the spare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spare {
    /// None, and none in the making.
    Missing,
    /// A job is out.
    Preparing,
    /// On disk.
    Ready,
    /// The last job failed; the kind tells a full disk from a broken one.
    Refused(io::ErrorKind),
}

/// Whether a usable spare lies on the disk from an earlier boot.
pub(crate) fn is_on_disk(disk: &dyn Disk, bytes: u64) -> bool {
    disk.open(SPARE).and_then(|file| file.len()).is_ok_and(|len| len == bytes)
}

/// Makes the spare the segment that `head` describes, durably.
pub(crate) fn use_spare(disk: &dyn Disk, head: SegmentHead) -> io::Result<Segment> {
    become_segment(disk, SPARE, head)
}

/// Makes a segment on the spot.
pub(crate) fn make_segment(disk: &dyn Disk, bytes: u64, head: SegmentHead) -> io::Result<Segment> {
    disk.create(URGENT, bytes)?;
    become_segment(disk, URGENT, head)
}

/// The head is synced before the file gets its name, so that a file named as a segment always has a head.
fn become_segment(disk: &dyn Disk, from: &str, head: SegmentHead) -> io::Result<Segment> {
    let file = disk.open(from)?;
    file.write_at(0, &head.encode())?;
    file.sync()?;
    disk.rename(from, &segment_name(head.ordinal))?;
    let len = file.len()?;
    Ok(Segment { head, file, len })
}
