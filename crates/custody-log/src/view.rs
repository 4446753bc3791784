//! What readers share with the writer: the list of segments and the durable end.

use std::{
    io,
    sync::{Arc, PoisonError, RwLock},
};

use custody_types::{JournalId, LogPosition};
use tokio::sync::watch;

use crate::{
    disk::{Disk, DiskFile},
    error::ReadError,
    format::{SEGMENT_HEAD, SegmentHead, segment_name, segment_ordinal},
    landmark::{Mark, MarkFile},
};

/// One segment that can be read.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    pub head: SegmentHead,
    pub file: Arc<dyn DiskFile>,
    /// Bytes of the file.
    pub len: u64,
}

impl Segment {
    pub(crate) fn name(&self) -> String {
        segment_name(self.head.ordinal)
    }
}

/// All segments, oldest first.
pub(crate) type Segments = Arc<[Segment]>;

/// The writer's side: readers in the same process look through it.
#[derive(Debug)]
pub(crate) struct Shared {
    pub journal: JournalId,
    segments: RwLock<Segments>,
    pub durable: watch::Sender<LogPosition>,
}

impl Shared {
    pub(crate) fn new(journal: JournalId, segments: Segments, durable: LogPosition) -> Self {
        Self { journal, segments: RwLock::new(segments), durable: watch::Sender::new(durable) }
    }

    pub(crate) fn segments(&self) -> Segments {
        Arc::clone(&self.segments.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn replace(&self, segments: Segments) {
        *self.segments.write().unwrap_or_else(PoisonError::into_inner) = segments;
    }
}

/// Another process's side: it follows the published mark.
#[derive(Debug)]
pub(crate) struct Follower {
    disk: Arc<dyn Disk>,
    mark_file: MarkFile,
    mark: Mark,
    segments: Segments,
}

impl Follower {
    pub(crate) fn open(disk: Arc<dyn Disk>) -> Result<Self, ReadError> {
        let missing = |problem| ReadError::NotAJournal { file: "mark".into(), problem };
        let mark_file = MarkFile::open(disk.as_ref())?.ok_or_else(|| missing("is missing: no journal was opened in this folder"))?;
        let mark = mark_file.read()?.ok_or_else(|| missing("is not readable"))?;
        let segments = list_segments(disk.as_ref(), mark.journal)?;
        Ok(Self { disk, mark_file, mark, segments })
    }

    fn refresh(&mut self) -> Result<(Segments, LogPosition), ReadError> {
        if let Some(mark) = self.mark_file.read()? {
            let listing_changed = (mark.newest_segment, mark.oldest) != (self.mark.newest_segment, self.mark.oldest);
            if listing_changed {
                self.segments = list_segments(self.disk.as_ref(), mark.journal)?;
            }
            self.mark = mark;
        }
        Ok((Arc::clone(&self.segments), self.mark.durable))
    }
}

/// Where a reader looks.
#[derive(Debug)]
pub(crate) enum View {
    Shared(Arc<Shared>),
    Follower(Follower),
}

impl View {
    pub(crate) fn journal(&self) -> JournalId {
        match self {
            Self::Shared(shared) => shared.journal,
            Self::Follower(follower) => follower.mark.journal,
        }
    }

    /// The segments and the durable end, at this moment.
    pub(crate) fn look(&mut self) -> Result<(Segments, LogPosition), ReadError> {
        match self {
            // The end is read first: the segments then hold at least everything before it.
            Self::Shared(shared) => {
                let durable = *shared.durable.borrow();
                Ok((shared.segments(), durable))
            }
            Self::Follower(follower) => follower.refresh(),
        }
    }
}

/// Opens every segment of `journal`, oldest first; files whose head was never written are left out.
pub(crate) fn list_segments(disk: &dyn Disk, journal: JournalId) -> io::Result<Segments> {
    let mut segments = Vec::new();
    for name in disk.list()? {
        if segment_ordinal(&name).is_some()
            && let Some(segment) = open_segment(disk, &name)?
            && segment.head.journal == journal
        {
            segments.push(segment);
        }
    }
    segments.sort_by_key(|segment: &Segment| segment.head.ordinal);
    Ok(segments.into())
}

fn open_segment(disk: &dyn Disk, name: &str) -> io::Result<Option<Segment>> {
    let file = match disk.open(name) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = vec![0; SEGMENT_HEAD as usize];
    file.read_at(0, &mut bytes)?;
    let len = file.len()?;
    Ok(SegmentHead::decode(&bytes).map(|head| Segment { head, file, len }))
}
