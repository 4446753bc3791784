//! Reading a log, as services see it: only durable records, each reader with its own position.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use custody_types::{JournalId, LogPosition, LogRecord};
use tokio::sync::watch;

use crate::{error::ReadError, file_disk::FileDisk, segment_reader::SegmentReader};

/// How often a reader in another process looks at the mark while it waits.
const POLL: Duration = Duration::from_millis(10);

/// What a log has, at the moment it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogBounds {
    /// First record kept.
    pub first: LogPosition,
    /// Durable end: the place after the last record.
    pub end: LogPosition,
}

/// One partition of a log.
#[async_trait]
pub trait LogReader: Send {
    /// What the log has now: the log itself is asked, each time.
    async fn bounds(&mut self) -> Result<LogBounds, ReadError>;
    /// The next durable records, about `max_bytes` of them and at least one. None where nothing *arrived* within `wait`; that alone
    /// does not prove that the log has nothing, and who must know asks [`LogReader::bounds`]. A position below what is kept is
    /// [`ReadError::Truncated`], one beyond the end gives nothing until the log gets there. Dropping the call loses nothing: the
    /// position moves only with the answer.
    async fn read(&mut self, max_bytes: usize, wait: Duration) -> Result<Vec<LogRecord>, ReadError>;
    /// Position of the next record.
    fn position(&self) -> LogPosition;
    /// Goes to another position.
    fn seek(&mut self, to: LogPosition);
    /// Name of the partition, under which a table remembers positions.
    fn partition(&self) -> String;
}

/// The durable end of a reader's journal.
#[derive(Debug, Clone)]
pub(crate) struct DurableEnd {
    segments: Arc<Mutex<SegmentReader>>,
    durable: Option<watch::Receiver<LogPosition>>,
}

impl DurableEnd {
    pub(crate) fn get(&self) -> Result<LogPosition, ReadError> {
        match &self.durable {
            Some(durable) => Ok(*durable.borrow()),
            None => self.segments.lock().unwrap_or_else(PoisonError::into_inner).durable(),
        }
    }
}

/// A reader of one journal.
#[derive(Debug)]
pub struct JournalReader {
    journal: JournalId,
    segments: Arc<Mutex<SegmentReader>>,
    position: LogPosition,
    /// Tells of new records; nothing where the writer is another process.
    durable: Option<watch::Receiver<LogPosition>>,
}

impl JournalReader {
    pub(crate) fn new(segments: SegmentReader, durable: watch::Receiver<LogPosition>) -> Self {
        Self {
            journal: segments.journal(),
            position: segments.position(),
            segments: Arc::new(Mutex::new(segments)),
            durable: Some(durable),
        }
    }

    /// A reader beside the process that writes: takes no lock, follows the published mark, starts at the first record kept.
    pub fn open_read_only(folder: &Path) -> Result<Self, ReadError> {
        let mut segments = SegmentReader::follow(Arc::new(FileDisk::read_only(folder)))?;
        let first = segments.first()?;
        segments.seek(first);
        Ok(Self { journal: segments.journal(), position: first, segments: Arc::new(Mutex::new(segments)), durable: None })
    }

    /// Durable end at this moment.
    pub fn durable(&self) -> Result<LogPosition, ReadError> {
        self.segments.lock().unwrap_or_else(PoisonError::into_inner).durable()
    }

    /// First position that is still kept.
    pub fn first(&self) -> Result<LogPosition, ReadError> {
        self.segments.lock().unwrap_or_else(PoisonError::into_inner).first()
    }

    /// The journal.
    #[must_use]
    pub const fn journal(&self) -> JournalId {
        self.journal
    }

    /// Tells the durable end while this reader reads.
    pub(crate) fn durable_end(&self) -> DurableEnd {
        DurableEnd { segments: Arc::clone(&self.segments), durable: self.durable.clone() }
    }

    /// Waits until there is something to read, or `wait` is over.
    async fn wait_for_records(&mut self, wait: Duration) -> Result<(), ReadError> {
        let position = self.position;
        let arrival = async {
            match &mut self.durable {
                // A closed channel means that the writer is gone: what is durable stays readable, and nothing more comes.
                Some(durable) => {
                    if durable.wait_for(|end| *end > position).await.is_err() {
                        std::future::pending::<()>().await;
                    }
                    Ok(())
                }
                None => poll_mark(&self.segments, position).await,
            }
        };
        tokio::time::timeout(wait, arrival).await.unwrap_or(Ok(()))
    }
}

async fn poll_mark(segments: &Mutex<SegmentReader>, position: LogPosition) -> Result<(), ReadError> {
    loop {
        let durable = segments.lock().unwrap_or_else(PoisonError::into_inner).durable()?;
        if durable > position {
            return Ok(());
        }
        tokio::time::sleep(POLL).await;
    }
}

#[async_trait]
impl LogReader for JournalReader {
    async fn bounds(&mut self) -> Result<LogBounds, ReadError> {
        self.segments.lock().unwrap_or_else(PoisonError::into_inner).bounds()
    }

    async fn read(&mut self, max_bytes: usize, wait: Duration) -> Result<Vec<LogRecord>, ReadError> {
        self.wait_for_records(wait).await?;
        let segments = Arc::clone(&self.segments);
        let from = self.position;
        let work = move || {
            let mut reader = segments.lock().unwrap_or_else(PoisonError::into_inner);
            reader.seek(from);
            reader.read(max_bytes)
        };
        let frames = tokio::task::spawn_blocking(work).await.map_err(|error| ReadError::Disk(std::io::Error::other(error)))??;
        let records: Vec<LogRecord> = frames.into_iter().map(|frame| frame.record).collect();
        self.position = records.last().map_or(from, |record| record.position.next());
        Ok(records)
    }

    fn position(&self) -> LogPosition {
        self.position
    }

    fn seek(&mut self, to: LogPosition) {
        self.position = to;
    }

    fn partition(&self) -> String {
        format!("journal/{}", self.journal)
    }
}
