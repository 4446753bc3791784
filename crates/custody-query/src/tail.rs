//! One follower of one log partition: the decoded rows after the newest snapshot, in bounded memory.
//!
//! ```text
//!   log      ... ──────────────┬───────────────┬──────────────┬─────────────▶ durable end
//!   follower          start ──▶│ chunk         │ chunk        │ next: read from here at the next question
//!   snapshot                        ▲ P: rows below are in the lake, rows from here on are the tail
//! ```
//! A question pulls: the log is asked for its end and read and decoded up to there, so an event that was durable before the question
//! is in its answer. A process that serves many questions also pulls between them ([`Follower::keep_up`]), so that no question has
//! much to decode. Chunks below a snapshot's position are let go. Where the rows from P on do not fit the bound, the oldest go and P
//! lies before `start`: the caller takes a newer snapshot.

mod budget;
mod chunk;
#[cfg(test)]
mod tests;

use std::{collections::VecDeque, fmt, sync::Arc, time::Duration};

use arrow::record_batch::RecordBatch;
use custody_log::{LogReader, ReadError};
use custody_types::LogPosition;
use tokio::sync::Mutex;

pub use self::budget::TailBudget;
pub(crate) use self::chunk::Seen;
use self::{budget::Share, chunk::Chunk};
use crate::QueryError;

/// How long a log may keep back a record that it has: longer than a broker's hand-over to another, short for a person who waits.
const LONGEST_SILENCE: Duration = Duration::from_secs(10);

/// One wait for records within it.
const ONE_WAIT: Duration = Duration::from_millis(250);

/// Reads of a few records each are joined up to so many rows: a chunk is let go as a whole, and many small ones would hold mostly
/// unused room.
const JOINED_ROWS: usize = 4096;
/// What is let go at the bound is at most this part of what may be held.
const CHUNKS_IN_BOUND: usize = 16;

/// How much a follower may hold.
#[derive(Debug, Clone)]
pub struct FollowerConfig {
    /// Rows.
    pub rows: usize,
    /// Bytes of their columns; followers may share them.
    pub budget: Arc<TailBudget>,
    /// Bytes asked of the log at once.
    pub read_bytes: usize,
}

impl Default for FollowerConfig {
    /// Half a million rows are fourteen seconds of events at five thousand requests a second, more than ingest leaves unstored; a row
    /// takes up to two kilobytes, because each has a place in every column. Four megabytes a read keep a decode well under a tenth of
    /// a second.
    fn default() -> Self {
        Self { rows: 500_000, budget: TailBudget::of(1 << 30), read_bytes: 4 << 20 }
    }
}

/// Follows one log partition for one query process.
pub struct Follower {
    config: FollowerConfig,
    partition: String,
    held: Mutex<Held>,
}

/// Why there is no tail.
#[derive(Debug)]
pub(crate) enum TailError {
    /// The rows from the asked-for position on are no longer held, or do not fit.
    CutOff,
    /// The log no longer has them, because a newer version of the lake does.
    Truncated(QueryError),
    /// The log could not be read.
    Failed(QueryError),
}

/// The rows of a partition from a position to the log's durable end.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    /// Events.
    pub events: Vec<RecordBatch>,
    /// What no decoder reads.
    pub dead_letters: Vec<RecordBatch>,
}

/// What the lake has of a partition: where its tail begins.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stored {
    /// Every record below is stored.
    pub below: LogPosition,
    /// Every dead letter below is stored; never before `below`.
    pub letters_below: LogPosition,
    /// The places of events that are stored, wherever the log repeats them.
    pub seen: Seen,
}

struct Held {
    reader: Box<dyn LogReader>,
    /// Every record from here to `next` is in a chunk.
    start: LogPosition,
    next: LogPosition,
    /// Whether the reader may stand elsewhere than at `next`, because a read was given up half-way.
    reader_astray: bool,
    chunks: VecDeque<Chunk>,
    /// What they take of the budget.
    share: Share,
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Follower({})", self.partition)
    }
}

impl Follower {
    /// A follower that reads with `reader`.
    #[must_use]
    pub fn new(reader: Box<dyn LogReader>, config: FollowerConfig) -> Self {
        let partition = reader.partition();
        let (start, next) = (LogPosition::START, LogPosition::START);
        let share = Share::new(&config.budget);
        let held = Held { reader, start, next, reader_astray: true, chunks: VecDeque::new(), share };
        Self { config, partition, held: Mutex::new(held) }
    }

    /// The bounds it keeps.
    #[must_use]
    pub fn config(&self) -> &FollowerConfig {
        &self.config
    }

    /// The partition it follows.
    #[must_use]
    pub fn partition(&self) -> &str {
        &self.partition
    }

    /// Everything up to the log's durable end, without what is `stored` already.
    pub(crate) async fn tail_after(&self, stored: Stored) -> Result<Tail, TailError> {
        let from = stored.below;
        let mut held = self.held.lock().await;
        held.let_go_below(from);
        if from < held.start {
            return Err(TailError::CutOff);
        }
        let end = held.reader.bounds().await.map_err(unreadable)?.end;
        let mut silence = Duration::ZERO;
        while held.next < end {
            if held.read_more(&self.partition, &self.config, ONE_WAIT).await? {
                silence = Duration::ZERO;
            } else {
                silence += ONE_WAIT;
            }
            if silence >= LONGEST_SILENCE {
                return Err(TailError::Failed(QueryError::LogSilent { partition: self.partition.clone() }));
            }
            held.keep_within(&self.config);
            if from < held.start {
                return Err(TailError::CutOff);
            }
        }
        held.tail(stored).map_err(TailError::Failed)
    }

    /// Takes in what the log has by now, within the bounds, and lets go what is `stored` already. What can't be read now is the next
    /// question's trouble.
    pub(crate) async fn keep_up(&self, stored: LogPosition) {
        let mut held = self.held.lock().await;
        held.let_go_below(stored);
        while let Ok(true) = held.read_more(&self.partition, &self.config, Duration::ZERO).await {
            held.keep_within(&self.config);
        }
    }

    /// Rows and bytes held now.
    pub async fn holds(&self) -> (usize, usize) {
        let held = self.held.lock().await;
        (held.rows(), held.bytes())
    }
}

fn unreadable(error: ReadError) -> TailError {
    match error {
        ReadError::Truncated { .. } => TailError::Truncated(QueryError::Log(Box::new(error))),
        ReadError::NotAJournal { .. } | ReadError::Disk(_) | ReadError::Unavailable { .. } => {
            TailError::Failed(QueryError::Log(Box::new(error)))
        }
    }
}

impl Held {
    fn let_go_below(&mut self, position: LogPosition) {
        if position > self.next {
            self.chunks.clear();
            self.share.take(0);
            (self.start, self.next, self.reader_astray) = (position, position, true);
        }
        while self.chunks.front().is_some_and(|chunk| chunk.until <= position) {
            self.drop_oldest();
        }
        self.share.take(self.bytes());
    }

    fn rows(&self) -> usize {
        self.chunks.iter().map(Chunk::rows).sum()
    }

    fn bytes(&self) -> usize {
        self.chunks.iter().map(Chunk::bytes).sum()
    }

    fn drop_oldest(&mut self) {
        if let Some(chunk) = self.chunks.pop_front() {
            self.start = chunk.until;
        }
    }

    /// Reads once; says whether anything came.
    async fn read_more(&mut self, partition: &str, config: &FollowerConfig, wait: Duration) -> Result<bool, TailError> {
        if self.reader_astray {
            self.reader.seek(self.next);
        }
        self.reader_astray = true;
        let records = self.reader.read(config.read_bytes, wait).await.map_err(unreadable)?;
        let Some(last) = records.last().map(|record| record.position) else {
            self.reader_astray = false;
            return Ok(false);
        };
        let chunk = Chunk::decode(partition.to_owned(), records, last.next()).await.map_err(TailError::Failed)?;
        self.next = chunk.until;
        let joined_rows = JOINED_ROWS.min(config.rows / CHUNKS_IN_BOUND);
        match self.chunks.back_mut().filter(|last| last.rows().saturating_add(chunk.rows()) <= joined_rows) {
            Some(last) => last.join(chunk),
            None => self.chunks.push_back(chunk),
        }
        self.reader_astray = false;
        Ok(true)
    }

    fn keep_within(&mut self, config: &FollowerConfig) {
        self.share.take(self.bytes());
        while !self.chunks.is_empty() && (self.rows() > config.rows || config.budget.is_exceeded()) {
            self.drop_oldest();
            self.share.take(self.bytes());
        }
    }

    fn tail(&self, stored: Stored) -> Result<Tail, QueryError> {
        let Stored { below, letters_below, mut seen } = stored;
        let mut tail = Tail::default();
        for chunk in &self.chunks {
            tail.events.extend(chunk.events_from(below, &mut seen)?);
            tail.dead_letters.extend(chunk.dead_letters_from(letters_below)?);
        }
        Ok(tail)
    }
}
